//! One recording, seen by one watch or by several that differ in their rules.

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Duration};

use jiff::Timestamp;
use karaul_wire::{BoxPath, ClockSource, CloseReason, Language};

use super::{
    Error,
    clips::Clip,
    compare::Found,
    journal::{Alerts, Journal, Writer},
    memory::{Keep, Memory, Remembering},
    render::Render,
};
use crate::{
    camera::{Recording, RecordingError},
    clock::Stamp,
    config::{Camera, Decoding},
    incident::Desk,
    sight::Condition,
    site::{Watch, detector},
    vision::{Detector, Model},
};

/// A watch of a replay.
pub(super) type AnyWatch = Watch<Remembering<Detector>, Writer>;

/// What a recording is replayed with.
pub(super) struct Pass<'a> {
    pub(super) clip: &'a Clip,
    pub(super) model: &'a Arc<Model>,
    pub(super) path: &'a BoxPath,
    pub(super) languages: &'a [Language],
    pub(super) alerts: Alerts,
}

/// What came of it.
pub(super) struct Seen {
    /// What each of the watches opened.
    pub(super) found: Vec<Vec<Found>>,
    /// The first alert could not be written, or the film.
    pub(super) failed: Option<Error>,
    /// The recording is damaged from here on.
    pub(super) damage: Option<RecordingError>,
}

impl Pass<'_> {
    /// Replays the recording as each of these cameras, which differ in their rules only; at least one. What a damaged
    /// recording gave before its damage counts.
    ///
    /// # Errors
    /// If the recording cannot be opened or the model not be run.
    pub(super) fn run(&self, cameras: &[Camera], mut render: Option<&mut Render>) -> Result<Seen, Error> {
        let mut seen = Seen { found: Vec::new(), failed: None, damage: None };
        // On demand, which pictures are decoded depends on what the rules wait for: each watch has its own pass then.
        let on_demand = cameras.iter().any(|camera| camera.decoding == Decoding::OnDemand);
        let (size, keep) = if on_demand { (1, Keep::Recording) } else { (cameras.len().max(1), Keep::Picture) };
        let memory = Memory::new(detector(Arc::clone(self.model)), keep);
        for (n, together) in cameras.chunks(size).enumerate() {
            let journals: Vec<_> = together.iter().map(|_| Rc::<RefCell<Journal>>::default()).collect();
            let mut watches: Vec<AnyWatch> =
                together.iter().zip(&journals).map(|(camera, journal)| self.watch(camera, journal, &memory)).collect();
            self.show(together, &mut watches, &journals, &memory, n == 0, render.as_deref_mut(), &mut seen)?;
            for journal in journals {
                let mut journal = journal.borrow_mut();
                seen.found.push(std::mem::take(&mut journal.found));
                if let Some(error) = journal.failed.take() {
                    seen.failed.get_or_insert(error.into());
                }
            }
        }
        Ok(seen)
    }

    fn watch(
        &self,
        camera: &Camera,
        journal: &Rc<RefCell<Journal>>,
        memory: &Rc<RefCell<Memory<Detector>>>,
    ) -> AnyWatch {
        let provider = self.model.provider().as_str();
        let desk = Desk::new(camera, self.languages, provider, ClockSource::Recording, None);
        let (id, name) = (camera.id.as_str(), &self.clip.name);
        let writer = Writer::new(journal, self.alerts, self.path, id, name, self.origin());
        Watch::new(camera, Remembering::new(memory), desk, writer)
    }

    /// Shows the recording to watches that look at it together. The first of all tells how it goes on.
    #[allow(clippy::too_many_arguments, reason = "they are what one pass is made of")]
    fn show(
        &self,
        cameras: &[Camera],
        watches: &mut [AnyWatch],
        journals: &[Rc<RefCell<Journal>>],
        memory: &Rc<RefCell<Memory<Detector>>>,
        tells: bool,
        mut render: Option<&mut Render>,
        seen: &mut Seen,
    ) -> Result<(), Error> {
        let ([camera, ..], [journal, ..]) = (cameras, journals) else { return Ok(()) };
        let mut recording =
            Recording::open(&self.clip.path, self.origin())?.decoded(camera.decoding, camera.look_every);
        let mut progress = Progress { last: Stamp::after(self.origin(), Duration::ZERO), trouble: None };
        while let Some(frame) = recording.next() {
            let frame = match frame {
                Ok(frame) => frame,
                Err(error) => {
                    seen.damage.get_or_insert(error);
                    continue;
                }
            };
            memory.borrow_mut().turn_to(frame.stamp.mono);
            for watch in watches.iter_mut() {
                if frame.glimpse {
                    watch.glimpse(frame.stamp, &frame.planes())?;
                } else {
                    watch.picture(frame.stamp, &frame.planes())?;
                }
            }
            recording.attend(watches.iter().any(Watch::is_attentive));
            let Some(watch) = watches.first() else { continue };
            let trouble = watch.trouble().map(|(condition, _)| condition);
            if let Some(line) = progress.take(frame.stamp, trouble)
                && tells
            {
                eprintln!("{line}");
            }
            if let Some(render) = render.as_deref_mut()
                && let Err(error) = render.take(frame, watch.tracks(), trouble, &journal.borrow())
            {
                seen.failed.get_or_insert(error.into());
                break;
            }
        }
        for watch in watches.iter_mut() {
            watch.end_all(progress.last, CloseReason::Stopped);
        }
        if let (Some(watch), true) = (watches.first(), tells) {
            let (file, length) = (self.clip.path.display(), progress.last.mono.as_secs_f64());
            eprintln!("{file}: {} pictures looked at, {length:.1} s", watch.looks());
        }
        Ok(())
    }

    fn origin(&self) -> Timestamp {
        self.clip.start.unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// How far the recording has come, and what is wrong with its picture there.
struct Progress {
    /// Of the latest picture. The pictures before a glimpse may follow it.
    last: Stamp,
    trouble: Option<Condition>,
}

impl Progress {
    /// Takes the next picture, or glimpse; a line if something else is wrong from here on.
    fn take(&mut self, at: Stamp, trouble: Option<Condition>) -> Option<String> {
        self.last = self.last.max(at);
        if std::mem::replace(&mut self.trouble, trouble) == trouble {
            return None;
        }
        let words = trouble.map_or_else(|| "seeing".to_owned(), |what| format!("{}: {what}", what.as_str()));
        Some(format!("{:.1} s: {words}", self.last.mono.as_secs_f64()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glimpses_count_and_pictures_that_follow_them_do_not_turn_time_back() {
        let at = |seconds| Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(seconds));
        let mut progress = Progress { last: at(0.0), trouble: None };
        assert_eq!(progress.take(at(2.0), None), None);
        let line = progress.take(at(8.0), Some(Condition::Dark)).unwrap();
        assert_eq!(line, format!("8.0 s: dark: {}", Condition::Dark));
        assert_eq!(progress.take(at(6.5), Some(Condition::Dark)), None);
        assert_eq!((progress.take(at(7.0), None).as_deref(), progress.last), (Some("8.0 s: seeing"), at(8.0)));
    }
}
