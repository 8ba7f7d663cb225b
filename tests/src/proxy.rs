use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering},
    },
    thread,
    time::Duration,
};

const PASS: u8 = 0;
const CUT: u8 = 1;
const FREEZE: u8 = 2;
const END: u8 = 3;

/// A TCP forwarder on loopback, to play a bad network between two parties.
#[derive(Debug)]
pub struct Proxy {
    port: u16,
    mode: Arc<AtomicU8>,
}

impl Proxy {
    /// Forwards from a free port, on 127.0.0.1, to `target`.
    ///
    /// # Panics
    /// If there is no free port.
    #[must_use]
    pub fn to(target: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = listener.local_addr().expect("a bound socket has an address").port();
        listener.set_nonblocking(true).expect("a socket can be non-blocking");
        let mode = Arc::new(AtomicU8::new(PASS));
        let shared = Arc::clone(&mode);
        thread::spawn(move || {
            while shared.load(Ordering::SeqCst) != END {
                match listener.accept() {
                    Ok((client, _)) => serve(client, target, &shared),
                    Err(_) => thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { port, mode }
    }

    /// Where to connect to.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Everything goes through.
    pub fn pass(&self) {
        self.mode.store(PASS, Ordering::SeqCst);
    }

    /// All connections are broken, and new ones at once.
    pub fn cut(&self) {
        self.mode.store(CUT, Ordering::SeqCst);
    }

    /// Connections stay, but nothing goes through any more: a half-open link.
    pub fn freeze(&self) {
        self.mode.store(FREEZE, Ordering::SeqCst);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.mode.store(END, Ordering::SeqCst);
    }
}

fn serve(client: TcpStream, target: u16, mode: &Arc<AtomicU8>) {
    if mode.load(Ordering::SeqCst) == CUT {
        return;
    }
    let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, target)) else { return };
    let pairs = [(client.try_clone(), server.try_clone()), (Ok(server), Ok(client))];
    for (from, to) in pairs {
        if let (Ok(from), Ok(to)) = (from, to) {
            let mode = Arc::clone(mode);
            thread::spawn(move || copy(from, to, &mode));
        }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8) {
    let mut buffer = [0; 4096];
    let mut working =
        from.set_nonblocking(false).is_ok() && from.set_read_timeout(Some(Duration::from_millis(10))).is_ok();
    while working {
        working = match mode.load(Ordering::SeqCst) {
            PASS => match from.read(&mut buffer) {
                Ok(0) => false,
                Ok(count) => to.write_all(&buffer[..count]).is_ok(),
                Err(error) => matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
            },
            FREEZE => {
                thread::sleep(Duration::from_millis(10));
                true
            }
            _ => false,
        };
    }
    // One side may be gone already; both are afterwards.
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
