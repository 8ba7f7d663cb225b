//! A camera that follows a script, faults included: an RTSP server on plain sockets, which says and leaves out what no
//! honest server would.
//!
//! * [`Clip`]: encoded pictures, made here or cut out of a byte stream.
//! * [`Script`]: what the camera does, one field or answer for each way to be unwell.
//! * [`Peer`]: the server; plays one script, or another one from some moment on.

mod clip;
mod connection;
mod login;
mod media;
mod rtp;
mod script;
mod wire;

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

pub use clip::{Clip, Coding, Picture};
pub use login::{Login, Scheme};
pub use script::{Answer, End, Script, Stamps, When};

use self::wire::Wire;

/// Between two looks at what has changed.
const LOOK: Duration = Duration::from_millis(5);

/// A port that was just closed may be taken for a moment.
const REOPEN: Duration = Duration::from_secs(5);

/// A scripted camera on loopback. Dropping it closes all connections.
pub struct Peer {
    address: SocketAddr,
    state: Arc<State>,
}

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Connections that were made.
    pub connections: u64,
    /// Requests, by method.
    pub requests: BTreeMap<String, u64>,
    /// Requests with a wrong password.
    pub wrong_logins: u64,
    /// Pictures that were sent, to all viewers.
    pub pictures: u64,
}

/// What all connections share.
struct State {
    script: Mutex<Script>,
    tally: Mutex<Tally>,
    listener: Mutex<Option<TcpListener>>,
    wires: Mutex<Vec<Arc<Wire>>>,
    frozen: AtomicBool,
    over: AtomicBool,
}

impl Peer {
    /// Serves this script on any free port.
    ///
    /// # Errors
    /// If there is none.
    pub fn start(script: Script) -> io::Result<Self> {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0)))?;
        let address = listener.local_addr()?;
        let state = Arc::new(State {
            script: Mutex::new(script),
            tally: Mutex::default(),
            listener: Mutex::new(Some(listener)),
            wires: Mutex::default(),
            frozen: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let theirs = Arc::clone(&state);
        thread::Builder::new().name("peer".to_owned()).spawn(move || accept(&theirs))?;
        Ok(Self { address, state })
    }

    /// Where it listens.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Where its stream is; without user and password.
    #[must_use]
    pub fn url(&self) -> String {
        format!("rtsp://{}/stream", self.address)
    }

    /// From now on this script. Those who are watching see another clip, other losses and time stamps at once.
    pub fn play(&self, script: Script) {
        *locked(&self.state.script) = script;
    }

    /// The pictures of all who are watching end.
    pub fn end(&self, end: End) {
        let mut wires = locked(&self.state.wires);
        wires.iter().for_each(|wire| wire.end(end));
        wires.retain(|wire| !wire.is_over());
    }

    /// Sends nothing and reads nothing, while connections stay and new ones are made; or does again.
    pub fn freeze(&self, frozen: bool) {
        self.state.frozen.store(frozen, SeqCst);
    }

    /// Nobody can connect any more; who is connected stays.
    pub fn close(&self) {
        *locked(&self.state.listener) = None;
    }

    /// After [`close`](Self::close): connections are taken again.
    ///
    /// # Errors
    /// If the port is taken meanwhile.
    pub fn open(&self) -> io::Result<()> {
        let end = Instant::now() + REOPEN;
        loop {
            match listen(self.address) {
                Ok(listener) => {
                    *locked(&self.state.listener) = Some(listener);
                    return Ok(());
                }
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => thread::sleep(LOOK),
            }
        }
    }

    /// What happened so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        locked(&self.state.tally).clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.state.over.store(true, SeqCst);
        self.close();
        self.end(End::Close);
    }
}

impl State {
    fn script(&self) -> Script {
        locked(&self.script).clone()
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut locked(&self.tally));
    }

    fn is_over(&self) -> bool {
        self.over.load(SeqCst)
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

fn accept(state: &Arc<State>) {
    while !state.is_over() {
        let taken =
            if state.frozen.load(SeqCst) { None } else { locked(&state.listener).as_ref().map(TcpListener::accept) };
        match taken {
            Some(Ok((stream, _))) => {
                state.count(|tally| tally.connections += 1);
                // A viewer that is gone already is not missed.
                let _ = serve(stream, state);
            }
            Some(Err(_)) | None => thread::sleep(LOOK),
        }
    }
}

fn serve(stream: TcpStream, state: &Arc<State>) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    let wire = Arc::new(Wire::new(stream, state));
    {
        let mut wires = locked(&state.wires);
        wires.retain(|wire| !wire.is_over());
        wires.push(Arc::clone(&wire));
    }
    let state = Arc::clone(state);
    thread::Builder::new().name("peer-connection".to_owned()).spawn(move || {
        connection::serve(&wire, &state);
        wire.end(End::Close);
    })?;
    Ok(())
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
