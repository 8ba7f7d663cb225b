//! A scripted ONVIF camera on loopback: HTTP for its services, UDP for discovery, and the quirks of real ones.

mod lock;

use std::{
    fmt::Write as _,
    io::{BufReader, Read, Write},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};

use crate::onvif::soap::escaped;

pub(super) const USER: &str = "viewer";
pub(super) const PASSWORD: &str = "sw&rd<fish>";

/// How the camera lets somebody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    Open,
    Token,
    /// The algorithm, and whether with `qop`.
    Digest(&'static str, bool),
    Basic,
}

/// What goes wrong with its answers as such.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// As it should be.
    Well,
    /// In chunks of a few bytes.
    Chunked,
    /// Never anything.
    Silent,
    /// One byte every 50 ms.
    Drip,
    /// A body without an end.
    Endless,
    /// Header lines without an end.
    EndlessHeader,
    /// A redirect.
    Sent(String),
    /// These bytes.
    Raw(&'static str),
}

/// The camera.
#[derive(Clone)]
pub(super) struct Script {
    pub(super) door: Door,
    pub(super) fate: Fate,
    /// The first in its addresses, instead of its own.
    pub(super) said: Option<&'static str>,
    pub(super) clock_ahead: SignedDuration,
    /// Else only capabilities, as before 2011.
    pub(super) knows_services: bool,
    pub(super) media: bool,
    pub(super) media2: bool,
    /// Media2 knows only `RtspUnicast`.
    pub(super) only_unicast: bool,
    /// Inside `GetProfilesResponse` of ver10.
    pub(super) profiles: String,
    /// The path of a stream; `{token}` is the profile's.
    pub(super) stream: &'static str,
    /// A nonce is good for so many requests.
    pub(super) nonce_lasts: u32,
    pub(super) tls: Option<openssl::ssl::SslAcceptor>,
}

impl Default for Script {
    fn default() -> Self {
        Self {
            door: Door::Open,
            fate: Fate::Well,
            said: None,
            clock_ahead: SignedDuration::ZERO,
            knows_services: true,
            media: true,
            media2: false,
            only_unicast: false,
            profiles: [profile("main", "H264", 1920, 1080, 25), profile("sub", "H264", 640, 360, 15)].concat(),
            stream: "rtsp://{host}:554/{token}",
            nonce_lasts: u32::MAX,
            tls: None,
        }
    }
}

/// A profile of ver10.
pub(super) fn profile(token: &str, codec: &str, width: u32, height: u32, rate: u32) -> String {
    format!(
        "<x:Profiles token='{token}' fixed='true'><tt:Name>{token} stream</tt:Name><tt:VideoSourceConfiguration token='v'/>\
         <tt:VideoEncoderConfiguration token='e'><tt:Encoding>{codec}</tt:Encoding><tt:Resolution><tt:Width>{width}</tt:Width>\
         <tt:Height>{height}</tt:Height></tt:Resolution><tt:RateControl><tt:FrameRateLimit>{rate}</tt:FrameRateLimit>\
         <tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>{}</tt:BitrateLimit></tt:RateControl>\
         </tt:VideoEncoderConfiguration></x:Profiles>",
        width * 2
    )
}

/// The camera, for as long as it lives.
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// The name of each request, and how its sender showed who it is.
    pub(super) asked: Arc<Mutex<Vec<String>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        // Wakes the one who waits for a connection.
        let _ = std::net::TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Peer {
    pub(super) fn start(script: Script) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), script)
    }

    pub(super) fn at(address: SocketAddr, script: Script) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let camera = Arc::new(Served { script, address, asked: Arc::clone(&asked), nonce: Mutex::default() });
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || {
                for stream in listener.incoming().flatten() {
                    if stop.load(SeqCst) {
                        break;
                    }
                    let (camera, stop) = (Arc::clone(&camera), Arc::clone(&stop));
                    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
                    thread::spawn(move || match &camera.script.tls {
                        Some(tls) => drop(tls.accept(stream).map(|stream| camera.serve(stream, &stop))),
                        None => camera.serve(stream, &stop),
                    });
                }
            }
        });
        Self { address, asked, stop, thread: Some(thread) }
    }

    /// What was asked since the last call.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// Answers probes at `socket`, as `name`, until the peer is gone. `service` is the address it gives.
    pub(super) fn answer_probes(&self, socket: UdpSocket, name: &str, service: String) {
        let (stop, name) = (Arc::clone(&self.stop), name.to_owned());
        socket.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        thread::spawn(move || {
            let mut buffer = [0; 4096];
            while !stop.load(SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut buffer) else { continue };
                if !String::from_utf8_lossy(&buffer[..length]).contains("dn:NetworkVideoTransmitter") {
                    continue;
                }
                let answer = format!(
                    r#"<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope" xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing"
                    xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:n="http://www.onvif.org/ver10/network/wsdl"><e:Body>
                    <d:ProbeMatches><d:ProbeMatch><w:EndpointReference><w:Address>urn:uuid:{name}</w:Address></w:EndpointReference>
                    <d:Types>n:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/{name}
                    onvif://www.onvif.org/hardware/X1</d:Scopes><d:XAddrs>{service}</d:XAddrs></d:ProbeMatch></d:ProbeMatches>
                    </e:Body></e:Envelope>"#
                );
                let _ = socket.send_to(answer.as_bytes(), from);
            }
        });
    }
}

/// A UDP socket that hears what is sent to the group over the interface of `address`.
pub(super) fn member(address: Ipv4Addr, port: u16) -> UdpSocket {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    // Else it hears all interfaces on which anybody on this machine is a member.
    socket.set_multicast_all_v4(false).unwrap();
    socket.bind(&SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)).into()).unwrap();
    let socket = UdpSocket::from(socket);
    socket.join_multicast_v4(&Ipv4Addr::new(239, 255, 255, 250), &address).unwrap();
    socket
}

struct Served {
    script: Script,
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    /// The number of the present nonce, and how often it was used.
    nonce: Mutex<(u32, u32)>,
}

impl Served {
    fn serve(&self, stream: impl Read + Write, stop: &AtomicBool) {
        let mut reader = BufReader::new(stream);
        let Some((head, body)) = read_request(&mut reader) else { return };
        let out = reader.get_mut();
        let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
        let slowly = |out: &mut dyn Write, text: &[u8], pause: u64| {
            for byte in text {
                thread::sleep(Duration::from_millis(pause));
                if stop.load(SeqCst) || out.write_all(&[*byte]).and_then(|()| out.flush()).is_err() {
                    break;
                }
            }
        };
        match &self.script.fate {
            Fate::Silent => {
                while !stop.load(SeqCst) {
                    thread::sleep(Duration::from_millis(20));
                }
            }
            Fate::Drip => slowly(out, format!("HTTP/1.1 200 OK\r\n\r\n{}", "<a>".repeat(5000)).as_bytes(), 50),
            Fate::Endless => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
                while out.write_all(&[b'<'; 4096]).is_ok() {}
            }
            Fate::EndlessHeader => {
                let _ = out.write_all(b"HTTP/1.1 200 OK\r\n");
                while out.write_all(b"X-More: of it\r\n").is_ok() {}
            }
            Fate::Raw(text) => drop(out.write_all(text.as_bytes())),
            Fate::Sent(to) if !path.ends_with("/there") => {
                drop(write!(out, "HTTP/1.1 307 Temporary Redirect\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
            }
            fate => {
                let (status, header, text) = self.answer(&path, &head, &body);
                let head =
                    format!("HTTP/1.1 {status}\r\n{header}Content-Type: application/soap+xml; charset=utf-8\r\n");
                let whole = if *fate == Fate::Chunked {
                    text.as_bytes().chunks(7).fold(head + "Transfer-Encoding: chunked\r\n\r\n", |mut whole, chunk| {
                        let _ = write!(whole, "{:x}\r\n{}\r\n", chunk.len(), String::from_utf8_lossy(chunk));
                        whole
                    }) + "0\r\n\r\n"
                } else {
                    format!("{head}Content-Length: {}\r\n\r\n{text}", text.len())
                };
                let _ = out.write_all(whole.as_bytes());
            }
        }
        let _ = out.flush();
    }

    /// Status, more header lines, body.
    fn answer(&self, path: &str, head: &str, body: &str) -> (&'static str, String, String) {
        let document = roxmltree::Document::parse(body).unwrap();
        let asked = document.descendants().find(|node| node.tag_name().name() == "Body").unwrap();
        let asked = asked.first_element_child().unwrap();
        let name = asked.tag_name().name().to_owned();
        let (token, digest) = (
            body.contains("UsernameToken"),
            head.contains("Authorization: Digest") || head.contains("authorization: Digest"),
        );
        let shows = if token {
            " with a token"
        } else if digest {
            " with a digest"
        } else {
            ""
        };
        self.asked.lock().unwrap().push(format!("{name}{shows}"));
        assert!(!format!("{head}{body}").contains(PASSWORD), "the password itself was sent");

        let free = matches!(name.as_str(), "GetSystemDateAndTime" | "GetServices" | "GetCapabilities");
        let (demand, welcome) = match self.script.door {
            Door::Open => (None, true),
            Door::Token => (None, self.takes_token(&document)),
            Door::Digest(algorithm, qop) => {
                let (nonce, good) = self.takes_digest(algorithm, head, path);
                let qop = if qop { ", qop=\"auth\"" } else { "" };
                (Some(format!("Digest realm=\"cam\", nonce=\"{nonce}\", algorithm={algorithm}{qop}")), good)
            }
            Door::Basic => (Some("Basic realm=\"cam\"".to_owned()), false),
        };
        if !free && !welcome {
            let Some(demand) = demand else {
                let fault = "<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:NotAuthorized</s:Value></s:Subcode>\
                             </s:Code><s:Reason><s:Text xml:lang='en'>Sender not Authorized</s:Text></s:Reason></s:Fault>";
                return ("400 Bad Request", String::new(), self.envelope(fault));
            };
            return ("401 Unauthorized", format!("WWW-Authenticate: {demand}\r\n"), String::new());
        }
        let inside = self.inside(&name, asked);
        let Some(inside) = inside else {
            let fault = "<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>ter:ActionNotSupported</s:Value>\
                         </s:Subcode></s:Code><s:Reason><s:Text xml:lang='en'>Optional Action Not Implemented</s:Text></s:Reason></s:Fault>";
            return ("500 Internal Server Error", String::new(), self.envelope(fault));
        };
        let service = asked.tag_name().namespace().unwrap();
        (
            "200 OK",
            String::new(),
            self.envelope(&format!("<x:{name}Response xmlns:x='{service}'>{inside}</x:{name}Response>")),
        )
    }

    fn envelope(&self, inside: &str) -> String {
        format!(
            "\u{feff}\r\n<?xml version='1.0' encoding='utf-8'?>\n<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope' \
             xmlns:ter='http://www.onvif.org/ver10/error' xmlns:tt='http://www.onvif.org/ver10/schema'><s:Header/><s:Body>{inside}\
             </s:Body></s:Envelope>"
        )
    }

    fn inside(&self, name: &str, asked: roxmltree::Node<'_, '_>) -> Option<String> {
        let script = &self.script;
        let own = self.address.ip().to_string();
        let host = script.said.unwrap_or(&own);
        let scheme = if script.tls.is_some() { "https" } else { "http" };
        let at = |path: &str| format!("{scheme}://{host}:{}/onvif/{path}", self.address.port());
        let second = asked.tag_name().namespace() == Some("http://www.onvif.org/ver20/media/wsdl");
        Some(match name {
            "GetSystemDateAndTime" => {
                let now = Timestamp::now().checked_add(script.clock_ahead).unwrap().to_zoned(jiff::tz::TimeZone::UTC);
                format!(
                    "<x:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType><tt:UTCDateTime><tt:Time><tt:Hour>{}</tt:Hour>\
                     <tt:Minute>{}</tt:Minute><tt:Second>{}</tt:Second></tt:Time><tt:Date><tt:Year>{}</tt:Year><tt:Month>{}</tt:Month>\
                     <tt:Day>{}</tt:Day></tt:Date></tt:UTCDateTime></x:SystemDateAndTime>",
                    now.hour(), now.minute(), now.second(), now.year(), now.month(), now.day()
                )
            }
            "GetServices" if script.knows_services => {
                let service = |space: &str, path: &str| {
                    format!("<x:Service><x:Namespace>http://www.onvif.org/{space}/wsdl</x:Namespace><x:XAddr>{}</x:XAddr></x:Service>", at(path))
                };
                let mut services = service("ver10/device", "device_service");
                let offers = [(script.media, "ver10/media", "media"), (script.media2, "ver20/media", "media2")];
                services.extend(offers.into_iter().filter(|offer| offer.0).map(|(_, space, path)| service(space, path)));
                services
            }
            "GetCapabilities" => {
                let media = script.media.then(|| format!("<tt:Media><tt:XAddr>{}</tt:XAddr></tt:Media>", at("media")));
                format!("<x:Capabilities>{}</x:Capabilities>", media.unwrap_or_default())
            }
            "GetDeviceInformation" => "<x:Manufacturer>ACME</x:Manufacturer><x:Model>X1</x:Model>\
                                       <x:FirmwareVersion>1.2</x:FirmwareVersion>".to_owned(),
            "GetScopes" => "<x:Scopes><tt:ScopeItem>onvif://www.onvif.org/name/Gate%207</tt:ScopeItem></x:Scopes>".to_owned(),
            "GetProfiles" if second => "<x:Profiles token='m2'><x:Name>Media 2</x:Name><x:Configurations><x:VideoSource/><x:VideoEncoder>\
                 <tt:Encoding>H265</tt:Encoding><tt:Resolution><tt:Width>2560</tt:Width><tt:Height>1440</tt:Height></tt:Resolution>\
                 <tt:RateControl><tt:FrameRateLimit>20</tt:FrameRateLimit><tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl>\
                 </x:VideoEncoder></x:Configurations></x:Profiles>".to_owned(),
            "GetProfiles" => script.profiles.clone(),
            "GetStreamUri" => {
                let text = |name| asked.descendants().find(|node| node.tag_name().name() == name).and_then(|node| node.text());
                let good: &[&str] = if script.only_unicast { &["RtspUnicast"] } else { &["RTSP", "RtspUnicast"] };
                if !good.contains(&text("Protocol").unwrap()) {
                    return None;
                }
                let uri = script.stream.replace("{host}", host).replace("{token}", text("ProfileToken").unwrap());
                let uri = escaped(&uri);
                if second { format!("<x:Uri>{uri}</x:Uri>") } else { format!("<x:MediaUri><tt:Uri>{uri}</tt:Uri></x:MediaUri>") }
            }
            _ => return None,
        })
    }
}

/// The head with its lines, and the body. The head's names are as they came.
fn read_request(reader: &mut impl std::io::BufRead) -> Option<(String, String)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line == "\r\n" {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        head += &line;
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, String::from_utf8(body).ok()?))
}

/// An address with a port that the system chooses.
pub(super) fn any_port(ip: IpAddr) -> SocketAddr {
    (ip, 0).into()
}
