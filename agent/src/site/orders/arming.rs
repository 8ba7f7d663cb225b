use std::sync::PoisonError;

use jiff::Timestamp;
use karaul_wire::{ReplyCode, Segment};

use super::{Answer, Orders, named};
use crate::site::Outcome;
use crate::{
    config,
    site::standing::{LONGEST, Place},
};

impl Orders {
    pub(super) fn disarm(&self, camera: Option<&Segment>, rule: Option<&Segment>, seconds: u32) -> Answer {
        if seconds == 0 {
            return Err(Outcome::invalid("seconds is 0; say for how long, 1 to 604800 seconds"));
        }
        if seconds > LONGEST {
            return Err(Outcome::invalid(format!(
                "{seconds} seconds is longer than seven days ({LONGEST} seconds); change the schedule in the config \
                 for that"
            )));
        }
        let places = self.places(camera, rule)?;
        let ends = self.standing.disarm(&places, seconds).map_err(|error| {
            Outcome::failed(format!("nothing is disarmed, because a restart would forget it: {error}"))
        })?;
        // A reload may have taken some of them out in this moment.
        self.posts.forget_gone();
        self.posts.tend();
        tracing::info!(seconds, "{} disarmed", said(&places));
        Ok(Outcome::done(format!("{} disarmed until {}", said(&places), self.local(ends))))
    }

    pub(super) fn arm(&self, camera: Option<&Segment>, rule: Option<&Segment>) -> Answer {
        let places = self.places(camera, rule)?;
        let armed = self.standing.arm(&places);
        self.posts.tend();
        let (said, though) = (said(&places), self.though_out_of_mode(&places));
        match armed {
            Ok(0) => Ok(Outcome::done(format!("{said} armed: nobody had disarmed it{though}"))),
            Ok(count) => {
                tracing::info!("{said} armed");
                let before = if places.len() == 1 { String::new() } else { format!(": {count} had been disarmed") };
                Ok(Outcome::done(format!("{said} armed again{before}{though}")))
            }
            Err(error) => Err(Outcome::failed(format!("{said} armed, but a restart may undo that: {error}"))),
        }
    }

    pub(super) fn camera_enable(&self, camera: &Segment, enabled: bool) -> Answer {
        let _changing = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let post = self.post(camera)?;
        let word = if enabled { "on" } else { "off" };
        if post.enabled == enabled {
            return Ok(Outcome::done(format!("camera {camera} is {word} already")));
        }
        // Where the config says the same, it is to have its say again when it is changed.
        let to = (post.camera.enabled != enabled).then_some(enabled);
        let written = self.standing.switch(camera, to, enabled);
        if let (Err(error), false) = (&written, enabled) {
            return Err(Outcome::failed(format!(
                "camera {camera} stays on, because a restart would forget that it is off: {error}"
            )));
        }
        let config = self.posts.config();
        self.take_up((*config).clone())?;
        tracing::info!(%camera, "switched {word} by a command");
        if let Err(error) = written {
            return Err(Outcome::failed(format!("camera {camera} is on, but a restart may undo that: {error}")));
        }
        let though = if to.is_some() {
            let says = if enabled { "off" } else { "on" };
            format!(", though the config says {says}; that holds until another command")
        } else {
            ", as the config says".to_owned()
        };
        Ok(Outcome::done(format!("camera {camera} is {word}{though}")))
    }

    /// Time as people at the site read it.
    pub(super) fn local(&self, time: Timestamp) -> String {
        let zone = self.posts.config().site.time_zone.clone();
        time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
    }

    /// The rules that are meant: all, those of a camera, or those of this name. By the config, because a reload
    /// takes cameras out of those that are watched for a while.
    fn places(&self, camera: Option<&Segment>, rule: Option<&Segment>) -> Result<Vec<Place>, Outcome> {
        let config = self.posts.config();
        let cameras = match camera {
            Some(camera) => vec![named(&config, camera)?],
            None => config.cameras.iter().collect(),
        };
        let all = || cameras.iter().flat_map(|camera| camera.rules.iter().map(move |rule| (&camera.id, &rule.id)));
        let meant = |id: &Segment| rule.is_none_or(|rule| rule == id);
        let places: Vec<Place> =
            all().filter(|(_, id)| meant(id)).map(|(camera, rule)| (camera.clone(), rule.clone())).collect();
        if !places.is_empty() {
            return Ok(places);
        }
        let mut known: Vec<&str> = all().map(|(_, id)| id.as_str()).collect();
        known.sort_unstable();
        known.dedup();
        let who = camera.map_or_else(|| "no camera has".to_owned(), |camera| format!("camera {camera} has no"));
        let what = rule.map_or_else(|| "a rule".to_owned(), |rule| format!("rule \"{rule}\""));
        let what = if camera.is_some() && rule.is_none() { "rule" } else { &what };
        let remedy = config::choose(rule.map_or("", Segment::as_str), &known, "there is nothing to arm or disarm");
        Err(Outcome::new(ReplyCode::NotFound, format!("{who} {what}; {remedy}")))
    }
}

/// The rules in words, as the subject of a sentence.
fn said(places: &[Place]) -> String {
    if let [(camera, rule)] = places {
        return format!("rule {rule} of camera {camera} is");
    }
    let mut cameras: Vec<_> = places.iter().map(|(camera, _)| camera).collect();
    cameras.dedup();
    match cameras[..] {
        [camera] => format!("{} rules of camera {camera} are", places.len()),
        _ => format!("{} rules of {} cameras are", places.len(), cameras.len()),
    }
}
