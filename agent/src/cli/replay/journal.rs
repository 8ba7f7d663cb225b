//! What comes of a recording: alerts as the broker would get them, and what was opened when.

use std::{
    cell::RefCell,
    io::{self, Write},
    rc::Rc,
    time::Duration,
};

use jiff::Timestamp;
use karaul_wire::{AlertEvent, BoxPath, Phase};
use uuid::Uuid;

use super::{compare::Found, ids::Ids};
use crate::{incident::Step, site::Sink, vision::Planes};

/// An incident that is over at once is shown for so long.
const SHOWN: Duration = Duration::from_secs(2);

/// Where alerts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alerts {
    /// Nowhere.
    Off,
    /// To standard output, as JSON lines.
    Lines,
    /// The same, and each says of which recording it is.
    Named,
}

/// What happened in one recording.
#[derive(Debug, Default)]
pub(super) struct Journal {
    /// What was opened, in its order.
    pub(super) found: Vec<Found>,
    /// What is open, or was a moment ago.
    pub(super) shown: Vec<Shown>,
    /// The first alert that could not be written.
    pub(super) failed: Option<io::Error>,
}

/// An incident, for those who look on.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shown {
    id: Uuid,
    pub(super) rule: String,
    pub(super) kind: &'static str,
    pub(super) tracks: Vec<u64>,
    pub(super) opened: Duration,
    closed: Option<Duration>,
}

#[cfg(test)]
impl Shown {
    /// One of a track that was opened then, and is open or was closed at once.
    pub(super) fn opened(rule: &str, track: u64, at: Duration, open: bool) -> Self {
        let closed = (!open).then_some(at);
        Self { id: Uuid::nil(), rule: rule.to_owned(), kind: "intrusion", tracks: vec![track], opened: at, closed }
    }
}

impl Journal {
    /// What is to be shown at this time.
    pub(super) fn shown(&self, at: Duration) -> impl Iterator<Item = &Shown> {
        self.shown.iter().filter(move |shown| shown.closed.is_none_or(|closed| at < closed.max(shown.opened + SHOWN)))
    }

    fn take(&mut self, step: &Step, origin: Timestamp) {
        let incident = &step.alert.incident;
        let at = step.at.mono;
        self.shown.retain(|shown| shown.closed.is_none_or(|closed| at < closed.max(shown.opened + SHOWN)));
        let tracks = step.alert.objects.iter().map(|object| object.track).collect();
        match incident.phase {
            Phase::Open => {
                let rule = step.alert.rule.id.to_string();
                self.found.push(Found { rule: rule.clone(), at: step.at.wall.duration_since(origin).as_secs_f64() });
                let kind = step.alert.rule.kind.as_str();
                self.shown.push(Shown { id: incident.id, rule, kind, tracks, opened: at, closed: None });
            }
            Phase::Update => {
                for shown in self.shown.iter_mut().filter(|shown| shown.id == incident.id) {
                    shown.tracks.clone_from(&tracks);
                }
            }
            Phase::Close => {
                for shown in self.shown.iter_mut().filter(|shown| shown.id == incident.id) {
                    shown.closed = Some(at);
                }
            }
        }
    }
}

/// Writes the journal of one recording as one camera.
pub(super) struct Writer {
    journal: Rc<RefCell<Journal>>,
    alerts: Alerts,
    path: BoxPath,
    recording: String,
    origin: Timestamp,
    sequence: u64,
    ids: Ids,
}

impl Writer {
    /// `recording` is its name, `path` the box's, `origin` when the recording begins.
    pub(super) fn new(
        journal: &Rc<RefCell<Journal>>,
        alerts: Alerts,
        path: &BoxPath,
        camera: &str,
        recording: &str,
        origin: Timestamp,
    ) -> Self {
        let ids = Ids::new(recording, camera);
        let (journal, path, recording) = (Rc::clone(journal), path.clone(), recording.to_owned());
        Self { journal, alerts, path, recording, origin, sequence: 0, ids }
    }

    fn write(&mut self, step: &Step) -> io::Result<()> {
        // What a live box would call the time of its disk is here the time of the picture:
        // it must not differ between two runs.
        let (at, alert) = (step.at.wall, step.alert.clone());
        let id = self.ids.next(at);
        let event = AlertEvent::alert(id, self.path.to_string(), at, at, self.sequence, alert);
        let json = event.to_json().map_err(io::Error::other)?;
        let mut out = io::stdout().lock();
        if self.alerts == Alerts::Named {
            // An extension attribute of CloudEvents.
            let name = serde_json::to_string(&self.recording)?;
            write!(out, "{{\"recording\":{name},")?;
            out.write_all(json.strip_prefix(b"{").unwrap_or(&json))?;
        } else {
            out.write_all(&json)?;
        }
        out.write_all(b"\n")
    }
}

impl Sink for Writer {
    fn commit(&mut self, step: &mut Step, _picture: Option<&Planes<'_>>) -> bool {
        self.sequence += 1;
        if step.alert.incident.phase == Phase::Open {
            // Its later steps take it over.
            step.alert.incident.id = self.ids.next(step.at.wall);
        }
        let written = if self.alerts == Alerts::Off { Ok(()) } else { self.write(step) };
        let mut journal = self.journal.borrow_mut();
        if let Err(error) = written {
            journal.failed.get_or_insert(error);
        }
        journal.take(step, self.origin);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_at_once_is_shown_for_a_moment() {
        let at = Duration::from_secs;
        let shown = vec![Shown::opened("a", 1, at(3), true), Shown::opened("b", 2, at(3), false)];
        let journal = Journal { shown, ..Journal::default() };
        let count = |seconds| journal.shown(at(seconds)).count();
        assert_eq!((count(3), count(4), count(5), count(500)), (2, 2, 1, 1));
    }
}
