use std::sync::PoisonError;

use karaul_wire::ReplyCode;

use super::{Answer, NAMED, Orders};
use crate::site::Outcome;
use crate::{
    config::Config,
    site::{birth, posts::Changes},
};

impl Orders {
    /// Reads the config anew: for the command, and for SIGHUP.
    pub(in crate::site) fn reload(&self) -> Answer {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let config = Config::load(&self.file).map_err(|problems| {
            let detail = format!("the new config is not used, the present one stays: {}", problems.first_errors());
            Outcome::new(ReplyCode::Invalid, detail)
        })?;
        let present = self.posts.config();
        if let Some(section) = fixed(&present, &config) {
            return Err(Outcome::failed(format!(
                "{section} has changed, which takes effect when the service is restarted (systemctl restart karaul); \
                 until then nothing of the new config does"
            )));
        }
        let broker = present.broker != config.broker;
        if broker && let Err(error) = self.line.switch(&config.broker) {
            return Err(Outcome::failed(format!("the new config is not used, the present one stays: {error}")));
        }
        let changes = self.take_up(config)?;
        Ok(Outcome::done(said(changes, broker)))
    }

    /// Has the cameras watched by this config, and tells of them. For whoever holds [`Self::changing`].
    pub(super) fn take_up(&self, config: Config) -> Result<Changes, Outcome> {
        let cameras = birth::cameras(&config);
        let changes = self.posts.take_up(config).map_err(|error| {
            let detail = error.to_string();
            self.posts.crew.fail(error);
            Outcome::failed(detail)
        })?;
        self.line.tell_cameras(cameras);
        self.line.tell_modes(&self.standing);
        Ok(changes)
    }
}

/// The first part that has changed and that only a new process takes up.
fn fixed(present: &Config, new: &Config) -> Option<&'static str> {
    if present.site.path != new.site.path {
        return Some("the address of the box in [site]");
    }
    if present.broker.delivery != new.broker.delivery {
        return Some("delivery or consumer in [broker]");
    }
    if present.storage != new.storage {
        return Some("[storage]");
    }
    (present.inference != new.inference).then_some("[inference]")
}

fn said(changes: Changes, broker: bool) -> String {
    let Changes { added, removed, restarted, unchanged, mut forgotten, mode } = changes;
    let told = [(added, "added"), (removed, "removed"), (restarted, "restarted")];
    let mut told: Vec<String> =
        told.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    told.push(format!("{unchanged} go on undisturbed"));
    let broker = if broker { "; the broker is dialled anew" } else { "" };
    let mut said = format!("the new config is in force; cameras: {}{broker}", told.join(", "));
    if !forgotten.is_empty() {
        let more = forgotten.len().saturating_sub(NAMED);
        forgotten.truncate(NAMED);
        if more > 0 {
            forgotten.push(format!("{more} more"));
        }
        said += &format!("; forgotten with what it lacks: {}", forgotten.join(", "));
    }
    if let Some(mode) = mode {
        said += &format!("; {mode}");
    }
    said
}
