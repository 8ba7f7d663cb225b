use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use karaul_wire::{ClockSource, Language};

use super::*;
use crate::{
    config::{
        RuleKind,
        sample::{self, filter},
    },
    decisions::State,
    vision::{Layout, Matrix, Range},
};

/// Somebody is there, or nobody.
struct Presence(Arc<Mutex<bool>>, Vec<Detection>);

impl Detect for Presence {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        self.1.clear();
        if *self.0.lock().unwrap() {
            self.1.push(Detection { class: 0, score: 0.9, bbox: Rect { x: 0.4, y: 0.4, w: 0.1, h: 0.3 } });
        }
        Ok(&self.1)
    }
}

/// Takes steps as long as there is room.
struct Room(Arc<Mutex<bool>>);

impl Sink for Room {
    fn commit(&mut self, _: &mut Step, _: Option<&Planes<'_>>) -> bool {
        *self.0.lock().unwrap()
    }
}

/// What the diary has after somebody came at the first second, and again at the twentieth of a minute's cooldown.
fn states(room: bool) -> Vec<State> {
    let kind = RuleKind::Intrusion {
        zone: sample::zone("all", &[(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]),
        dwell: Duration::ZERO,
    };
    let rule = config::Rule { cooldown: Duration::from_secs(60), filter: filter(), ..sample::rule("any", kind) };
    let camera = config::Camera { detections_per_second: 5.0, ..sample::camera("gate", vec![rule]) };
    let (there, records) = (Arc::new(Mutex::new(false)), Arc::new(Mutex::new(Vec::new())));
    let desk = Desk::new(&camera, &[Language::En], "cpu", ClockSource::Box, None);
    let written = Arc::clone(&records);
    let sink = Room(Arc::new(Mutex::new(room)));
    let mut watch = Watch::new(&camera, Presence(Arc::clone(&there), Vec::new()), desk, sink)
        .with_notes(&camera, move |record: Record| written.lock().unwrap().push(record));
    let grey = [128; 16 * 16 * 3];
    let layout = Layout::Rgb { rgb: &grey, stride: 16 * 3 };
    let picture = Planes { width: 16, height: 16, layout, range: Range::Full, matrix: Matrix::Bt601 };
    for n in 0..150_u32 {
        let second = n / 5;
        *there.lock().unwrap() = matches!(second, 1..3 | 20..22);
        let at = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_millis(200) * n);
        watch.picture(at, &picture).unwrap();
        watch.tend_incidents(at);
    }
    watch.end_all(Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs(30)), CloseReason::Stopped);
    let mut states: Vec<State> = records.lock().unwrap().iter().map(|record| record.state).collect();
    states.retain(|state| !matches!(state, State::Looked | State::Short(_)));
    // Those of one look are in no order that matters.
    states.sort_unstable();
    states
}

#[test]
fn what_becomes_of_a_rule_that_fires_is_written_down() {
    assert_eq!(states(true), [State::Fired, State::Fired, State::Alerted, State::Cooldown]);
    let refused = states(false);
    assert!(refused.contains(&State::NoRoom) && !refused.contains(&State::Alerted), "{refused:?}");
}
