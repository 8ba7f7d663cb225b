//! Carries commands out. Whoever gets here with one has checked that it may be.

mod arming;
mod incidents;
mod ledger;
mod modes;
mod pictures;
mod reload;
#[cfg(test)]
mod tests;

use std::{
    fmt::Write,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use karaul_wire::{Command, GapRange, Order, ReplyCode, Segment};
use uuid::Uuid;

use super::{
    Outcome,
    delivery::Delivery,
    line::Line,
    posts::{Post, Posts},
    register::Entry,
    standing::{Place, Standing},
};
use crate::{
    clock::Clock,
    config::{self, Camera, Config},
    uplink::Replay,
};

/// More than a sentence bears are not named.
const NAMED: usize = 8;

/// What carries commands out, one after the other. No camera waits for it, and it waits for none longer than
/// some seconds.
pub struct Orders {
    pub(super) posts: Arc<Posts>,
    pub(super) line: Arc<Line>,
    pub(super) standing: Arc<Standing>,
    pub(super) delivery: Delivery,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) boot_id: Option<Uuid>,
    /// The config file.
    pub(super) file: PathBuf,
    pub(super) limits: Limits,
    /// Held while cameras are started and ended: a reload may be asked for by a signal as well.
    pub(super) changing: Mutex<()>,
}

/// For how long a camera is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Until it has done something. Its thread looks for that several times a second, but opening and ending a
    /// stream may take it some seconds.
    pub(super) errand: Duration,
    /// Until it gives a picture, if it sees. The slowest give one a second.
    pub(super) picture: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let [errand, picture] = [5, 3].map(Duration::from_secs);
        Self { errand, picture }
    }
}

impl Orders {
    /// Does what a command asks for. It takes seconds at most; `reload` and `camera_enable` as long as cameras
    /// take to end and models to load.
    #[must_use]
    pub fn carry_out(&self, command: &Command) -> Outcome {
        let done = match &command.order {
            Order::Acknowledge { incident } => self.acknowledge(*incident, &command.actor),
            Order::Resolve { incident } => self.close(*incident, karaul_wire::CloseReason::Resolved),
            Order::FalsePositive { incident } => self.close(*incident, karaul_wire::CloseReason::FalsePositive),
            Order::Arm { camera, rule } => self.arm(camera.as_ref(), rule.as_ref()),
            Order::Disarm { camera, rule, seconds } => self.disarm(camera.as_ref(), rule.as_ref(), *seconds),
            Order::TestIncident { camera, rule } => self.test_incident(camera, rule.as_ref()),
            Order::Replay { ranges } => self.replay(ranges),
            Order::Snapshot { camera, evidence, purpose } => self.snapshot(camera.as_ref(), *evidence, purpose),
            Order::Reload {} => self.reload(),
            Order::CameraEnable { camera, enabled } => self.camera_enable(camera, *enabled),
            Order::Ledger { first, last } => self.ledger(*first, last.unwrap_or(*first)),
            Order::Mode { mode } => self.mode(mode),
        };
        done.unwrap_or_else(|refused| refused)
    }

    /// The camera of the incident or kept picture that an order names; `None` if it names none, or that cannot be
    /// told.
    #[must_use]
    pub fn camera_of(&self, order: &Order) -> Option<Segment> {
        match order {
            Order::Acknowledge { incident } | Order::Resolve { incident } | Order::FalsePositive { incident } => {
                match self.delivery.register.find(*incident) {
                    Entry::Open(camera) => Some(camera),
                    Entry::Closed(closed) => Some(closed.camera),
                    Entry::Unknown => None,
                }
            }
            Order::Snapshot { evidence: Some(id), .. } => self.delivery.album.camera_of(*id),
            _ => None,
        }
    }

    /// The config in force: keys and roles, for example, are those of the last good `reload`.
    #[must_use]
    pub fn config(&self) -> Arc<Config> {
        self.posts.config()
    }

    fn replay(&self, ranges: &[GapRange]) -> Answer {
        if ranges.is_empty() {
            return Err(Outcome::invalid("no range is given; give the first and the last number of at least one"));
        }
        if let Some(GapRange { first, last }) = ranges.iter().find(|range| range.first > range.last) {
            return Err(Outcome::invalid(format!("the range from {first} to {last} ends before it begins")));
        }
        match self.delivery.outbox.replay(ranges) {
            Ok(replay) => Ok(Outcome::done(resent(&replay))),
            Err(trouble) => Err(Outcome::failed(format!("nothing is sent again: {trouble}"))),
        }
    }

    /// A camera by its id, as it is watched. While a reload or a command starts it anew, nobody watches it.
    fn post(&self, camera: &Segment) -> Result<Arc<Post>, Outcome> {
        let config = self.posts.config();
        named(&config, camera)?;
        self.posts.of(camera).ok_or_else(|| started_anew(camera, ""))
    }
}

/// A camera by its id, as it is configured.
fn named<'a>(config: &'a Config, camera: &Segment) -> Result<&'a Camera, Outcome> {
    config.cameras.iter().find(|other| other.id == *camera).ok_or_else(|| {
        let known: Vec<&str> = config.cameras.iter().map(|camera| camera.id.as_str()).collect();
        let remedy = config::choose(camera.as_str(), &known, "this box has no camera");
        Outcome::new(ReplyCode::NotFound, format!("there is no camera \"{camera}\"; {remedy}"))
    })
}

fn started_anew(camera: &Segment, more: &str) -> Outcome {
    Outcome::failed(format!(
        "camera {camera} is being switched off or started anew; nothing was changed, send the command again in some \
         seconds{more}"
    ))
}

/// `Err` is an answer too: that nothing was done.
type Answer = Result<Outcome, Outcome>;

/// What is sent again, and what is not there any more.
fn resent(replay: &Replay) -> String {
    let alerts = if replay.again == 1 { "alert is" } else { "alerts are" };
    let mut said = format!("{} {alerts} sent again", replay.again);
    if replay.under_way > 0 {
        // Writing to a String cannot fail.
        let _ = write!(said, "; {} had not been delivered and go out anyway", replay.under_way);
    }
    let mut gone: Vec<String> = replay
        .gone
        .ranges()
        .take(NAMED)
        .map(|range| {
            let (first, last) = range.into_inner();
            if first == last { first.to_string() } else { format!("{first} to {last}") }
        })
        .collect();
    if gone.is_empty() {
        return said;
    }
    let more = replay.gone.ranges().count() - gone.len();
    if more > 0 {
        gone.push(format!("{more} more ranges"));
    }
    let _ = write!(said, "; not on the box (any more): {}", gone.join(", "));
    said
}
