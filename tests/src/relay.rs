use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

/// Between two looks at what was asked for.
const LOOK: Duration = Duration::from_millis(20);

/// A TCP relay that plays a bad network: it can fall silent, as a peer does whose process stands still
/// or whose cable was pulled, and it can break connections. Dropping it closes all connections.
pub struct Relay {
    port: u16,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
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
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let relay = Self { port: listener.local_addr()?.port(), state: Arc::default() };
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
        thread::spawn(move || pass(from, to, &state));
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
