//! A TCP relay that plays a network: narrow, distant, lossy, interrupted, silent or cut.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// TCP's payload in an Ethernet frame, so that a loss hits as much as it does there.
const SEGMENT: usize = 1460;
/// So much of a segment is not payload: IP and TCP headers.
const HEADERS: usize = 40;
/// Segments that a modem keeps; who sends more has to wait.
const BUFFERED: usize = 16;
/// Without a shape it only passes on.
const CHUNK: usize = 16 << 10;
/// Between two looks at what was asked for.
const LOOK: Duration = Duration::from_millis(20);

/// Between a client and a server on this machine. It can fall silent, as a peer does whose process stands still or
/// whose cable was pulled, and it can break connections. Dropping it closes all of them.
pub struct Relay {
    port: u16,
    state: Arc<State>,
}

/// What a network is like, in each direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Capacity, headers included.
    pub bits_per_second: u32,
    /// There and back.
    pub round_trip: Duration,
    /// Share of the segments that are lost, 0 to 1. A relay between two TCP connections cannot lose anything, so it
    /// does what the receiver of a lost segment sees: nothing, until the sender's time-out has passed and it came
    /// again.
    pub loss: f64,
    /// How long it works and how long it does not, in turns. Nothing passes meanwhile, and nobody is told.
    pub on_off: Option<(Duration, Duration)>,
}

struct State {
    /// The port of the server.
    to: u16,
    shape: Option<Shape>,
    seed: u64,
    began: Instant,
    lost: AtomicUsize,
    frozen: AtomicBool,
    cut: AtomicBool,
    over: AtomicBool,
    accepted: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// Relays from a free port of this machine to another one, at once.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn to(port: u16) -> io::Result<Self> {
        Self::start(port, None, 0)
    }

    /// The same over a network of this shape, which begins with being on. `seed` is that of the losses.
    ///
    /// # Errors
    /// If there is no free port.
    pub fn shaped(port: u16, shape: Shape, seed: u64) -> io::Result<Self> {
        Self::start(port, Some(shape), seed)
    }

    fn start(to: u16, shape: Option<Shape>, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        listener.set_nonblocking(true)?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            to,
            shape,
            seed,
            began: Instant::now(),
            lost: AtomicUsize::new(0),
            frozen: AtomicBool::new(false),
            cut: AtomicBool::new(false),
            over: AtomicBool::new(false),
            accepted: AtomicUsize::new(0),
            open: Mutex::default(),
        });
        let relay = Self { port, state: Arc::clone(&state) };
        thread::spawn(move || {
            while !state.over.load(SeqCst) {
                match listener.accept() {
                    Ok((near, _)) => {
                        let number = state.accepted.fetch_add(1, SeqCst);
                        // The far end may be away: then the near one is closed.
                        let _ = connect(near, number as u64, &state);
                    }
                    Err(_) => thread::sleep(LOOK),
                }
            }
        });
        Ok(relay)
    }

    /// Where to connect.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Connections that were made so far.
    #[must_use]
    pub fn accepted(&self) -> usize {
        self.state.accepted.load(SeqCst)
    }

    /// Segments that were lost so far.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.state.lost.load(SeqCst)
    }

    /// Passes nothing on, in either direction, not even the end of a connection; or does again. Connections stay.
    pub fn freeze(&self, frozen: bool) {
        self.state.frozen.store(frozen, SeqCst);
    }

    /// Breaks all connections, and new ones at once; or lets new ones be made again.
    pub fn cut(&self, cut: bool) {
        self.state.cut.store(cut, SeqCst);
        if cut {
            self.state.close();
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.state.over.store(true, SeqCst);
        self.cut(true);
    }
}

impl State {
    fn close(&self) {
        for stream in self.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            // Closed already.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn connect(near: TcpStream, number: u64, state: &Arc<State>) -> io::Result<()> {
    let far = TcpStream::connect(("127.0.0.1", state.to))?;
    near.set_nonblocking(false)?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    {
        let mut open = state.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that none slips in behind the one who closes them.
        if state.cut.load(SeqCst) {
            return Ok(());
        }
        open.extend([near.try_clone()?, far.try_clone()?]);
    }
    for (direction, from, into) in [(0, near.try_clone()?, far.try_clone()?), (1, far, near)] {
        let (sender, segments) = sync_channel(BUFFERED);
        let wire = Wire::new(state.shape, state.began, (state.seed ^ number) << 1 | direction);
        let [sending, delivering] = [Arc::clone(state), Arc::clone(state)];
        thread::spawn(move || send(from, wire, &sending, &sender));
        thread::spawn(move || deliver(into, &delivering, &segments));
    }
    Ok(())
}

/// Gives each segment the time of its arrival. The last one is empty: the end takes its way as well.
fn send(mut from: TcpStream, mut wire: Wire, state: &State, segments: &SyncSender<(Instant, Vec<u8>)>) {
    let mut bytes = vec![0; if state.shape.is_some() { SEGMENT } else { CHUNK }];
    loop {
        // A connection that breaks has ended.
        let count = from.read(&mut bytes).unwrap_or(0);
        let Passage { sent, arrives, lost } = wire.carry(count, Instant::now());
        state.lost.fetch_add(lost, SeqCst);
        if segments.send((arrives, bytes[..count].to_vec())).is_err() || count == 0 {
            break;
        }
        // The modem takes the next when it has sent this one.
        thread::sleep(sent.saturating_duration_since(Instant::now()));
    }
    // Closed already, or the end of the stream: the other half ends when it has delivered what is on its way.
    let _ = from.shutdown(Shutdown::Read);
}

fn deliver(mut into: TcpStream, state: &State, segments: &Receiver<(Instant, Vec<u8>)>) {
    for (at, bytes) in segments {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        while state.frozen.load(SeqCst) && !state.over.load(SeqCst) {
            thread::sleep(LOOK);
        }
        if into.write_all(&bytes).is_err() {
            break;
        }
    }
    // Closed already.
    let _ = into.shutdown(Shutdown::Both);
}

/// One direction of one connection.
struct Wire {
    shape: Option<Shape>,
    /// Since when the shape is in force.
    began: Instant,
    random: fastrand::Rng,
    /// When the next segment can be sent.
    free: Instant,
    /// When the one before arrives.
    last: Instant,
}

/// What becomes of a segment.
struct Passage {
    sent: Instant,
    arrives: Instant,
    /// So often it had to be sent again.
    lost: usize,
}

impl Wire {
    fn new(shape: Option<Shape>, began: Instant, seed: u64) -> Self {
        Self { shape, began, random: fastrand::Rng::with_seed(seed), free: began, last: began }
    }

    /// Takes so many bytes at this moment. A segment never overtakes another.
    fn carry(&mut self, count: usize, now: Instant) -> Passage {
        let Some(shape) = self.shape else { return Passage { sent: now, arrives: now, lost: 0 } };
        let bits = 8 * (count + HEADERS) as u32;
        self.free = self.open(self.free.max(now)) + Duration::from_secs(1) * bits / shape.bits_per_second;
        let (stall, lost) = self.stall();
        self.last = self.last.max(self.free + shape.round_trip / 2 + stall);
        Passage { sent: self.free, arrives: self.last, lost }
    }

    /// The first moment from this one on in which something passes.
    fn open(&self, at: Instant) -> Instant {
        let Some((on, off)) = self.shape.and_then(|shape| shape.on_off) else { return at };
        let period = (on + off).as_nanos();
        let phase = Duration::from_nanos((at.saturating_duration_since(self.began).as_nanos() % period) as u64);
        if phase < on { at } else { at + (on + off - phase) }
    }

    /// How long it takes until a lost segment has come again, and how often it was lost: RFC 6298 begins with one
    /// second and never goes below what a round trip takes; each further loss doubles it.
    fn stall(&mut self) -> (Duration, usize) {
        let Some(Shape { round_trip, loss, .. }) = self.shape else { return (Duration::ZERO, 0) };
        let mut time_out = (round_trip * 3 / 2).max(Duration::from_secs(1));
        let (mut stall, mut lost) = (Duration::ZERO, 0);
        while self.random.f64() < loss {
            stall += time_out;
            time_out *= 2;
            lost += 1;
        }
        (stall, lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// 1000 bits a second, so that a segment of 85 bytes takes one; two seconds there and back.
    const SLOW: Shape = Shape { bits_per_second: 1000, round_trip: seconds(2), loss: 0.0, on_off: None };

    fn wire(shape: Shape) -> Wire {
        Wire::new(Some(shape), Instant::now(), 1)
    }

    #[test]
    fn segments_take_their_turn_and_their_way() {
        let mut wire = wire(SLOW);
        let began = wire.began;
        let mut carry = |at| {
            let Passage { sent, arrives, .. } = wire.carry(85, began + seconds(at));
            [sent, arrives].map(|time| time.duration_since(began).as_secs())
        };
        assert_eq!([carry(0), carry(0), carry(10)], [[1, 2], [2, 3], [11, 12]]);
    }

    #[test]
    fn nothing_passes_while_it_is_off() {
        let mut wire = wire(Shape { on_off: Some((seconds(30), seconds(90))), ..SLOW });
        let began = wire.began;
        let open = |at| wire.open(began + seconds(at)).duration_since(began).as_secs();
        assert_eq!([0, 29, 30, 119, 120, 155].map(open), [0, 29, 120, 120, 120, 240]);
        assert_eq!(wire.carry(85, began + seconds(31)).arrives, began + seconds(122));
    }

    #[test]
    fn a_loss_costs_a_time_out_and_the_next_twice_as_much() {
        let round_trip = Duration::from_millis(800);
        assert_eq!(wire(SLOW).stall(), (Duration::ZERO, 0));
        let mut lossy = wire(Shape { round_trip, loss: 0.05, ..SLOW });
        let stalls: Vec<_> = (0..10_000).map(|_| lossy.stall()).collect();
        let hit = stalls.iter().filter(|(_, lost)| *lost > 0).count();
        assert!((400..600).contains(&hit), "{hit}");
        // 1.2 s, and 2.4 s, and 4.8 s …
        assert!(stalls.iter().all(|(stall, lost)| stall.as_millis() == 1200 * ((1 << lost) - 1)));
    }

    /// A relay, what connected to it, and what it connected to.
    fn connected(shape: Option<Shape>) -> (Relay, TcpStream, TcpStream) {
        let server = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let relay = Relay::start(server.local_addr().unwrap().port(), shape, 1).unwrap();
        let near = TcpStream::connect(("127.0.0.1", relay.port())).unwrap();
        let (far, _) = server.accept().unwrap();
        for stream in [&near, &far] {
            stream.set_read_timeout(Some(seconds(10))).unwrap();
        }
        (relay, near, far)
    }

    #[test]
    fn all_bytes_arrive_in_order_over_any_shape() {
        let quick =
            Shape { bits_per_second: 8_000_000, round_trip: Duration::from_millis(20), loss: 0.0, on_off: None };
        for shape in [None, Some(quick)] {
            let (relay, mut near, mut far) = connected(shape);
            let bytes: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
            let sent = bytes.clone();
            let sender = thread::spawn(move || near.write_all(&sent).and_then(|()| near.shutdown(Shutdown::Write)));
            let mut got = Vec::new();
            far.read_to_end(&mut got).unwrap();
            assert!(got == bytes, "{} bytes of {}", got.len(), bytes.len());
            sender.join().unwrap().unwrap();
            assert_eq!((relay.accepted(), relay.lost()), (1, 0));
        }
    }

    #[test]
    fn silence_hides_also_the_end_of_a_connection() {
        for shape in [None, Some(Shape { bits_per_second: 8_000_000, round_trip: Duration::ZERO, ..SLOW })] {
            let (relay, mut near, mut far) = connected(shape);
            let mut byte = [0];
            near.write_all(b"a").unwrap();
            far.read_exact(&mut byte).unwrap();
            relay.freeze(true);
            near.write_all(b"b").unwrap();
            drop(near);
            far.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
            assert_eq!(far.read(&mut byte).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            relay.freeze(false);
            far.set_read_timeout(Some(seconds(10))).unwrap();
            assert_eq!((far.read(&mut byte).unwrap(), &byte), (1, b"b"));
            assert_eq!(far.read(&mut byte).unwrap(), 0);
        }
    }

    #[test]
    fn a_cut_ends_both_sides() {
        let (relay, mut near, mut far) = connected(None);
        relay.cut(true);
        assert_eq!([near.read(&mut [0]).unwrap_or(0), far.read(&mut [0]).unwrap_or(0)], [0, 0]);
        let mut next = TcpStream::connect(("127.0.0.1", relay.port())).unwrap();
        next.set_read_timeout(Some(seconds(10))).unwrap();
        assert_eq!(next.read(&mut [0]).unwrap_or(0), 0);
    }
}
