//! Pictures on their way to one viewer.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use super::{End, LOOK, Script, Stamps, State, When, rtp::Stream, wire::Wire};

/// Ticks of the video clock in a second.
const TICKS: u64 = 90_000;

/// Between two sender reports (RFC 3550, 6.2).
const REPORT: Duration = Duration::from_secs(5);

/// A picture that is later than this is not caught up with: the schedule moves instead.
const LATE: Duration = Duration::from_millis(500);

/// So often a pair of ports is looked for.
const ATTEMPTS: usize = 50;

/// How a viewer wants its packets.
#[derive(Debug)]
pub(super) enum Transport {
    /// Between the answers, on these channels.
    Interleaved { rtp: u8, rtcp: u8 },
    /// From our sockets for packets and reports to the viewer's.
    Udp { ours: [UdpSocket; 2], port: u16, asked: u16 },
}

impl Transport {
    /// Reads the header `Transport` of a request. `shift` moves the viewer's port.
    pub(super) fn asked(header: &str, shift: u16) -> io::Result<Self> {
        let pair = |name: &str| {
            let value = header.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))?;
            Some(value.split('-').next().unwrap_or_default().trim().to_owned())
        };
        if header.contains("/TCP") {
            let rtp = pair("interleaved").and_then(|first| first.parse().ok()).unwrap_or(0_u8);
            return Ok(Self::Interleaved { rtp, rtcp: rtp.wrapping_add(1) });
        }
        let asked: u16 = pair("client_port").and_then(|first| first.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self::Udp { ours: sockets()?, port: asked.wrapping_add(shift), asked })
    }

    /// The header of the answer.
    pub(super) fn answer(&self) -> String {
        match self {
            Self::Interleaved { rtp, rtcp } => format!("RTP/AVP/TCP;unicast;interleaved={rtp}-{rtcp}"),
            Self::Udp { port, .. } => {
                let ours = self.ports().map_or(0, |(_, ours)| ours);
                format!(
                    "RTP/AVP;unicast;client_port={port}-{};server_port={ours}-{}",
                    port.wrapping_add(1),
                    ours.wrapping_add(1)
                )
            }
        }
    }

    /// The viewer's port as it was asked for and ours, over UDP.
    pub(super) fn ports(&self) -> Option<(u16, u16)> {
        match self {
            Self::Interleaved { .. } => None,
            Self::Udp { ours, asked, .. } => Some((*asked, ours[0].local_addr().ok()?.port())),
        }
    }

    fn send(&self, wire: &Wire, packet: &[u8], control: bool) -> io::Result<()> {
        match self {
            Self::Interleaved { rtp, rtcp } => {
                let length = u16::try_from(packet.len()).map_err(|_| io::ErrorKind::InvalidData)?;
                let mut framed = vec![b'$', if control { *rtcp } else { *rtp }];
                framed.extend(length.to_be_bytes());
                framed.extend(packet);
                wire.write(&framed)
            }
            Self::Udp { ours, port, .. } => {
                let [rtp, rtcp] = ours;
                let (socket, port) = if control { (rtcp, port.wrapping_add(1)) } else { (rtp, *port) };
                // Refused where nobody listens (yet): a datagram may go lost.
                let _ = socket.send_to(packet, SocketAddr::from(([127, 0, 0, 1], port)));
                Ok(())
            }
        }
    }
}

/// Two sockets on neighbouring ports.
fn sockets() -> io::Result<[UdpSocket; 2]> {
    for _ in 0..ATTEMPTS {
        let first = UdpSocket::bind(("127.0.0.1", 0))?;
        let port = first.local_addr()?.port();
        if let Some(next) = port.checked_add(1)
            && let Ok(second) = UdpSocket::bind(("127.0.0.1", next))
        {
            return Ok([first, second]);
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

/// Sends pictures until the viewer goes or the script ends them.
pub(super) fn send(wire: &Arc<Wire>, state: &State, transport: &Transport) {
    if let Some(end) = show(wire, state, transport) {
        wire.end(end);
    }
}

/// Shows the clip; how that is to end, `None` if it has.
fn show(wire: &Wire, state: &State, transport: &Transport) -> Option<End> {
    let mut script = state.script();
    let mut clip = Arc::clone(&script.clip);
    let mut stream = Stream::new(clip.coding, script.payload_type, 0x4b61_7261, script.sequence);
    let mut random = fastrand::Rng::with_seed(7);
    let (begin, mut reported) = (Instant::now(), None::<Instant>);
    let (mut due, mut index, mut shown) = (begin, 0, 0_u64);
    loop {
        while Instant::now() < due || state.frozen.load(std::sync::atomic::Ordering::SeqCst) {
            if wire.is_over() {
                return None;
            }
            thread::sleep(LOOK.min(due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))));
        }
        script = state.script();
        if !Arc::ptr_eq(&clip, &script.clip) {
            clip = Arc::clone(&script.clip);
            (index, stream.coding) = (0, clip.coding);
        }
        let ended = match script.end {
            Some((When::After(length), end)) if begin.elapsed() >= length => Some(end),
            Some((When::ClipEnd, end)) if shown >= clip.pictures.len() as u64 => Some(end),
            _ => wire.asked_end(),
        };
        let stamp = stamp(&script, shown * TICKS / u64::from(clip.rate), &mut random);
        if let Some(end) = ended {
            if end == End::Bye {
                let goodbye = [report(&stream, stamp), stream.goodbye()].concat();
                let _ = transport.send(wire, &goodbye, true);
                return None;
            }
            return (end != End::Silence).then_some(end);
        }
        let picture = clip.pictures.get(index)?;
        for packet in stream.packets(picture, stamp) {
            let lost = transport.ports().is_some() && random.f64() < script.loss;
            if !lost && transport.send(wire, &packet, false).is_err() {
                return None;
            }
        }
        if reported.is_none_or(|at| at.elapsed() >= REPORT) {
            reported = Some(Instant::now());
            if transport.send(wire, &report(&stream, stamp), true).is_err() {
                return None;
            }
        }
        state.count(|tally| tally.pictures += 1);
        shown += 1;
        index = (index + 1) % clip.pictures.len();
        due += Duration::from_secs(1) / clip.rate;
        if due.elapsed() > LATE {
            due = Instant::now();
        }
    }
}

fn report(stream: &Stream, stamp: u32) -> Vec<u8> {
    stream.report(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(), stamp)
}

/// The time stamp of a picture that is so many ticks behind the first.
fn stamp(script: &Script, ticks: u64, random: &mut fastrand::Rng) -> u32 {
    // A wrapping clock: RTP counts modulo 2^32.
    let steady = script.stamp.wrapping_add(ticks as u32);
    match script.stamps {
        Stamps::Steady => steady,
        Stamps::Moved(ticks) => steady.wrapping_add_signed(ticks),
        Stamps::Still => script.stamp,
        Stamps::Wild => random.u32(..),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_gets_the_transport_it_asks_for() {
        let tcp = Transport::asked("RTP/AVP/TCP;unicast;interleaved=2-3", 0).unwrap();
        assert_eq!(tcp.answer(), "RTP/AVP/TCP;unicast;interleaved=2-3");
        let udp = Transport::asked("RTP/AVP;unicast;client_port=5000-5001", 10).unwrap();
        let (asked, ours) = udp.ports().unwrap();
        assert_eq!(asked, 5000);
        assert_eq!(udp.answer(), format!("RTP/AVP;unicast;client_port=5010-5011;server_port={ours}-{}", ours + 1));
        assert!(Transport::asked("RTP/AVP;multicast", 0).is_err());
    }
}
