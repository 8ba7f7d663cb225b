use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use gstreamer as gst;
use karaul_wire::FullDecodingCause;

use super::{
    Counters, Fault, Frame, StreamError, StreamSettings, challenge, deadline, decoder,
    fault::Said,
    mailbox::{Fresh, Mailbox, Post, Seen},
    offer::Offer,
    pipeline::{self, Surroundings},
    reach,
};
use crate::clock::{Clock, Stamp};

/// Asking once more why a connection failed may take this long.
const REASON_LIMIT: Duration = Duration::from_secs(3);

/// A jump of the time stamps this long before the last picture still counts as the reason that no more came.
const JUMP: Duration = Duration::from_secs(1);

/// One connection to one camera. Lives once: after an error, open another.
pub struct Stream {
    settings: StreamSettings,
    clock: Arc<dyn Clock>,
    pipeline: gst::Pipeline,
    mailbox: Arc<Mailbox>,
    offer: Arc<Offer>,
    attentive: Arc<AtomicBool>,
    opened: Instant,
    last: Option<Duration>,
}

impl Stream {
    /// Begins to connect. Whether that succeeds, [`next`](Self::next) tells.
    ///
    /// # Errors
    ///
    /// The pipeline cannot be built or does not start.
    pub fn open(
        settings: &StreamSettings,
        clock: Arc<dyn Clock>,
        counters: Arc<Counters>,
    ) -> Result<Self, StreamError> {
        let at = |fault: Fault| fault.at(&settings.url);
        decoder::try_out(settings.decoder);
        let (mailbox, attentive) = (Mailbox::new(counters, settings.period), Arc::<AtomicBool>::default());
        let around = Surroundings {
            mailbox: Arc::clone(&mailbox),
            clock: Arc::clone(&clock),
            attentive: Arc::clone(&attentive),
        };
        let (pipeline, offer) = pipeline::live(settings, &around).map_err(at)?;
        let (settings, opened) = (settings.clone(), Instant::now());
        // From here on dropping the stream ends the pipeline.
        let stream = Self { settings, clock, pipeline, mailbox, offer, attentive, opened, last: None };
        deadline::play(&stream.pipeline).map_err(at)?;
        Ok(stream)
    }

    /// The newest picture; waits at most `limit` for it. `None` when none came and
    /// that is no reason for alarm yet.
    ///
    /// # Errors
    ///
    /// The stream is over, and why.
    pub fn next(&mut self, limit: Duration) -> Result<Option<Frame>, StreamError> {
        let result = match self.mailbox.fetch(limit) {
            Post::Picture(Fresh { sample, at, glimpse }) => {
                let stamp = self.stamp(at, glimpse);
                Frame::new(&sample, stamp).map(|frame| Some(frame.glimpsed(glimpse)))
            }
            Post::Over(Said::Fault(Fault::Unauthorised { login: true })) => {
                let algorithm = challenge::unknown_digest(&self.settings.url, REASON_LIMIT);
                Err(algorithm.map_or(Fault::Unauthorised { login: true }, |algorithm| Fault::Digest { algorithm }))
            }
            Post::Over(Said::Fault(fault)) => Err(fault),
            Post::Over(Said::NotConnected) => {
                Err(reach::why_not(&self.settings.url, self.settings.ca_file.as_deref(), REASON_LIMIT))
            }
            Post::Nothing(seen) => match overdue(&self.settings, self.opened, seen, Instant::now()) {
                Some(fault) => Err(self.offer.fault().unwrap_or_else(|| self.explained(fault))),
                None => Ok(None),
            },
        };
        result.map_err(|fault| fault.at(&self.settings.url))
    }

    fn explained(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Undecodable { limit, .. } => Fault::Undecodable { limit, complaint: self.mailbox.complaint() },
            fault => fault,
        }
    }

    /// What is missing, of a stream whose first picture is late.
    pub(super) fn lacks(&self) -> Fault {
        let limit = self.settings.picture_limit;
        self.explained(if self.mailbox.seen().packets.is_some() {
            Fault::Undecodable { limit, complaint: None }
        } else {
            Fault::TimedOut { limit }
        })
    }

    /// The hardware decoder in use.
    pub(super) fn hardware(&self) -> Option<&'static str> {
        self.offer.hardware()
    }

    /// Why every picture is decoded though the config asks for decoding on demand; `None` until that is known.
    pub(super) fn full_decoding(&self) -> Option<Option<FullDecodingCause>> {
        self.mailbox.decodes_fully()
    }

    /// Pictures come, which are for the ring alone.
    pub(super) fn receives(&self) -> bool {
        self.settings.receive_only && self.mailbox.seen().last_picture.is_some()
    }

    /// For how long it has been open.
    pub(super) fn age(&self) -> Duration {
        self.opened.elapsed()
    }

    /// Tells whether every picture is wanted, or glimpses will do; with [`Decoding::OnDemand`](crate::config::Decoding).
    pub(super) fn attend(&self, attentive: bool) {
        self.attentive.store(attentive, Relaxed);
    }

    /// The stamp of a picture that arrived then.
    fn stamp(&mut self, arrived: Duration, glimpse: bool) -> Stamp {
        let now = self.clock.now();
        let stamp = placed(now, now.mono.saturating_sub(arrived), self.last);
        // What came before a glimpse may still follow.
        if !glimpse {
            self.last = Some(stamp.mono);
        }
        stamp
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.mailbox.close();
        deadline::end(&self.pipeline, &self.settings.camera);
    }
}

/// A stamp `age` before `now`, but after `last`: time stamps of cameras jump, ours do not run backwards.
fn placed(now: Stamp, age: Duration, last: Option<Duration>) -> Stamp {
    let earliest = last.map_or(Duration::ZERO, |last| last + Duration::from_micros(1));
    let mono = now.mono.saturating_sub(age).max(earliest);
    let wall =
        if mono <= now.mono { now.wall.checked_sub(now.mono - mono) } else { now.wall.checked_add(mono - now.mono) };
    Stamp { mono, wall: wall.unwrap_or(now.wall) }
}

/// The watchdog: is something late that should have come by `now`?
fn overdue(settings: &StreamSettings, opened: Instant, seen: Seen, now: Instant) -> Option<Fault> {
    let since = |then: Instant| now.saturating_duration_since(then);
    let Some((first_packet, last_packet)) = seen.packets else {
        let limit = settings.connect_limit;
        return (since(opened) > limit).then_some(Fault::TimedOut { limit });
    };
    let limit = match seen.last_picture {
        Some(last) if since(last) <= settings.picture_limit => return None,
        Some(_) => settings.picture_limit,
        // Before the first picture the next keyframe has to come, and cameras may be slow with that.
        None => {
            let limit = settings.picture_limit.max(settings.connect_limit);
            if since(first_packet) <= limit && since(last_packet) <= settings.picture_limit {
                return None;
            }
            limit
        }
    };
    if seen.jumped.is_some_and(|jumped| since(jumped) <= limit + JUMP) {
        Some(Fault::ClockJumped)
    } else if since(last_packet) > settings.picture_limit / 2 {
        Some(Fault::Stalled { limit: settings.picture_limit })
    } else {
        Some(Fault::Undecodable { limit, complaint: None })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::config::{CameraUrl, Decoder, Decoding, Transport};

    fn settings() -> StreamSettings {
        StreamSettings {
            camera: "gate".to_owned(),
            url: CameraUrl {
                tls: false,
                host: "192.0.2.11".to_owned(),
                port: 554.try_into().unwrap(),
                path: "/s".to_owned(),
            },
            ca_file: None,
            login: None,
            transport: Transport::Tcp,
            decoder: Decoder::Software,
            decoding: Decoding::Full,
            look_every: Duration::from_secs(2),
            period: Duration::from_millis(200),
            connect_limit: StreamSettings::CONNECT_LIMIT,
            picture_limit: StreamSettings::PICTURE_LIMIT,
            ring: None,
            receive_only: false,
        }
    }

    /// The watchdog's verdict `now` seconds after opening; packets and pictures given in seconds too.
    fn verdict(packets: Option<(f64, f64)>, last_picture: Option<f64>, now: f64) -> Option<Fault> {
        let opened = Instant::now();
        let at = |seconds: f64| opened + Duration::from_secs_f64(seconds);
        let seen = Seen {
            packets: packets.map(|(first, last)| (at(first), at(last))),
            last_picture: last_picture.map(at),
            last_decoded: last_picture.map(at),
            owed: true,
            jumped: None,
        };
        overdue(&settings(), opened, seen, at(now))
    }

    #[test]
    fn the_watchdog_knows_what_is_missing() {
        let (four, ten) = (Duration::from_secs(4), Duration::from_secs(10));
        assert_eq!(verdict(None, None, 9.9), None);
        assert_eq!(verdict(None, None, 10.1), Some(Fault::TimedOut { limit: ten }));
        // Packets, but no keyframe yet.
        assert_eq!(verdict(Some((1.0, 10.9)), None, 10.9), None);
        assert_eq!(verdict(Some((1.0, 11.1)), None, 11.1), Some(Fault::Undecodable { limit: ten, complaint: None }));
        // A few packets, then silence.
        assert_eq!(verdict(Some((1.0, 1.5)), None, 5.6), Some(Fault::Stalled { limit: four }));
        // Pictures, then silence; pictures, then garbage.
        assert_eq!(verdict(Some((1.0, 20.0)), Some(20.0), 23.9), None);
        assert_eq!(verdict(Some((1.0, 20.0)), Some(20.0), 24.1), Some(Fault::Stalled { limit: four }));
        assert_eq!(
            verdict(Some((1.0, 24.0)), Some(20.0), 24.1),
            Some(Fault::Undecodable { limit: four, complaint: None })
        );
    }

    #[test]
    fn a_stall_after_a_jump_of_the_time_stamps_is_put_down_to_it() {
        let opened = Instant::now();
        let at = |seconds: f64| opened + Duration::from_secs_f64(seconds);
        let fault = |jumped: f64| {
            let seen = Seen {
                packets: Some((opened, at(24.0))),
                last_picture: Some(at(20.0)),
                last_decoded: Some(at(20.0)),
                owed: true,
                jumped: Some(at(jumped)),
            };
            overdue(&settings(), opened, seen, at(24.1))
        };
        assert_eq!((fault(19.5), fault(23.0)), (Some(Fault::ClockJumped), Some(Fault::ClockJumped)));
        assert_eq!(fault(15.0), Some(Fault::Undecodable { limit: Duration::from_secs(4), complaint: None }));
    }

    #[test]
    fn stamps_follow_the_pictures_age_and_never_run_backwards() {
        let now = Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_secs(100));
        let at = |ms: u64| Stamp::after(Timestamp::UNIX_EPOCH, Duration::from_millis(ms));
        assert_eq!(placed(now, Duration::from_millis(40), None), at(99_960));
        assert_eq!(placed(now, Duration::from_millis(40), Some(Duration::from_secs(50))), at(99_960));
        let jumped = placed(now, Duration::from_secs(3), Some(Duration::from_secs(99)));
        assert_eq!(jumped.mono, Duration::from_secs(99) + Duration::from_micros(1));
        assert_eq!(jumped.wall, Stamp::after(Timestamp::UNIX_EPOCH, jumped.mono).wall);
        // A clock that stands still.
        assert!(placed(now, Duration::ZERO, Some(now.mono)).mono > now.mono);
    }
}
