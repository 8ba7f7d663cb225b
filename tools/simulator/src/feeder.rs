//! Gives a media its pictures, each when it is due.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use gstreamer::{self as gst, prelude::*};
use gstreamer_app::AppSrc;
use karaul_scene::I420Frame;

use crate::{
    Mount, SimulatorError,
    packets::Packets,
    source::{self, due},
    timecode,
};

/// Naps are no longer than this, so that the end is noticed.
const NAP: Duration = Duration::from_millis(100);

/// A picture that is later than this is not caught up with: the schedule moves instead, as in a camera
/// whose processor is busy.
const LATE: Duration = Duration::from_millis(500);

/// What a media is fed with.
pub(crate) enum Feed {
    /// Pictures, to be encoded.
    Pictures(Mount),
    /// Packets as they are in a file, once or again and again.
    Packets { packets: Arc<Packets>, once: bool },
}

/// Feeds `target` in a thread of its own until `end` is set or the media refuses more.
pub(crate) fn start(feed: Feed, target: AppSrc, end: Arc<AtomicBool>) {
    let thread = thread::Builder::new().name("feeder".to_owned()).spawn(move || {
        let result = Pace::begin(&target, &end).map_or(Ok(()), |mut pace| match feed {
            Feed::Pictures(mount) => pictures(&mount, &target, &mut pace),
            Feed::Packets { packets, once } => {
                self::packets(&packets, once, &target, &mut pace);
                Ok(())
            }
        });
        if let Err(error) = result {
            eprintln!("{error}");
        }
        // Refused by a media that is gone already.
        let _ = target.end_of_stream();
    });
    if let Err(error) = thread {
        eprintln!("cannot start a thread: {error}");
    }
}

fn pictures(mount: &Mount, target: &AppSrc, pace: &mut Pace) -> Result<(), SimulatorError> {
    let mut source = source::open(mount)?;
    let rate = source.rate();
    let length = clock_time(due(1, rate));
    let mut picture = I420Frame::default();
    for index in 0.. {
        source.next(&mut picture)?;
        let Some(at) = pace.wait(due(index, rate)) else { break };
        let mut shown = picture.clone();
        if mount.timecode {
            timecode::burn(&mut shown, SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default());
        }
        let mut buffer = gst::Buffer::from_slice(shown.data);
        if let Some(buffer) = buffer.get_mut() {
            buffer.set_pts(clock_time(at));
            buffer.set_duration(length);
        }
        if target.push_buffer(buffer).is_err() {
            break;
        }
    }
    Ok(())
}

fn packets(packets: &Packets, once: bool, target: &AppSrc, pace: &mut Pace) {
    let passes = if once { 1 } else { u32::MAX };
    for pass in 0..passes {
        let begin = packets.length * pass;
        for packet in &packets.list {
            let Some(at) = pace.wait(begin + packet.decode) else { return };
            let mut buffer = packet.buffer.copy();
            if let Some(buffer) = buffer.get_mut() {
                buffer.set_dts(clock_time(at));
                buffer.set_pts(clock_time(at + packet.present.saturating_sub(packet.decode)));
            }
            if target.push_buffer(buffer).is_err() {
                return;
            }
        }
    }
    // Nothing can stand still that is not encoded: the connection stays, and is silent.
    while pace.nap(NAP) {}
}

fn clock_time(time: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(time).unwrap_or(gst::ClockTime::MAX)
}

/// Turns the schedule of a source into the running time of a media.
struct Pace {
    end: Arc<AtomicBool>,
    /// When the source's time began.
    begin: Instant,
    /// Running time of the media at that moment.
    offset: Duration,
}

impl Pace {
    /// Waits until the media runs; `None` if it ends before.
    fn begin(target: &AppSrc, end: &Arc<AtomicBool>) -> Option<Self> {
        loop {
            // Before that a pipeline hands out its clock without its base time: running time would then
            // count from when this machine was started, and the first picture be due hours ahead.
            let running = target.current_state() == gst::State::Playing;
            if let Some(offset) = target.current_running_time().filter(|_| running) {
                return Some(Self { end: Arc::clone(end), begin: Instant::now(), offset: offset.into() });
            }
            if end.load(Ordering::Relaxed) {
                return None;
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until `due` of the source's time; the media's running time then, or `None` at the end.
    fn wait(&mut self, due: Duration) -> Option<Duration> {
        loop {
            let present = self.begin.elapsed();
            if present >= due + LATE {
                let late = present - due;
                self.begin += late;
                self.offset += late;
            } else if present >= due {
                return (!self.end.load(Ordering::Relaxed)).then(|| self.offset + due);
            } else if !self.nap(due - present) {
                return None;
            }
        }
    }

    /// Sleeps a little; false at the end.
    fn nap(&self, limit: Duration) -> bool {
        thread::sleep(limit.min(NAP));
        !self.end.load(Ordering::Relaxed)
    }
}
