use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use rustix::net::sockopt::set_socket_linger;

use super::{End, LOOK, State, locked};

/// One connection, written to by two: who answers, and who sends pictures.
pub(super) struct Wire {
    stream: TcpStream,
    /// Held while a whole message is written.
    turn: Mutex<()>,
    /// How pictures are to end.
    end: Mutex<Option<End>>,
    over: AtomicBool,
    state: Arc<State>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, state: &Arc<State>) -> Self {
        Self {
            stream,
            turn: Mutex::new(()),
            end: Mutex::default(),
            over: AtomicBool::new(false),
            state: Arc::clone(state),
        }
    }

    /// The pictures end so; who sends them sees to it. Without one who sends, [`close`](Self::close) is enough.
    pub(super) fn end(&self, end: End) {
        match end {
            End::Silence | End::Bye => *locked(&self.end) = Some(end),
            End::Close => self.close(),
            End::Reset => self.reset(),
        }
    }

    /// How pictures are to end, if they are.
    pub(super) fn asked_end(&self) -> Option<End> {
        *locked(&self.end)
    }

    pub(super) fn is_over(&self) -> bool {
        self.over.load(SeqCst) || self.state.is_over()
    }

    fn close(&self) {
        // A connection that is to be reset must not say goodbye.
        if self.over.swap(true, SeqCst) {
            return;
        }
        // Closed already.
        let _ = self.stream.shutdown(Shutdown::Both);
    }

    /// Half a packet, and a reset: the kernel sends one when a socket is closed that is not to linger.
    fn reset(&self) {
        let _turn = locked(&self.turn);
        let half = [&[b'$', 0, 4, 0][..], &[0x80; 512]].concat();
        let _ = (&self.stream).write_all(&half);
        // Where that does not work, it is an ordinary end.
        let _ = set_socket_linger(&self.stream, Some(Duration::ZERO));
        self.over.store(true, SeqCst);
        // Ends the reader without sending anything; the socket is closed when all who have it let go.
        let _ = self.stream.shutdown(Shutdown::Read);
    }

    /// Writes the whole of it, as fast as the script wants, when nothing is frozen.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        let _turn = locked(&self.turn);
        let mut left = bytes;
        while !left.is_empty() {
            self.thaw()?;
            let drip = locked(&self.state.script).drip;
            let count = if drip.is_some() { 1 } else { left.len() };
            (&self.stream).write_all(&left[..count])?;
            left = &left[count..];
            if let Some(pace) = drip {
                thread::sleep(Duration::from_secs(1) / pace.max(1));
            }
        }
        Ok(())
    }

    /// Reads something; zero at the end.
    pub(super) fn read(&self, into: &mut [u8]) -> io::Result<usize> {
        self.thaw()?;
        (&self.stream).read(into)
    }

    /// Waits while all is frozen.
    fn thaw(&self) -> io::Result<()> {
        while self.state.frozen.load(SeqCst) && !self.is_over() {
            thread::sleep(LOOK);
        }
        if self.is_over() { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok(()) }
    }
}
