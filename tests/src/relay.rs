use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        mpsc::sync_channel,
    },
    thread,
    time::{Duration, Instant},
};

/// Between two looks at what was asked for.
const LOOK: Duration = Duration::from_millis(20);

/// A TCP relay that plays a bad network: it can fall silent, as a peer does whose process stands still
/// or whose cable was pulled, and it can break connections. Dropping it closes all connections.
pub struct Relay {
    port: u16,
    state: Arc<State>,
}

/// How slow a network is, in each direction.
///
/// It works on what TCP has in order, so a lost segment shows as TCP's user sees it: everything behind it waits until
/// it has been sent again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// Capacity.
    pub bytes_per_second: u32,
    /// From one end to the other.
    pub delay: Duration,
    /// Share of segments of 1460 bytes or less that get lost, 0 to 1.
    pub loss: f64,
    /// How much later a lost segment arrives.
    pub recovery: Duration,
    /// Of the dice.
    pub seed: u64,
}

/// The payload of an Ethernet frame, less the headers of IP and TCP.
const SEGMENT: usize = 1460;
/// Segments that the network holds, as a router's queue does; then the sender has to wait.
const QUEUE: usize = 64;

#[derive(Default)]
struct State {
    shape: Option<Shape>,
    lost: AtomicUsize,
    frozen: AtomicBool,
    cut: AtomicBool,
    over: AtomicBool,
    accepted: AtomicUsize,
    open: Mutex<Vec<TcpStream>>,
}

impl Relay {
    /// Relays from a free port of this machine to another one.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub fn to(port: u16) -> io::Result<Self> {
        Self::with(port, State::default())
    }

    /// The same, and slow.
    ///
    /// # Errors
    ///
    /// There is no free port.
    pub fn shaped(port: u16, shape: Shape) -> io::Result<Self> {
        Self::with(port, State { shape: Some(shape), ..State::default() })
    }

    fn with(port: u16, state: State) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let relay = Self { port: listener.local_addr()?.port(), state: Arc::new(state) };
        let state = Arc::clone(&relay.state);
        thread::spawn(move || {
            while !state.over.load(SeqCst) {
                match listener.accept() {
                    Ok((near, _)) => {
                        state.accepted.fetch_add(1, SeqCst);
                        // The far end may be away: then the near one is closed.
                        let _ = connect(near, port, &state);
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

    /// Segments that got lost so far.
    #[must_use]
    pub fn lost(&self) -> usize {
        self.state.lost.load(SeqCst)
    }

    /// Passes nothing on, in either direction, or does again. Connections stay.
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

fn connect(near: TcpStream, port: u16, state: &Arc<State>) -> io::Result<()> {
    let far = TcpStream::connect(("127.0.0.1", port))?;
    near.set_nonblocking(false)?;
    {
        let mut open = state.open.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that none slips in behind the one who closes them.
        if state.cut.load(SeqCst) {
            return Ok(());
        }
        open.extend([near.try_clone()?, far.try_clone()?]);
    }
    for (from, to) in [(near.try_clone()?, far.try_clone()?), (far, near)] {
        let state = Arc::clone(state);
        thread::spawn(move || match state.shape {
            Some(shape) => crawl(from, to, shape, &state),
            None => pass(from, to, &state),
        });
    }
    Ok(())
}

fn pass(mut from: TcpStream, mut to: TcpStream, state: &State) {
    let mut bytes = [0; 16 << 10];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        while state.frozen.load(SeqCst) && !state.over.load(SeqCst) {
            thread::sleep(LOOK);
        }
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    for stream in [from, to] {
        // Closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Passes on as slowly as the shape says.
fn crawl(mut from: TcpStream, mut to: TcpStream, shape: Shape, state: &Arc<State>) {
    let (queue, arrivals) = sync_channel::<(Instant, Vec<u8>)>(QUEUE);
    let Ok(end) = from.try_clone() else { return };
    let reader = Arc::clone(state);
    thread::spawn(move || {
        let mut random = fastrand::Rng::with_seed(shape.seed);
        // When the wire is free again, and when the last segment arrives: none overtakes another.
        let (mut free, mut last) = (Instant::now(), Instant::now());
        let mut bytes = [0; SEGMENT];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let time = Duration::from_secs_f64(count as f64 / f64::from(shape.bytes_per_second));
            free = free.max(Instant::now()) + time;
            last = last.max(free + shape.delay);
            if random.f64() < shape.loss {
                reader.lost.fetch_add(1, SeqCst);
                last += shape.recovery;
            }
            if queue.send((last, bytes[..count].to_vec())).is_err() {
                break;
            }
        }
    });
    for (due, bytes) in arrivals {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        while state.frozen.load(SeqCst) && !state.over.load(SeqCst) {
            thread::sleep(LOOK);
        }
        if to.write_all(&bytes).is_err() {
            break;
        }
    }
    for stream in [end, to] {
        // Closed already.
        let _ = stream.shutdown(Shutdown::Both);
    }
}
