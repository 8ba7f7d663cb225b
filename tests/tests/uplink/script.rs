//! A broker that does exactly what a test says, byte by byte.

use std::{
    collections::VecDeque,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::agent::event;

/// Packet types of MQTT (section 2.1.2 of version 5), in the upper half of the first byte.
const CONNECT: u8 = 1;
const PUBLISH: u8 = 3;
const PUBACK: u8 = 4;
const SUBSCRIBE: u8 = 8;
const PINGREQ: u8 = 12;

pub(crate) struct ScriptedBroker {
    listener: TcpListener,
}

/// One client connection, version 5 or 3.1.1.
pub(crate) struct Peer {
    stream: TcpStream,
    /// Held while a packet is written.
    writing: Arc<Mutex<()>>,
    pub level: u8,
    pub client_id: String,
    /// Publishes of states (retained topics), which are acknowledged at once.
    pub states: Vec<String>,
    waiting: VecDeque<Publish>,
    /// A state on a topic that ends so is not acknowledged; instead the connection ends.
    pub poison: Option<&'static str>,
    /// Version 5: states on topics that end so are refused with this reason.
    pub refused_state: Option<(&'static str, u8)>,
    /// Subscriptions that came, each with its packet id.
    pub subscriptions: Vec<u16>,
    /// What each filter of a subscription is answered; without it there is no answer.
    pub suback: Option<u8>,
    /// A subscription ends the connection.
    pub deaf: bool,
    /// Packet ids of our own publishes that the client has acknowledged.
    pub acknowledged: Vec<u16>,
}

/// So many of those that waited for the connection are in flight at a time.
pub(crate) const BACKLOG: usize = 12;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Publish {
    pub packet_id: u16,
    pub topic: String,
    pub payload: Vec<u8>,
}

/// The number of an alert.
pub(crate) fn number(publish: &Publish) -> u64 {
    event(&publish.payload).sequence.0
}

pub(crate) fn numbers(publishes: &[Publish]) -> Vec<u64> {
    publishes.iter().map(number).collect()
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
        let mut peer = Peer {
            stream,
            writing: Arc::default(),
            level: 0,
            client_id: String::new(),
            states: Vec::new(),
            waiting: VecDeque::new(),
            poison: None,
            refused_state: None,
            subscriptions: Vec::new(),
            suback: Some(1),
            deaf: false,
            acknowledged: Vec::new(),
        };
        let (kind, body) = peer.packet().expect("a CONNECT");
        assert_eq!(kind >> 4, CONNECT);
        // Two bytes of length, "MQTT", then the protocol level: 5, or 4 for 3.1.1.
        peer.level = body[6];
        // Behind it flags, the keep-alive and, in version 5, the properties with their length.
        let properties = if peer.level == 5 { 1 + usize::from(body[10]) } else { 0 };
        let rest = &body[10 + properties..];
        let length = usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        peer.client_id = String::from_utf8(rest[2..2 + length].to_vec()).unwrap();
        peer
    }

    /// Does nobody connect for a while?
    pub(crate) fn is_quiet(&self, time: Duration) -> bool {
        self.listener.set_nonblocking(true).unwrap();
        thread::sleep(time);
        self.listener.accept().is_err()
    }

    /// Takes the next connection with version 3.1.1: says no to version 5 first, if need be.
    pub(crate) fn sign_on_311(&self) -> Peer {
        let mut peer = self.accept();
        if peer.level == 5 {
            peer.send(&[0x20, 3, 0, 0x84, 0]);
            peer = self.accept();
        }
        peer.send(&[0x20, 2, 0, 0]);
        peer
    }

    /// The same, and answers subscriptions so from the beginning.
    pub(crate) fn sign_on_311_and(&self, suback: Option<u8>) -> Peer {
        let mut peer = self.sign_on_311();
        peer.suback = suback;
        peer
    }

    /// Takes the next connection, signs it on with version 5, and answers subscriptions so.
    pub(crate) fn accept_and(&self, suback: Option<u8>) -> Peer {
        let mut peer = self.sign_on();
        peer.suback = suback;
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
        let _guard = self.writing.lock().unwrap();
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
            match self.refused_state {
                Some((end, reason)) if publish.topic.ends_with(end) => {
                    self.refuse(publish.packet_id, reason);
                    continue;
                }
                _ if publish.packet_id != 0 => self.acknowledge(publish.packet_id),
                _ => {}
            }
            self.states.push(publish.topic);
        }
    }

    /// The next publish, whatever it is.
    pub(crate) fn any_publish(&mut self) -> Option<Publish> {
        loop {
            let (kind, body) = self.packet()?;
            match kind >> 4 {
                PUBLISH => return Some(self.parse(kind, &body)),
                PUBACK => self.acknowledged.push(u16::from_be_bytes([body[0], body[1]])),
                PINGREQ => self.send(&[0xd0, 0]),
                SUBSCRIBE if body.windows(10).any(|part| part == b"status/box") => self.has_no_memory(&body),
                SUBSCRIBE if self.deaf => return None,
                SUBSCRIBE => self.subscribed(&body),
                _ => {}
            }
        }
    }

    pub(crate) fn publishes(&mut self, count: usize) -> Vec<Publish> {
        (0..count).map(|_| self.publish().expect("a publish")).collect()
    }

    /// The next publishes, each acknowledged when it comes: the steps of an incident wait for that.
    pub(crate) fn taken(&mut self, count: usize) -> Vec<Publish> {
        let mut taken = Vec::new();
        while taken.len() < count {
            let publish = self.publish().expect("a publish");
            self.acknowledge(publish.packet_id);
            taken.push(publish);
        }
        taken
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

    /// Sends a message of its own.
    pub(crate) fn message(&mut self, topic: &[u8], payload: &[u8], flags: u8, packet_id: u16) {
        let packet = self.packet_of(topic, payload, flags, packet_id);
        self.send(&packet);
    }

    /// Sends the same message of QoS 0 each time it is called; `false` when the client has hung up.
    pub(crate) fn flooder(&self, topic: &[u8], payload: &[u8]) -> impl Fn() -> bool + Send + 'static {
        let (packet, stream) = (self.packet_of(topic, payload, 0, 0), self.stream.try_clone().unwrap());
        // Fifty at a time, so that the packet in which an acknowledgement is written is whole.
        let packets = packet.repeat(50);
        let lock = Arc::clone(&self.writing);
        move || {
            let _guard = lock.lock().unwrap();
            (&stream).write_all(&packets).is_ok()
        }
    }

    pub(crate) fn packet_of(&self, topic: &[u8], payload: &[u8], flags: u8, packet_id: u16) -> Vec<u8> {
        let mut body = u16::try_from(topic.len()).unwrap().to_be_bytes().to_vec();
        body.extend(topic);
        if flags & 0b110 != 0 {
            body.extend(packet_id.to_be_bytes());
        }
        if self.level == 5 {
            body.push(0);
        }
        body.extend(payload);
        let mut packet = vec![0x30 | flags];
        let mut left = body.len();
        loop {
            let byte = (left % 128) as u8;
            left /= 128;
            packet.push(if left > 0 { byte | 0x80 } else { byte });
            if left == 0 {
                break;
            }
        }
        packet.extend(body);
        packet
    }

    /// The box asks what is retained of it: that is not told.
    fn has_no_memory(&mut self, body: &[u8]) {
        let packet_id = [body[0], body[1]];
        if self.level == 5 {
            self.send(&[&[0x90, 4][..], &packet_id, &[0, 0x87]].concat());
        } else {
            self.send(&[&[0x90, 3][..], &packet_id, &[0x80]].concat());
        }
    }

    fn subscribed(&mut self, body: &[u8]) {
        let packet_id = u16::from_be_bytes([body[0], body[1]]);
        self.subscriptions.push(packet_id);
        let Some(code) = self.suback else { return };
        let properties: &[u8] = if self.level == 5 { &[0] } else { &[] };
        let mut filters = &body[2 + properties.len()..];
        let mut codes = Vec::new();
        while let [high, low, rest @ ..] = filters {
            // The filter, and one byte of options behind it.
            filters = &rest[usize::from(u16::from_be_bytes([*high, *low])) + 1..];
            codes.push(code);
        }
        let mut answer = vec![0x90, u8::try_from(2 + properties.len() + codes.len()).unwrap(), body[0], body[1]];
        answer.extend(properties);
        answer.extend(codes);
        self.send(&answer);
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
