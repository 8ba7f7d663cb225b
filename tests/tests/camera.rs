//! One camera over real RTSP: what it sees, and what it says when it does not.
#![allow(clippy::unwrap_used, reason = "tests may")]

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
        mpsc::{self, Receiver, Sender},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use karaul::{
    camera::{self, Counters, Frame, Observer, StreamSettings, keeper},
    clock::{Clock, Stamp, SystemClock},
    config::{CameraUrl, Decoder, Decoding, Transport},
    stop::Stop,
    trust::Secret,
    vision::Layout,
};
use karaul_simulator::{Authentication, Settings, Simulator, timecode};
use karaul_tests::{Relay, data};
use karaul_wire::BlindReason;

/// What an observer was told.
#[derive(Debug)]
enum Told {
    Frame { stamp: Stamp, size: (usize, usize), burned: Option<Duration> },
    Seeing,
    Blind(BlindReason, String),
}

struct Notes {
    told: Sender<Told>,
    /// How long it looks at each picture.
    slow: Duration,
}

impl Observer for Notes {
    fn frame(&mut self, frame: &Frame) {
        let planes = frame.planes();
        let Layout::I420 { y, y_stride, .. } = planes.layout else { panic!("software decoders give I420") };
        let burned = timecode::read(y, planes.width, planes.height, y_stride);
        let size = (planes.width, planes.height);
        let _ = self.told.send(Told::Frame { stamp: frame.stamp, size, burned });
        thread::sleep(self.slow);
    }

    fn seeing(&mut self) {
        let _ = self.told.send(Told::Seeing);
    }

    fn blind(&mut self, reason: BlindReason, detail: &str) {
        let _ = self.told.send(Told::Blind(reason, detail.to_owned()));
    }
}

/// A camera that is being watched, until dropped.
struct Watched {
    told: Receiver<Told>,
    counters: Arc<Counters>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    fn new(settings: StreamSettings) -> Self {
        Self::slowly(settings, Duration::ZERO)
    }

    fn slowly(settings: StreamSettings, slow: Duration) -> Self {
        camera::init().unwrap();
        let (sender, told) = mpsc::channel();
        let (counters, stop) = (Arc::<Counters>::default(), Stop::new());
        let thread = thread::spawn({
            let (counters, stop) = (Arc::clone(&counters), stop.clone());
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            move || keeper::run(&settings, &clock, &counters, &stop, 7, &mut Notes { told: sender, slow })
        });
        Self { told, counters, stop, thread: Some(thread) }
    }

    /// The first thing told, within `limit`, that `wanted` takes; what comes before it is left aside.
    fn wait<T>(&self, limit: Duration, wanted: impl Fn(Told) -> Option<T>) -> T {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let told = self.told.recv_timeout(left).unwrap_or_else(|_| panic!("nothing of the kind in {limit:?}"));
            if let Some(found) = wanted(told) {
                return found;
            }
        }
    }

    fn seeing(&self, limit: Duration) {
        self.wait(limit, |told| matches!(told, Told::Seeing).then_some(()));
    }

    fn blind(&self, limit: Duration) -> (BlindReason, String) {
        self.wait(limit, |told| if let Told::Blind(reason, detail) = told { Some((reason, detail)) } else { None })
    }

    fn frames(&self, count: usize) -> Vec<(Stamp, (usize, usize), Option<Duration>)> {
        let frame = |told| match told {
            Told::Frame { stamp, size, burned } => Some((stamp, size, burned)),
            Told::Seeing => None,
            Told::Blind(reason, detail) => panic!("{reason:?}: {detail}"),
        };
        (0..count).map(|_| self.wait(SOON, frame)).collect()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.stop();
        self.thread.take().unwrap().join().unwrap();
    }
}

/// Enough for anything that is not meant to take long, on a busy machine.
const SOON: Duration = Duration::from_secs(15);

fn settings(port: u16, path: &str) -> StreamSettings {
    StreamSettings {
        camera: "gate".to_owned(),
        url: CameraUrl { host: "127.0.0.1".to_owned(), port: port.try_into().unwrap(), path: path.to_owned() },
        login: None,
        transport: Transport::Tcp,
        decoder: Decoder::Auto,
        decoding: Decoding::Full,
        look_every: Duration::from_secs(2),
        period: Duration::from_millis(200),
        connect_limit: StreamSettings::CONNECT_LIMIT,
        picture_limit: StreamSettings::PICTURE_LIMIT,
    }
}

fn login(mut settings: StreamSettings, password: &str) -> StreamSettings {
    settings.login = Some(("viewer".to_owned(), Secret::new(password.to_owned())));
    settings
}

fn simulator(mounts: &[&str]) -> Simulator {
    simulator_on(0, mounts)
}

fn simulator_on(port: u16, mounts: &[&str]) -> Simulator {
    let mounts = mounts.iter().map(|mount| mount.parse().unwrap()).collect();
    Simulator::start(&Settings { port, mounts, ..Settings::default() }).unwrap()
}

/// One closed port of this machine.
fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn pictures_come_with_their_time() {
    let simulator = simulator(&["/a=pattern,fps=25,timecode", "/b=pattern,size=320x240,codec=h265,timecode"]);
    let (tcp, udp) = (Transport::Tcp, Transport::Udp);
    for (path, size, transport) in [("/a", (640, 360), tcp), ("/b", (320, 240), tcp), ("/a", (640, 360), udp)] {
        let watched = Watched::new(StreamSettings { transport, ..settings(simulator.port(), path) });
        watched.seeing(SOON);
        let frames = watched.frames(30);
        assert!(frames.iter().all(|frame| frame.1 == size));
        assert!(frames.is_sorted_by(|a, b| a.0.mono < b.0.mono));
        // The first ones wait for the decoder; after that a stamp is within a moment of the burned-in time:
        // earlier by as much as the jitter buffer corrects, later by what the way takes.
        for (stamp, _, burned) in &frames[15..] {
            let late = stamp.wall.as_millisecond() - burned.unwrap().as_millis() as i64;
            assert!((-200..300).contains(&late), "{path} {transport:?}: {late} ms");
        }
        assert!(watched.counters.read().decoded >= 30);
    }
}

#[test]
fn both_kinds_of_login_work() {
    for authentication in [Authentication::Basic, Authentication::Digest] {
        let simulator = Simulator::start(&Settings {
            login: Some(("viewer".to_owned(), "swordfish".to_owned())),
            authentication,
            mounts: vec!["/a=pattern,size=320x240".parse().unwrap()],
            ..Settings::default()
        })
        .unwrap();
        Watched::new(login(settings(simulator.port(), "/a"), "swordfish")).seeing(SOON);
    }
}

#[test]
fn wrong_credentials_are_said_and_not_tried_again_soon() {
    let simulator = Simulator::start(&Settings {
        login: Some(("viewer".to_owned(), "swordfish".to_owned())),
        mounts: vec!["/a=pattern,size=320x240".parse().unwrap()],
        ..Settings::default()
    })
    .unwrap();
    let relay = Relay::to(simulator.port()).unwrap();
    let address = format!("rtsp://127.0.0.1:{}/a", relay.port());

    let watched = Watched::new(login(settings(relay.port(), "/a"), "guess"));
    let (reason, detail) = watched.blind(SOON);
    assert_eq!(reason, BlindReason::Offline);
    assert_eq!(
        detail,
        format!(
            "{address}: the camera refused the login: correct \"username\" and \"password\"; tried again only rarely, \
             because cameras lock an account after some wrong logins"
        )
    );
    let tries = relay.accepted();
    assert!(watched.told.recv_timeout(Duration::from_secs(3)).is_err());
    assert_eq!((relay.accepted(), watched.counters.read().reconnects), (tries, 1));

    let (_, detail) = Watched::new(settings(relay.port(), "/a")).blind(SOON);
    assert!(
        detail.starts_with(&format!("{address}: the camera wants a login: set \"username\" and \"password\"")),
        "{detail}"
    );
}

#[test]
fn a_wrong_address_is_said_in_one_sentence() {
    let simulator = simulator(&["/a=pattern,size=320x240"]);
    let (port, closed) = (simulator.port(), closed_port());
    let mut unknown = settings(port, "/a");
    unknown.url.host = "camera.invalid".to_owned();
    for (settings, expected) in [
        (
            settings(closed, "/a"),
            format!(
                "rtsp://127.0.0.1:{closed}/a: connection refused; check that the camera is running and that the port in \
                 \"url\" is its RTSP port"
            ),
        ),
        (
            settings(port, "/stream2"),
            format!("rtsp://127.0.0.1:{port}/stream2: the camera has no such stream (404); check the path in \"url\""),
        ),
        (
            unknown,
            format!(
                "rtsp://camera.invalid:{port}/a: the host name is not known; check the address in \"url\" and the name \
                 server of this box"
            ),
        ),
    ] {
        assert_eq!(Watched::new(settings).blind(SOON), (BlindReason::Offline, expected));
    }
}

#[test]
fn a_codec_that_we_do_not_decode_is_named() {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n\
               a=control:v\r\nm=audio 0 RTP/AVP 8\r\na=control:a\r\n";
    let port = scripted_camera(sdp);
    let (_, detail) = Watched::new(settings(port, "/a")).blind(SOON);
    assert_eq!(
        detail,
        format!(
            "rtsp://127.0.0.1:{port}/a: the camera offers only video VP8, audio; set the codec of this stream to \
             H.264 or H.265 in the camera"
        )
    );
}

/// Answers one connection with an SDP, and everything after that with an error.
fn scripted_camera(sdp: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        while let Some(request) = lines.next() {
            let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let sequence = headers.iter().find(|header| header.starts_with("CSeq")).unwrap();
            let (status, body) = match request.split(' ').next() {
                Some("OPTIONS") => ("200 OK\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN", ""),
                Some("DESCRIBE") => ("200 OK\r\nContent-Type: application/sdp", sdp),
                _ => ("455 Method Not Valid in This State", ""),
            };
            write!(stream, "RTSP/1.0 {status}\r\n{sequence}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    port
}

#[test]
fn a_camera_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut settings = settings(port, "/a");
    settings.connect_limit = Duration::from_secs(1);
    let watched = Watched::new(settings);
    let begun = Instant::now();
    let (reason, detail) = watched.blind(SOON);
    let noticed = begun.elapsed();
    assert_eq!(reason, BlindReason::Offline);
    assert_eq!(
        detail,
        format!(
            "rtsp://127.0.0.1:{port}/a: no video within 1s of connecting; check the camera's power and network and the \
             address in \"url\""
        )
    );
    assert!(noticed < Duration::from_secs(4), "noticed after {noticed:?}");
}

#[test]
fn a_clip_repeats_without_a_seam() {
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("clip.h264");
    // Two pictures at 25 a second: every other one lies on a seam.
    fs::write(&clip, include_bytes!("../../agent/src/camera/trial.h264")).unwrap();
    for options in [",copy", ""] {
        let simulator = simulator(&[&format!("/a=file:{}{options}", clip.display())]);
        let watched = Watched::new(settings(simulator.port(), "/a"));
        let stamps: Vec<Duration> = watched.frames(60).iter().map(|frame| frame.0.mono).collect();
        let late = &stamps[20..];
        let mean = (late[late.len() - 1] - late[0]) / (late.len() as u32 - 1);
        assert!((30..60).contains(&mean.as_millis()), "{options}: {mean:?} from picture to picture");
        let gap = late.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(gap < Duration::from_millis(300), "{options}: gap {gap:?}");
        assert_eq!(watched.counters.read().reconnects, 0);
    }
}

#[test]
fn a_camera_that_was_away_is_seen_again() {
    let first = simulator(&["/a=pattern,size=320x240"]);
    let port = first.port();
    let watched = Watched::new(settings(port, "/a"));
    watched.seeing(SOON);
    drop(first);
    let (reason, _) = watched.blind(SOON);
    assert_eq!(reason, BlindReason::Offline);
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
    let (reason, detail) = frozen.blind(SOON);
    let noticed = begun.elapsed();
    let sentence = "no picture for 5s; check the network and whether the camera hangs";
    assert_eq!((reason, detail), (BlindReason::Stalled, format!("rtsp://127.0.0.1:{}/a: {sentence}", relay.port())));
    assert!(noticed > Duration::from_secs(4) && noticed < Duration::from_secs(7), "noticed after {noticed:?}");

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

#[test]
fn a_slow_observer_gets_the_newest_picture_and_losses_are_counted() {
    let simulator = simulator(&["/a=pattern,size=320x240,fps=25,timecode"]);
    let watched = Watched::slowly(settings(simulator.port(), "/a"), Duration::from_millis(200));
    let frames = watched.frames(10);
    let counts = watched.counters.read();
    assert!(counts.overrun >= 15, "{counts:?}");
    let (stamp, _, burned) = frames[9];
    let late = stamp.wall.as_millisecond() - burned.unwrap().as_millis() as i64;
    assert!(late < 300, "{late} ms");
}

#[test]
fn damaged_video_does_not_end_the_stream() {
    for (file, codec) in [("trunc.h264", "h264"), ("garbage.h264", "h264"), ("drop.h265", "h265")] {
        let Some(path) = data(&format!("bitstreams/damaged/test-25fps.{file}")) else { return };
        let simulator = simulator(&[&format!("/a=file:{},copy,codec={codec}", path.display())]);
        let watched = Watched::new(settings(simulator.port(), "/a"));
        let frames = watched.frames(40);
        assert!(frames.iter().all(|frame| frame.1 == (320, 240)), "{file}");
        assert_eq!(watched.counters.read().reconnects, 0, "{file}");
    }
}

/// Counts ticks.
struct Ticks(Arc<AtomicU64>);

impl Observer for Ticks {
    fn frame(&mut self, _: &Frame) {}
    fn seeing(&mut self) {}
    fn blind(&mut self, _: BlindReason, _: &str) {}
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
