//! A relay that plays a thin link: bandwidth, distance, loss as TCP shows it, and interruptions.

use std::{
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

/// TCP's payload in an Ethernet frame, so that a loss hits as much as it does there.
const SEGMENT: usize = 1460;
/// So much of a segment is not payload: IP and TCP headers.
const HEADERS: usize = 40;
/// Segments that a modem keeps; who sends more has to wait.
const BUFFERED: usize = 16;

/// What the link is like, in each direction.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub bits_per_second: u32,
    pub round_trip: Duration,
    /// Share of the segments that are lost. A relay between two TCP connections cannot lose anything, so it does what
    /// the receiver of a lost segment sees: nothing, until the sender's time-out has passed and it came again.
    pub loss: f64,
    /// How long it works and how long it does not, in turns. Nothing passes meanwhile, and nobody is told.
    pub on_off: Option<(Duration, Duration)>,
}

/// See the [module](self).
pub(super) struct Relay {
    /// Where to connect.
    pub port: u16,
}

impl Relay {
    /// Relays from a free port to another one of this machine. It ends with the process.
    pub(super) fn start(to: u16, shape: Shape, seed: u64) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let began = Instant::now();
        thread::spawn(move || {
            for (number, near) in (0..).zip(listener.incoming().map_while(Result::ok)) {
                // The far end may be away: then the near one is closed.
                let _ = connect(near, to, &Path { shape, began }, seed ^ number);
            }
        });
        Ok(Self { port })
    }
}

/// A shape, and since when it is in force.
#[derive(Clone, Debug)]
struct Path {
    shape: Shape,
    began: Instant,
}

impl Path {
    /// The first moment from this one on in which something passes.
    fn open(&self, at: Instant) -> Instant {
        let Some((on, off)) = self.shape.on_off else { return at };
        let period = (on + off).as_nanos();
        let phase = Duration::from_nanos((at.saturating_duration_since(self.began).as_nanos() % period) as u64);
        if phase < on { at } else { at + (on + off - phase) }
    }

    /// How long it takes until a lost segment has come again: RFC 6298 begins with one second and never goes below
    /// what a round trip takes; each further loss doubles it.
    fn stall(&self, random: &mut fastrand::Rng) -> Duration {
        let mut time_out = (self.shape.round_trip * 3 / 2).max(Duration::from_secs(1));
        let mut stall = Duration::ZERO;
        while random.f64() < self.shape.loss {
            stall += time_out;
            time_out *= 2;
        }
        stall
    }
}

fn connect(near: TcpStream, to: u16, path: &Path, seed: u64) -> io::Result<()> {
    let far = TcpStream::connect(("127.0.0.1", to))?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    for (direction, from, into) in [(0, near.try_clone()?, far.try_clone()?), (1, far, near)] {
        let (sender, segments) = sync_channel(BUFFERED);
        let random = fastrand::Rng::with_seed(seed << 1 | direction);
        let path = path.clone();
        thread::spawn(move || send(from, &path, random, &sender));
        thread::spawn(move || deliver(into, &segments));
    }
    Ok(())
}

/// Gives each segment the time of its arrival. A segment never overtakes another.
fn send(mut from: TcpStream, path: &Path, mut random: fastrand::Rng, segments: &SyncSender<(Instant, Vec<u8>)>) {
    let mut bytes = [0; SEGMENT];
    let (mut free, mut last) = (Instant::now(), Instant::now());
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let bits = 8 * (count + HEADERS) as u32;
        let takes = Duration::from_secs(1) * bits / path.shape.bits_per_second;
        free = path.open(free.max(Instant::now())) + takes;
        last = last.max(free + path.shape.round_trip / 2 + path.stall(&mut random));
        if segments.send((last, bytes[..count].to_vec())).is_err() {
            break;
        }
        // The modem takes the next when it has sent this one.
        thread::sleep(free.saturating_duration_since(Instant::now()));
    }
    // Closed already, or the end of the stream: the other half ends when it has delivered what is on its way.
    let _ = from.shutdown(Shutdown::Read);
}

fn deliver(mut into: TcpStream, segments: &Receiver<(Instant, Vec<u8>)>) {
    for (at, bytes) in segments {
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if into.write_all(&bytes).is_err() {
            break;
        }
    }
    // Closed already.
    let _ = into.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_passes_while_it_is_off() {
        let began = Instant::now();
        let seconds = Duration::from_secs;
        let on_off = Some((seconds(30), seconds(90)));
        let shape = Shape { bits_per_second: 1, round_trip: Duration::ZERO, loss: 0.0, on_off };
        let path = Path { shape, began };
        let open = |at| path.open(began + seconds(at)).duration_since(began).as_secs();
        assert_eq!([0, 29, 30, 119, 120, 155].map(open), [0, 29, 120, 120, 120, 240]);
    }

    #[test]
    fn a_loss_costs_a_time_out_and_the_next_twice_as_much() {
        let round_trip = Duration::from_millis(800);
        let path =
            |loss| Path { shape: Shape { bits_per_second: 1, round_trip, loss, on_off: None }, began: Instant::now() };
        let mut random = fastrand::Rng::with_seed(1);
        assert_eq!(path(0.0).stall(&mut random), Duration::ZERO);
        let lossy = path(0.05);
        let stalls: Vec<_> = (0..10_000).map(|_| lossy.stall(&mut random)).collect();
        let hit = stalls.iter().filter(|stall| !stall.is_zero()).count();
        assert!((400..600).contains(&hit), "{hit}");
        // 1.2 s, and 2.4 s, and 4.8 s …
        assert!(stalls.iter().all(|stall| (stall.as_millis() / 1200 + 1).is_power_of_two()));
    }
}
