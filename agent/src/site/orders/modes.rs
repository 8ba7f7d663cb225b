use karaul_wire::{ReplyCode, Segment};

use super::{Answer, Orders};
use crate::site::Outcome;

impl Orders {
    pub(super) fn mode(&self, mode: &Segment) -> Answer {
        let (known, before) = self.standing.modes();
        if !known.contains(mode) {
            return Err(Outcome::new(ReplyCode::NotFound, unknown(mode, &known)));
        }
        let entered = self.standing.enter(mode);
        // A reload may have taken it out in this moment.
        self.posts.forget_gone();
        self.line.tell_modes(&self.standing);
        entered.map_err(|error| {
            Outcome::failed(format!("the site is in mode {mode}, but a restart may undo that: {error}"))
        })?;
        let config = self.posts.config();
        let all = config.cameras.iter().map(|camera| camera.rules.len()).sum::<usize>();
        let out = config.cameras.iter().map(|camera| self.standing.out_of_mode(&camera.id).len()).sum::<usize>();
        let again = if before.as_ref() == Some(mode) { " already" } else { "" };
        if again.is_empty() {
            tracing::info!("the site is in mode {mode}");
        }
        let armed = all.saturating_sub(out);
        Ok(Outcome::done(format!("the site is in mode {mode}{again}; rules armed in it: {armed} of {all}")))
    }

    /// What is to be added where rules are armed: some of them stay silent in the present mode.
    pub(super) fn though_out_of_mode(&self, places: &[super::Place]) -> String {
        let (_, Some(mode)) = self.standing.modes() else { return String::new() };
        let out = places.iter().filter(|(camera, rule)| self.standing.out_of_mode(camera).contains(rule)).count();
        match (out, places.len()) {
            (0, _) => String::new(),
            (_, 1) => format!("; not in the present mode {mode}, though"),
            (out, _) => format!("; not in the present mode {mode}, though: {out} of them"),
        }
    }
}

fn unknown(mode: &Segment, known: &[Segment]) -> String {
    if known.is_empty() {
        return format!("there is no mode \"{mode}\": the site has none; add modes = [\"day\", \"night\"] to [site]");
    }
    let known: Vec<String> = known.iter().map(|mode| format!("\"{mode}\"")).collect();
    format!("there is no mode \"{mode}\"; the site has {}", known.join(", "))
}
