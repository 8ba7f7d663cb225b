//! Keeps one camera's stream alive. The only place with retry.

use std::{sync::Arc, time::Duration};

use karaul_wire::{BlindCause, FullDecoding, FullDecodingCause};

use super::{Counters, Fault, Frame, Retry, Stream, StreamError, StreamSettings, bearable, demand::remedy, reach};
use crate::{clock::Clock, config::Decoder, stop::Stop};

/// Between two looks at the wish to stop, and two ticks.
const LOOK: Duration = Duration::from_millis(200);

/// A camera that cannot be reached is asked for its port only, which costs next to nothing, and gets a stream when it
/// answers.
const PROBE_LIMIT: Duration = Duration::from_millis(1500);
const PROBE_PAUSE: Duration = Duration::from_millis(500);

/// After so many a stream is tried all the same: what a probe cannot do in its short time, as with a slow name server, a
/// stream may.
const PROBES: usize = 20;

/// A camera that was quick once may be busy now.
const SHORTEST_PATIENCE: Duration = Duration::from_secs(2);

/// Between an attempt that has taken its time already and the next one.
const BREATH: Duration = Duration::from_millis(200);

/// Is told what one camera sees. All calls come from the thread of [`run`]; while one lasts, newer
/// pictures replace each other.
pub trait Observer {
    /// A new picture.
    fn frame(&mut self, frame: &Frame);
    /// Pictures come (again). Called before the first of them.
    fn seeing(&mut self);
    /// Pictures don't come (any more), and why: one sentence with address and remedy, without
    /// secrets. Called once, and again only when the reason changes.
    fn blind(&mut self, cause: BlindCause, detail: &str);
    /// Wants to see every picture, because something is there to be seen. Asked after each picture, for cameras that
    /// are decoded on demand.
    fn is_attentive(&self) -> bool {
        true
    }
    /// Every picture is decoded though the config asks for decoding on demand; `None` when that is over.
    fn full_decoding(&mut self, _full: Option<FullDecoding>) {}
    /// Nothing new; called several times a second while no pictures come, so that other work is not left
    /// undone. Opening and ending a stream may make it late by some seconds.
    fn tick(&mut self) {}
}

/// Watches one camera until told to stop, or until the process cannot go on, which [`bearable`] tells. Run it in
/// a thread of its own.
///
/// `seed` decides the jitter of the retries; cameras should not share one.
pub fn run(
    settings: &StreamSettings,
    clock: &Arc<dyn Clock>,
    counters: &Arc<Counters>,
    stop: &Stop,
    seed: u64,
    observer: &mut dyn Observer,
) {
    let camera = settings.camera.as_str();
    let (mut settings, longest) = (settings.clone(), settings.connect_limit);
    let mut retry = Retry::new(seed);
    let mut sight = Sight::default();
    let mut full_decoding = None;
    let (mut usual, mut failures) = (None, 0);
    while !stop.is_stopped() {
        let mut first_picture = None;
        settings.connect_limit = patience(usual, failures, longest);
        let begun = clock.now().mono;
        let Err((error, stream)) = run_once(&settings, clock, counters, stop, |stream, frame| {
            let seen = frame.is_some() || stream.receives();
            if seen {
                if sight.sees() {
                    let what = if settings.receive_only { "receiving" } else { "seeing" };
                    tracing::info!(camera, "{}: {what}", settings.url);
                    observer.seeing();
                }
                first_picture.get_or_insert_with(|| {
                    (usual, failures) = (Some(stream.age()), 0);
                    clock.now().mono
                });
            }
            let Some(frame) = frame else {
                if !seen && stream.age() > settings.picture_limit {
                    sight.nothing_yet(&settings, stream, observer);
                }
                observer.tick();
                return observer.is_attentive();
            };
            observer.frame(frame);
            if let Some(cause) = stream.full_decoding()
                && std::mem::replace(&mut full_decoding, cause) != cause
            {
                tell(camera, cause, observer);
            }
            observer.is_attentive()
        }) else {
            return;
        };
        Counters::count(&counters.reconnects);
        failures += 1;
        sight.tell_blind(camera, &error, observer);
        let hardware = stream.as_ref().and_then(|stream| stream.hardware());
        // After it was told: a pipeline that hangs takes its time to end.
        drop(stream);
        let seeing = first_picture.map_or(Duration::ZERO, |first| clock.now().mono.saturating_sub(first));
        let mut pause = retry.pause(&error.fault, seeing);
        if first_picture.is_none() && error.fault.cause() != BlindCause::Unauthorised {
            // An attempt that took its time was as good as a pause.
            pause = pause.saturating_sub(clock.now().mono.saturating_sub(begun)).max(BREATH);
        }
        if let Some(hardware) = hardware
            && hardware_fails(settings.decoder, first_picture.is_some(), &error.fault)
        {
            tracing::warn!(camera, "{}: {hardware} gave no picture; decoded in software from now on", settings.url);
            settings.decoder = Decoder::Software;
        }
        tracing::debug!(camera, ?pause, "{error}");
        if let Err(error) = bearable() {
            tracing::error!(camera, "{error}");
            return;
        }
        rest(pause, clock, stop, observer);
        if !error.fault.is_unreachable() {
            continue;
        }
        for _ in 0..PROBES {
            if stop.is_stopped() {
                return;
            }
            let error = reach::why_not(&settings.url, settings.ca_file.as_deref(), PROBE_LIMIT).at(&settings.url);
            if !error.fault.is_unreachable() {
                break;
            }
            sight.tell_blind(camera, &error, observer);
            rest(PROBE_PAUSE, clock, stop, observer);
        }
    }
}

/// Waits, with ticks, unless told to stop.
fn rest(pause: Duration, clock: &Arc<dyn Clock>, stop: &Stop, observer: &mut dyn Observer) {
    let until = clock.now().mono + pause;
    loop {
        observer.tick();
        let left = until.saturating_sub(clock.now().mono);
        if stop.wait(left.min(LOOK)) || left <= LOOK {
            return;
        }
    }
}

/// How long a camera may take for its first packet and picture. One that is known is as quick as before, or hangs; now
/// and then it gets more time, and more rarely the longest, for it may be starting. `usual` is what it took last.
fn patience(usual: Option<Duration>, failures: u32, longest: Duration) -> Duration {
    let Some(usual) = usual.filter(|_| failures % 32 != 31) else { return longest };
    // In whole seconds, because it is told.
    let short = Duration::from_secs_f64((3.0 * usual.as_secs_f64()).ceil()).max(SHORTEST_PATIENCE);
    if failures % 8 == 7 { 2 * short } else { short }.min(longest)
}

/// Is a stream without a picture the hardware decoder's fault? It passed its trial, but that says nothing of this
/// camera's size and profile, or of how many streams it takes at a time. Who asked for hardware gets nothing else.
fn hardware_fails(wish: Decoder, pictures: bool, fault: &Fault) -> bool {
    wish == Decoder::Auto && !pictures && matches!(fault, Fault::Decoder { .. } | Fault::Undecodable { .. })
}

/// One stream, from opening to its end; `picture` is called with each, and with `None` when none came for a
/// while, and says whether every picture is wanted. `Ok` only when told to stop; otherwise why it ended, and the stream, if
/// there is one, still to be taken down.
fn run_once(
    settings: &StreamSettings,
    clock: &Arc<dyn Clock>,
    counters: &Arc<Counters>,
    stop: &Stop,
    mut picture: impl FnMut(&Stream, Option<&Frame>) -> bool,
) -> Result<(), (StreamError, Option<Box<Stream>>)> {
    let mut stream = Stream::open(settings, Arc::clone(clock), Arc::clone(counters)).map_err(|error| (error, None))?;
    while !stop.is_stopped() {
        match stream.next(LOOK) {
            Ok(frame) => stream.attend(picture(&stream, frame.as_ref())),
            Err(error) => return Err((error, Some(Box::new(stream)))),
        }
    }
    Ok(())
}

/// Says that decoding on demand does not come to anything, or does again.
fn tell(camera: &str, cause: Option<FullDecodingCause>, observer: &mut dyn Observer) {
    match cause {
        Some(cause) => tracing::warn!(camera, "{}", remedy(cause)),
        None => tracing::info!(camera, "decoded on demand again"),
    }
    observer.full_decoding(cause.map(|cause| FullDecoding { cause, detail: remedy(cause).to_owned() }));
}

/// What was said last, so that only changes are told.
#[derive(Debug, Default, PartialEq)]
enum Sight {
    #[default]
    Unknown,
    Seeing,
    Blind(StreamError),
}

impl Sight {
    /// A picture came; true if that is news.
    fn sees(&mut self) -> bool {
        std::mem::replace(self, Self::Seeing) != Self::Seeing
    }

    /// The stream ended; true if that, or the reason, is news.
    fn blinded(&mut self, error: &StreamError) -> bool {
        // How long was waited is no news.
        let waited = |error: &StreamError| error.fault.cause() == BlindCause::TimedOut;
        let news = !matches!(self, Self::Blind(before) if before == error || waited(before) && waited(error));
        *self = Self::Blind(error.clone());
        news
    }

    /// The first picture is late. That is said before the attempt is given up: some cameras take their time.
    fn nothing_yet(&mut self, settings: &StreamSettings, stream: &Stream, observer: &mut dyn Observer) {
        if *self == Self::Unknown {
            self.tell_blind(&settings.camera, &stream.lacks().at(&settings.url), observer);
        }
    }

    /// Tells why pictures do not come, if that is news.
    fn tell_blind(&mut self, camera: &str, error: &StreamError, observer: &mut dyn Observer) {
        if self.blinded(error) {
            tracing::warn!(camera, "{error}");
            observer.blind(error.fault.cause(), &error.to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::CameraUrl;

    fn error(fault: Fault) -> StreamError {
        fault.at(&CameraUrl {
            tls: false,
            host: "192.0.2.11".to_owned(),
            port: 554.try_into().unwrap(),
            path: "/s".to_owned(),
        })
    }

    #[test]
    fn hardware_that_decodes_nothing_is_given_up_where_that_is_allowed() {
        let decoder = Fault::Decoder { detail: "profile not supported".to_owned() };
        let nothing = Fault::Undecodable { limit: Duration::from_secs(10), complaint: None };
        assert!(hardware_fails(Decoder::Auto, false, &decoder));
        assert!(hardware_fails(Decoder::Auto, false, &nothing));
        // It has decoded this stream before: the fault is another one.
        assert!(!hardware_fails(Decoder::Auto, true, &decoder));
        assert!(!hardware_fails(Decoder::Auto, false, &Fault::Ended));
        assert!(!hardware_fails(Decoder::Hardware, false, &decoder));
        assert!(!hardware_fails(Decoder::Software, false, &decoder));
    }

    #[test]
    fn a_camera_that_is_known_gets_less_time_but_not_always() {
        let (second, all) = (Duration::from_secs(1), Duration::from_secs(10));
        assert_eq!((patience(None, 0, all), patience(Some(7 * second), 1, all)), (all, all));
        assert_eq!(patience(Some(second), 1, second), second, "never more than is allowed");
        let after = |failures| patience(Some(second / 2), failures, all);
        assert_eq!([0, 6, 7, 8, 15, 30, 31, 32].map(after), [2, 2, 4, 2, 4, 2, 10, 2].map(|limit| limit * second));
        assert_eq!(patience(Some(1_033 * second / 1000), 1, all), 4 * second);
    }

    #[test]
    fn only_changes_are_news() {
        let mut sight = Sight::default();
        assert!(sight.blinded(&error(Fault::Refused)));
        assert!(!sight.blinded(&error(Fault::Refused)));
        assert!(sight.blinded(&error(Fault::NotFound)));
        assert!(sight.sees());
        assert!(!sight.sees());
        assert!(sight.blinded(&error(Fault::NotFound)));
        assert!(sight.blinded(&error(Fault::TimedOut { limit: LOOK })));
        assert!(!sight.blinded(&error(Fault::TimedOut { limit: 2 * LOOK })));
    }
}
