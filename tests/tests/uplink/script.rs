//! A broker that does exactly what a test says, byte by byte.

use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

/// Packet types of MQTT (section 2.1.2 of version 5), in the upper half of the first byte.
const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;

pub(crate) struct ScriptedBroker {
    listener: TcpListener,
}

/// One client connection, version 5 or 3.1.1.
pub(crate) struct Peer {
    stream: TcpStream,
    pub level: u8,
    /// Publishes of states (retained topics), which are acknowledged at once.
    pub states: Vec<String>,
    waiting: VecDeque<Publish>,
    /// A state on a topic that ends so is not acknowledged; instead the connection ends.
    pub poison: Option<&'static str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub packet_id: u16,
    pub topic: String,
    pub payload: Vec<u8>,
}

impl ScriptedBroker {
    pub(crate) fn new() -> Self {
        Self { listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap() }
    }

    pub(crate) fn port(&self) -> u16 {
        self.listener.local_addr().unwrap().port()
    }

    /// Takes the next connection and its CONNECT; no answer yet.
    pub(crate) fn accept(&self) -> Peer {
        self.listener.set_nonblocking(true).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        let stream = loop {
            match self.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(_) => assert!(Instant::now() < deadline, "nobody connects"),
            }
            thread::sleep(Duration::from_millis(5));
        };
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let mut peer = Peer { stream, level: 0, states: Vec::new(), waiting: VecDeque::new(), poison: None };
        let (kind, body) = peer.packet().expect("a CONNECT");
        assert_eq!(kind >> 4, CONNECT);
        // Two bytes of length, "MQTT", then the protocol level: 5, or 4 for 3.1.1.
        peer.level = body[6];
        peer
    }

    /// Takes the next connection and signs it on.
    pub(crate) fn sign_on(&self) -> Peer {
        let mut peer = self.accept();
        peer.send(if peer.level == 5 { &[0x20, 3, 0, 0, 0] } else { &[0x20, 2, 0, 0] });
        peer
    }
}

impl Peer {
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        // The client may have gone already; then the test notices elsewhere.
        let _ = self.stream.write_all(bytes);
    }

    /// The next publish out of the outbox. `None` when the client has hung up, or is to be hung up on.
    pub(crate) fn publish(&mut self) -> Option<Publish> {
        if let Some(publish) = self.waiting.pop_front() {
            return Some(publish);
        }
        loop {
            let publish = self.any_publish()?;
            if publish.topic.contains("/alert/") || publish.topic.contains("/open/") {
                return Some(publish);
            }
            if self.poison.is_some_and(|end| publish.topic.ends_with(end)) {
                return None;
            }
            if publish.packet_id != 0 {
                self.acknowledge(publish.packet_id);
            }
            self.states.push(publish.topic);
        }
    }

    /// The next publish, whatever it is.
    pub(crate) fn any_publish(&mut self) -> Option<Publish> {
        loop {
            let (kind, body) = self.packet()?;
            if kind >> 4 == PUBLISH {
                return Some(self.parse(kind, &body));
            }
        }
    }

    pub(crate) fn publishes(&mut self, count: usize) -> Vec<Publish> {
        (0..count).map(|_| self.publish().expect("a publish")).collect()
    }

    /// Is there no publish for a while?
    pub(crate) fn is_quiet(&mut self, time: Duration) -> bool {
        self.stream.set_read_timeout(Some(time)).unwrap();
        let publish = self.publish();
        self.stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let quiet = publish.is_none();
        self.waiting.extend(publish);
        quiet
    }

    pub(crate) fn acknowledge(&mut self, packet_id: u16) {
        let [high, low] = packet_id.to_be_bytes();
        self.send(&[0x40, 2, high, low]);
    }

    /// Version 5: refuses a publish.
    pub(crate) fn refuse(&mut self, packet_id: u16, reason: u8) {
        let [high, low] = packet_id.to_be_bytes();
        self.send(&[0x40, 3, high, low, reason]);
    }

    fn parse(&self, kind: u8, body: &[u8]) -> Publish {
        let (length, rest) = body.split_at(2);
        let (topic, rest) = rest.split_at(usize::from(u16::from_be_bytes([length[0], length[1]])));
        let (packet_id, rest) =
            if kind & 0b110 == 0 { (0, rest) } else { (u16::from_be_bytes([rest[0], rest[1]]), &rest[2..]) };
        // Version 5 has the length of its properties here, and we send none.
        let payload = if self.level == 5 { &rest[1..] } else { rest };
        Publish { packet_id, topic: String::from_utf8(topic.to_vec()).unwrap(), payload: payload.to_vec() }
    }

    fn packet(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut kind = [0];
        self.stream.read_exact(&mut kind).ok()?;
        let (mut length, mut shift) = (0usize, 0);
        loop {
            let mut byte = [0];
            self.stream.read_exact(&mut byte).ok()?;
            length |= usize::from(byte[0] & 0x7f) << shift;
            shift += 7;
            if byte[0] & 0x80 == 0 {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).ok()?;
        Some((kind[0], body))
    }
}
