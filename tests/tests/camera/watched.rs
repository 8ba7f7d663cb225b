use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
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
use karaul_simulator::{Settings, Simulator, timecode};
use karaul_wire::{BlindCause, FullDecoding};

/// What an observer was told.
#[derive(Debug)]
pub(crate) enum Told {
    Frame { stamp: Stamp, size: (usize, usize), burned: Option<Duration>, glimpse: bool },
    Seeing,
    FullDecoding(Option<FullDecoding>),
    Blind(BlindCause, String),
}

struct Notes {
    told: Sender<Told>,
    /// How long it looks at each picture.
    slow: Duration,
    attentive: Arc<AtomicBool>,
}

impl Observer for Notes {
    fn frame(&mut self, frame: &Frame) {
        let planes = frame.planes();
        let Layout::I420 { y, y_stride, .. } = planes.layout else { panic!("software decoders give I420") };
        let burned = timecode::read(y, planes.width, planes.height, y_stride);
        let size = (planes.width, planes.height);
        let _ = self.told.send(Told::Frame { stamp: frame.stamp, size, burned, glimpse: frame.glimpse });
        thread::sleep(self.slow);
    }

    fn seeing(&mut self) {
        let _ = self.told.send(Told::Seeing);
    }

    fn blind(&mut self, cause: BlindCause, detail: &str) {
        let _ = self.told.send(Told::Blind(cause, detail.to_owned()));
    }

    fn full_decoding(&mut self, full: Option<FullDecoding>) {
        let _ = self.told.send(Told::FullDecoding(full));
    }

    fn is_attentive(&self) -> bool {
        self.attentive.load(Relaxed)
    }
}

/// A camera that is being watched, until dropped.
pub(crate) struct Watched {
    pub(crate) told: Receiver<Told>,
    pub(crate) counters: Arc<Counters>,
    attentive: Arc<AtomicBool>,
    stop: Stop,
    thread: Option<JoinHandle<()>>,
}

impl Watched {
    pub(crate) fn new(settings: StreamSettings) -> Self {
        Self::slowly(settings, Duration::ZERO)
    }

    pub(crate) fn slowly(settings: StreamSettings, slow: Duration) -> Self {
        camera::init().unwrap();
        let (sender, told) = mpsc::channel();
        let (counters, stop) = (Arc::<Counters>::default(), Stop::new());
        let attentive = Arc::new(AtomicBool::new(true));
        let mut notes = Notes { told: sender, slow, attentive: Arc::clone(&attentive) };
        let thread = thread::spawn({
            let (counters, stop) = (Arc::clone(&counters), stop.clone());
            let clock: Arc<dyn Clock> = Arc::new(SystemClock);
            move || keeper::run(&settings, &clock, &counters, &stop, 7, &mut notes)
        });
        Self { told, counters, attentive, stop, thread: Some(thread) }
    }

    /// Whether it wants to see every picture; it does at first.
    pub(crate) fn attend(&self, attentive: bool) {
        self.attentive.store(attentive, Relaxed);
    }

    /// The first thing told, within `limit`, that `wanted` takes; what comes before it is left aside.
    pub(crate) fn wait<T>(&self, limit: Duration, wanted: impl Fn(Told) -> Option<T>) -> T {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now());
            let told = self.told.recv_timeout(left).unwrap_or_else(|_| panic!("nothing of the kind in {limit:?}"));
            if let Some(found) = wanted(told) {
                return found;
            }
        }
    }

    pub(crate) fn seeing(&self, limit: Duration) {
        self.wait(limit, |told| matches!(told, Told::Seeing).then_some(()));
    }

    pub(crate) fn blind(&self, limit: Duration) -> (BlindCause, String) {
        self.wait(limit, |told| if let Told::Blind(reason, detail) = told { Some((reason, detail)) } else { None })
    }

    pub(crate) fn frames(&self, count: usize) -> Vec<(Stamp, (usize, usize), Option<Duration>)> {
        let frame = |told| match told {
            Told::Frame { stamp, size, burned, .. } => Some((stamp, size, burned)),
            Told::Seeing | Told::FullDecoding(_) => None,
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
pub(crate) const SOON: Duration = Duration::from_secs(15);

pub(crate) fn settings(port: u16, path: &str) -> StreamSettings {
    StreamSettings {
        camera: "gate".to_owned(),
        url: CameraUrl {
            tls: false,
            host: "127.0.0.1".to_owned(),
            port: port.try_into().unwrap(),
            path: path.to_owned(),
        },
        ca_file: None,
        login: None,
        transport: Transport::Tcp,
        decoder: Decoder::Auto,
        decoding: Decoding::Full,
        look_every: Duration::from_secs(2),
        period: Duration::from_millis(200),
        connect_limit: StreamSettings::CONNECT_LIMIT,
        picture_limit: StreamSettings::PICTURE_LIMIT,
        ring: None,
        receive_only: false,
    }
}

pub(crate) fn login(mut settings: StreamSettings, password: &str) -> StreamSettings {
    settings.login = Some(("viewer".to_owned(), Secret::new(password.to_owned())));
    settings
}

pub(crate) fn simulator(mounts: &[&str]) -> Simulator {
    simulator_on(0, mounts)
}

pub(crate) fn simulator_on(port: u16, mounts: &[&str]) -> Simulator {
    let mounts = mounts.iter().map(|mount| mount.parse().unwrap()).collect();
    Simulator::start(&Settings { port, mounts, ..Settings::default() }).unwrap()
}

/// One closed port of this machine.
pub(crate) fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}
