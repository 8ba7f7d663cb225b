use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs as _, UdpSocket},
    str::FromStr,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use if_addrs::IfAddr;
use socket2::{Domain, Protocol, Socket, Type};
use uuid::Uuid;

use super::{
    Introduction, Problem, Search,
    http::Url,
    probe::{self, KINDS, Match},
};

/// WS-Discovery, section 2.4.
const GROUP: Ipv4Addr = Ipv4Addr::new(239, 255, 255, 250);

/// More than a box could watch, many times over.
const MOST_CAMERAS: usize = 256;

/// So that none can crowd out the others, neither among the cameras nor, while answers come in, among those;
/// a recorder with 32 channels may show each as a camera.
const MOST_OF_ONE_HOST: usize = 32;

/// A machine has a few; one with many containers has more than is useful.
const MOST_INTERFACES: usize = 32;

/// For the resolver, which has no limit of its own.
const NAME_LIMIT: Duration = Duration::from_secs(5);

/// A camera to look at by its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Name or address; IPv6 without brackets.
    name: String,
    /// Where it is to be asked, if that is said.
    service: Option<Url>,
    /// Its port goes for all services, as behind a router that passes one port on.
    port: Option<u16>,
}

/// Why a text names no camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write HOST, HOST:PORT or http://HOST:PORT/PATH")]
pub struct HostError;

impl FromStr for Host {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if text.contains("://") {
            let service = Url::parse(text).filter(|_| !text.contains('@')).ok_or(HostError)?;
            return Ok(Self { name: service.host.clone(), port: Some(service.port), service: Some(service) });
        }
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self { name: ip.to_string(), service: None, port: None });
        }
        // A path or a login behind it would be lost.
        let url = Url::parse(&format!("http://{text}")).filter(|_| !text.contains(['/', '@', '?', '#']));
        let url = url.ok_or(HostError)?;
        let port = text.ends_with(&format!(":{}", url.port)).then_some(url.port);
        Ok(Self { name: url.host, service: None, port })
    }
}

/// Where a camera is, and what it said of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// As it stands in addresses: what the installer wrote, or where the answer came from.
    pub(super) host: String,
    /// The address of `host`, if there is one.
    pub(super) peer: Option<IpAddr>,
    pub(super) introduction: Introduction,
    port: Option<u16>,
    services: Vec<Url>,
}

impl Place {
    /// Where its service may be, the best first.
    pub(super) fn services(&self) -> Vec<Url> {
        /// A camera with both protocols, on two networks.
        const MOST: usize = 4;
        let mut services: Vec<Url> = Vec::new();
        for url in self.services.iter().cloned().map(|url| self.own(url)) {
            if !services.contains(&url) {
                services.push(url);
            }
        }
        services.truncate(MOST);
        if services.is_empty() { vec![self.usual_service()] } else { services }
    }

    /// The one that each ONVIF device has to have (ONVIF Core, section 5.1.1).
    pub(super) fn usual_service(&self) -> Url {
        let path = "/onvif/device_service".to_owned();
        self.own(Url { tls: false, host: self.host.clone(), port: 80, path })
    }

    /// The resolver knows no such name.
    pub(super) const fn is_unknown(&self) -> bool {
        self.peer.is_none()
    }

    /// The address of a service, at this place. A camera may not know how it is reached, and none is to send us
    /// anywhere else.
    pub(super) fn own(&self, url: Url) -> Url {
        let port = self.port.unwrap_or(url.port);
        Url { port, ..url }.at(&self.host)
    }
}

/// Who answered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Heard {
    pub(super) places: Vec<Place>,
    pub(super) remarks: Vec<String>,
}

/// Asks who is there, and listens. Hosts that are named are taken as they are if they do not answer.
pub(super) fn listen(search: &Search, port: u16) -> Result<Heard, Problem> {
    if search.hosts.is_empty() { everybody(search.wait, port) } else { Ok(named(search, port)) }
}

/// Asks on all interfaces at once.
fn everybody(wait: Duration, port: u16) -> Result<Heard, Problem> {
    let interfaces = if_addrs::get_if_addrs().map_err(|why| Problem::NoNetwork(why.to_string()))?;
    let addresses = interfaces.into_iter().filter(|interface| !interface.is_loopback());
    let addresses: Vec<_> = addresses
        .filter_map(|interface| match interface.addr {
            // Cameras answer on IPv4; those with IPv6 alone are not known.
            IfAddr::V4(v4) => Some((interface.name, v4.ip)),
            IfAddr::V6(_) => None,
        })
        .take(MOST_INTERFACES)
        .collect();
    if addresses.is_empty() {
        return Err(Problem::NoNetwork("this machine has no network interface with an IPv4 address".to_owned()));
    }
    // SOAP-over-UDP 1.0, appendix I: MULTICAST_UDP_REPEAT.
    let times = schedule(4);
    let asked = thread::scope(|scope| {
        let ask = |address: Ipv4Addr| {
            let times = &times;
            scope.spawn(move || {
                let socket = multicast_socket(address)?;
                converse(&socket, (GROUP, port).into(), times, wait, None)
            })
        };
        let threads: Vec<_> = addresses.into_iter().map(|(name, address)| (name, address, ask(address))).collect();
        let ended = threads.into_iter().map(|(name, address, thread)| {
            (name, address, thread.join().unwrap_or_else(|_| Err(io::Error::other("the search broke off"))))
        });
        ended.collect::<Vec<_>>()
    });
    let (mut answers, mut remarks) = (Answers::default(), Vec::new());
    let mut sent = false;
    for (name, address, result) in asked {
        match result {
            Ok(heard) => {
                sent = true;
                answers.kept.extend(heard.kept);
                answers.left_out += heard.left_out;
            }
            Err(why) => remarks.push(format!("{name} ({address}): nobody could be asked there: {why}")),
        }
    }
    if !sent {
        return Err(Problem::NoNetwork(remarks.join("; ")));
    }
    let (places, merged_out) = merge(answers.kept);
    let left_out = answers.left_out + merged_out;
    if left_out > 0 {
        remarks.push(format!("{left_out} more answers were left out; name the cameras with --host to see them"));
    }
    Ok(Heard { places, remarks })
}

fn multicast_socket(address: Ipv4Addr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_multicast_if_v4(&address)?;
    // Not beyond the router (SOAP-over-UDP, section 3.2).
    socket.set_multicast_ttl_v4(1)?;
    socket.bind(&SocketAddr::from((address, 0)).into())?;
    Ok(socket.into())
}

/// Asks each host by itself.
fn named(search: &Search, port: u16) -> Heard {
    // UNICAST_UDP_REPEAT.
    let times = schedule(2);
    let look = |host: &Host| -> Vec<Place> {
        let plain = |peer| Place {
            host: host.name.clone(),
            peer,
            introduction: Introduction::default(),
            port: host.port,
            services: host.service.clone().into_iter().collect(),
        };
        let Some(ip) = address(&host.name) else { return vec![plain(None)] };
        if host.port.is_some() {
            // Whoever names a port knows where to ask.
            return vec![plain(Some(ip))];
        }
        let any: IpAddr =
            if ip.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { std::net::Ipv6Addr::UNSPECIFIED.into() };
        let heard = UdpSocket::bind((any, 0))
            .and_then(|socket| converse(&socket, (ip, port).into(), &times, search.wait, Some(ip)));
        let (mut places, _) = merge(heard.unwrap_or_default().kept);
        for place in &mut places {
            (place.host, place.peer) = (host.name.clone(), Some(ip));
        }
        // Many cameras answer only to the group, and the way there may be longer than that reaches.
        if places.is_empty() { vec![plain(Some(ip))] } else { places }
    };
    let places = thread::scope(|scope| {
        let threads: Vec<_> = search.hosts.iter().map(|host| scope.spawn(|| look(host))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    });
    Heard { places, remarks: Vec::new() }
}

/// The first address of a name.
fn address(name: &str) -> Option<IpAddr> {
    if let Ok(ip) = name.parse() {
        return Some(ip);
    }
    let (tell, told) = mpsc::sync_channel(1);
    let name = name.to_owned();
    let resolver = thread::Builder::new().name("karaul-resolve".to_owned());
    // The thread may outlast the limit; then nobody listens to it any more.
    let started = resolver.spawn(move || {
        let found = (name.as_str(), 0).to_socket_addrs().ok().and_then(|mut found| found.next());
        let _ = tell.send(found.map(|address| address.ip()));
    });
    started.ok().and_then(|_| told.recv_timeout(NAME_LIMIT).ok()).flatten()
}

/// When to send, counted from the first: SOAP-over-UDP 1.0, appendix I. The first pause is 50 to 250 ms, by chance so
/// that machines that were started together do not speak together; each further one is twice as long, up to 500 ms.
fn schedule(repeat: usize) -> Vec<Duration> {
    const LONGEST: u64 = 500;
    let (mut at, mut pause) = (0, fastrand::u64(50..=250));
    let mut times = vec![Duration::ZERO];
    for _ in 0..repeat {
        at += pause;
        pause = (pause * 2).min(LONGEST);
        times.push(Duration::from_millis(at));
    }
    times
}

/// What has come in.
#[derive(Debug, Default)]
struct Answers {
    kept: Vec<(IpAddr, Match)>,
    left_out: usize,
}

impl Answers {
    /// Takes one, if there is room. A host answers to each of [`KINDS`]; what it says twice is kept once.
    fn take(&mut self, from: IpAddr, found: Match) {
        let answer = (from, found);
        if self.kept.contains(&answer) {
            return;
        }
        let of_host = self.kept.iter().filter(|(other, _)| *other == from).count();
        if self.kept.len() < MOST_CAMERAS * KINDS.len() && of_host < MOST_OF_ONE_HOST * KINDS.len() {
            self.kept.push(answer);
        } else {
            self.left_out += 1;
        }
    }
}

/// Sends the questions when it is time, and collects the answers for `wait`. From `only` one answer is enough.
fn converse(
    socket: &UdpSocket,
    to: SocketAddr,
    times: &[Duration],
    wait: Duration,
    only: Option<IpAddr>,
) -> io::Result<Answers> {
    // Repetitions have the same id, so that whoever heard the first does not answer again.
    let questions = KINDS.map(|kind| probe::question(Uuid::now_v7(), kind));
    let (begun, mut due, mut heard) = (Instant::now(), times.iter().peekable(), Answers::default());
    let mut buffer = vec![0; 65_536];
    loop {
        let now = begun.elapsed();
        if now >= wait {
            return Ok(heard);
        }
        while due.next_if(|time| **time <= now).is_some() {
            for question in &questions {
                if let Err(why) = socket.send_to(question.as_bytes(), to) {
                    return if heard.kept.is_empty() { Err(why) } else { Ok(heard) };
                }
            }
        }
        let next = due.peek().map_or(wait, |time| wait.min(**time));
        // Zero would mean for ever.
        socket.set_read_timeout(Some(next.saturating_sub(now).max(Duration::from_millis(1))))?;
        match socket.recv_from(&mut buffer) {
            Ok((length, from)) if only.is_none_or(|only| only == from.ip()) => {
                let found = probe::matches(&buffer[..length]);
                let done = only.is_some() && !found.is_empty();
                found.into_iter().for_each(|found| heard.take(from.ip(), found));
                if done {
                    return Ok(heard);
                }
            }
            Ok(_) => {}
            Err(why) if matches!(why.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            Err(why) => return if heard.kept.is_empty() { Err(why) } else { Ok(heard) },
        }
    }
}

/// One place for each camera, and how many answers were left out.
///
/// A camera answers several times, and on each of its networks. Two answers are of one camera if two of these three
/// agree: where they came from, the address that never changes, and the service. No single one is enough: recorders
/// have many cameras behind one address, and there are makers who give all cameras the same "unique" one.
fn merge(answers: Vec<(IpAddr, Match)>) -> (Vec<Place>, usize) {
    let mut kept: Vec<(IpAddr, Match)> = Vec::new();
    let mut left_out = 0;
    for (from, found) in answers {
        let same = |(other, known): &(IpAddr, Match)| {
            let endpoint =
                found.introduction.endpoint.is_some() && found.introduction.endpoint == known.introduction.endpoint;
            let service = found.services == known.services
                || found.services.iter().any(|service| known.services.contains(service));
            u8::from(*other == from) + u8::from(endpoint) + u8::from(service) >= 2
        };
        if let Some((_, known)) = kept.iter_mut().find(|known| same(known)) {
            let new: Vec<_> = found.services.into_iter().filter(|service| !known.services.contains(service)).collect();
            known.services.extend(new);
            continue;
        }
        let of_host = kept.iter().filter(|(other, _)| *other == from).count();
        if kept.len() >= MOST_CAMERAS || of_host >= MOST_OF_ONE_HOST {
            left_out += 1;
        } else {
            kept.push((from, found));
        }
    }
    (kept.into_iter().map(place).collect(), left_out)
}

fn place((from, found): (IpAddr, Match)) -> Place {
    let host = from.to_string();
    let mut services: Vec<Url> = found.services.iter().filter_map(|service| Url::parse(service)).collect();
    // First what it says of the address that answered, then of one like it; the others are put there by force.
    services.sort_by_key(|url| (url.host != host, url.host.contains(':')));
    Place { host, peer: Some(from), introduction: found.introduction, port: None, services }
}

#[cfg(test)]
mod tests;
