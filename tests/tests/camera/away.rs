//! Cameras that go away, hang, or never come.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use karaul::{
    camera::{self, Frame, Observer, keeper},
    clock::{Clock, SystemClock},
    stop::Stop,
};
use karaul_tests::Relay;
use karaul_wire::BlindCause;

use crate::watched::{SOON, Told, Watched, closed_port, settings, simulator, simulator_on};

#[test]
fn a_camera_that_was_away_is_seen_again() {
    let first = simulator(&["/a=pattern,size=320x240"]);
    let port = first.port();
    let watched = Watched::new(settings(port, "/a"));
    watched.seeing(SOON);
    drop(first);
    let (cause, _) = watched.blind(SOON);
    assert!(matches!(cause, BlindCause::Ended | BlindCause::Refused), "{cause:?}");
    let before = watched.counters.read().reconnects;
    assert!(before >= 1);
    let _second = simulator_on(port, &["/a=pattern,size=320x240"]);
    watched.seeing(SOON);
}

#[test]
fn a_frozen_camera_is_noticed_and_disturbs_no_other() {
    let simulator = simulator(&["/a=pattern,size=320x240", "/b=pattern,size=320x240"]);
    let relay = Relay::to(simulator.port()).unwrap();
    let frozen = Watched::new(settings(relay.port(), "/a"));
    let other = Watched::new(settings(simulator.port(), "/b"));
    let dead = Watched::new(settings(closed_port(), "/a"));
    frozen.seeing(SOON);
    other.seeing(SOON);
    relay.freeze(true);
    let begun = Instant::now();
    let (cause, detail) = frozen.blind(SOON);
    let noticed = begun.elapsed();
    let sentence = "no picture for 4s; check the network and whether the camera hangs";
    assert_eq!((cause, detail), (BlindCause::Stalled, format!("rtsp://127.0.0.1:{}/a: {sentence}", relay.port())));
    assert!(noticed > Duration::from_secs(3) && noticed < Duration::from_secs(5), "noticed after {noticed:?}");

    let stamps: Vec<Duration> = other
        .told
        .try_iter()
        .filter_map(|told| if let Told::Frame { stamp, .. } = told { Some(stamp.mono) } else { None })
        .collect();
    let gap = stamps.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(stamps.len() > 30 && gap < Duration::from_secs(1), "{} pictures, gap {gap:?}", stamps.len());
    assert!(dead.counters.read().reconnects >= 1);

    relay.freeze(false);
    frozen.seeing(SOON);
}

/// Counts ticks.
struct Ticks(Arc<AtomicU64>);

impl Observer for Ticks {
    fn frame(&mut self, _: &Frame) {}
    fn seeing(&mut self) {}
    fn blind(&mut self, _: BlindCause, _: &str) {}
    fn tick(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn a_camera_without_pictures_leaves_no_other_work_undone() {
    camera::init().unwrap();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (ticks, stop, settings) = (Arc::<AtomicU64>::default(), Stop::new(), settings(nobody, "/yard"));
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let thread = thread::spawn({
        let (ticks, stop) = (Arc::clone(&ticks), stop.clone());
        move || keeper::run(&settings, &clock, &Arc::default(), &stop, 7, &mut Ticks(ticks))
    });
    let end = Instant::now() + Duration::from_secs(20);
    while ticks.load(SeqCst) < 20 {
        assert!(Instant::now() < end, "{ticks:?} ticks in 20 s");
        thread::sleep(Duration::from_millis(20));
    }
    stop.stop();
    thread.join().unwrap();
}
