//! A broker that only listens: it takes MQTT 5, acknowledges at once, and notes when each alert had arrived.

use std::{
    collections::BTreeMap,
    io::{self, BufReader, Read, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
    time::Instant,
};

use karaul_wire::AlertEvent;

type Seen = Arc<Mutex<BTreeMap<u64, Instant>>>;

/// See the [module](self).
pub(super) struct Listener {
    /// Where it listens.
    pub port: u16,
    seen: Seen,
}

impl Listener {
    /// Starts it; it ends with the process.
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let port = listener.local_addr()?.port();
        let seen = Seen::default();
        let sink = Arc::clone(&seen);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sink = Arc::clone(&sink);
                // A connection ends when the box hangs up.
                thread::spawn(move || serve(&stream, &sink));
            }
        });
        Ok(Self { port, seen })
    }

    /// When the alert with this number had been read.
    pub(super) fn seen(&self, sequence: u64) -> Option<Instant> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&sequence).copied()
    }
}

fn serve(stream: &TcpStream, seen: &Seen) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut input = BufReader::new(stream);
    let mut output = stream;
    loop {
        let (first, body) = packet(&mut input)?;
        let at = Instant::now();
        match first >> 4 {
            // CONNECT: CONNACK without a session, accepted, no properties.
            1 => output.write_all(&[0x20, 3, 0, 0, 0])?,
            // PUBLISH.
            3 => {
                let Some((topic, rest)) = field(&body) else { return Ok(()) };
                if first & 0b0110 != 0 {
                    let [high, low, rest @ ..] = rest else { return Ok(()) };
                    output.write_all(&[0x40, 2, *high, *low])?;
                    // The properties' length is one byte for what we send.
                    let properties = rest.first().map_or(0, |length| usize::from(*length));
                    let payload = rest.get(1 + properties..).unwrap_or_default();
                    note(topic, payload, at, seen);
                }
            }
            // SUBSCRIBE, to one topic: SUBACK, not authorised.
            8 => {
                let [high, low, ..] = body[..] else { return Ok(()) };
                output.write_all(&[0x90, 4, high, low, 0, 0x87])?;
            }
            // PINGREQ: PINGRESP.
            12 => output.write_all(&[0xd0, 0])?,
            14 => return Ok(()),
            _ => {}
        }
    }
}

fn note(topic: &[u8], payload: &[u8], at: Instant, seen: &Seen) {
    if topic.split(|byte| *byte == b'/').nth(5) == Some(b"alert")
        && let Ok(event) = serde_json::from_slice::<AlertEvent>(payload)
    {
        seen.lock().unwrap_or_else(PoisonError::into_inner).entry(event.sequence.0).or_insert(at);
    }
}

/// First byte and body of the next packet.
fn packet(input: &mut impl Read) -> io::Result<(u8, Vec<u8>)> {
    let byte = |input: &mut dyn Read| {
        let mut byte = [0];
        input.read_exact(&mut byte).map(|()| byte[0])
    };
    let first = byte(input)?;
    let mut length = 0;
    for shift in [0, 7, 14, 21] {
        let next = byte(input)?;
        length |= usize::from(next & 0x7f) << shift;
        if next & 0x80 == 0 {
            break;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok((first, body))
}

/// A string with its length before it, and what follows.
fn field(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = body.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packet_with_a_long_body_is_read() {
        let mut bytes = vec![0x32, 0xc8, 0x01];
        bytes.extend([7; 200]);
        assert_eq!(packet(&mut &bytes[..]).unwrap(), (0x32, vec![7; 200]));
        assert_eq!(field(&[0, 2, b'a', b'b', 9]), Some((&b"ab"[..], &[9][..])));
        assert_eq!(field(&[0, 3, b'a']), None);
    }
}
