//! One viewer: its requests and the answers.

use std::{
    io::{self, BufRead, BufReader, Read},
    sync::Arc,
    thread,
};

use super::{
    Answer, Script, State,
    media::{self, Transport},
    wire::Wire,
};

/// More than this is no request.
const LONGEST: u64 = 64 << 10;

/// A huge answer is written in pieces like this.
const PIECE: usize = 64 << 10;

/// Of all sessions: a viewer has one connection, and a connection one session.
const SESSION: &str = "12345678";

/// One request.
#[derive(Debug, Default, PartialEq, Eq)]
struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
}

impl Request {
    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Answers until the viewer goes, or the script has had enough of it.
pub(super) fn serve(wire: &Arc<Wire>, state: &Arc<State>) {
    struct Reader<'a>(&'a Wire);
    impl Read for Reader<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.0.read(into)
        }
    }
    let mut input = BufReader::new(Reader(wire));
    let mut transport = None;
    while let Ok(Some(request)) = next(&mut input) {
        state.count(|tally| *tally.requests.entry(request.method.clone()).or_default() += 1);
        let script = state.script();
        if request.method == "SETUP" {
            transport = Transport::asked(request.header("Transport").unwrap_or_default(), script.port_shift).ok();
        }
        let answered = answer(wire, state, &script, &request, transport.as_ref());
        match answered {
            Ok(true) => {}
            Ok(false) | Err(_) => return,
        }
        if request.method == "PLAY"
            && plays(&script)
            && let Some(transport) = transport.take()
        {
            let (wire, state) = (Arc::clone(wire), Arc::clone(state));
            // Without a thread there are no pictures, which the viewer will say.
            let _ = thread::Builder::new()
                .name("peer-media".to_owned())
                .spawn(move || media::send(&wire, &state, &transport));
        }
    }
}

/// Do pictures follow the answer to PLAY?
fn plays(script: &Script) -> bool {
    match script.answers.get("PLAY") {
        None => true,
        Some(Answer::Said(text)) => text.starts_with("RTSP/1.0 200"),
        Some(_) => false,
    }
}

/// The next request; what RTCP comes in between is left aside. `None` at the end.
fn next(input: &mut impl BufRead) -> io::Result<Option<Request>> {
    loop {
        match input.fill_buf()?.first() {
            None => return Ok(None),
            Some(b'$') => {
                let mut head = [0; 4];
                input.read_exact(&mut head)?;
                io::copy(&mut input.take(u64::from(u16::from_be_bytes([head[2], head[3]]))), &mut io::sink())?;
            }
            Some(_) => break,
        }
    }
    let mut line = || -> io::Result<String> {
        let mut text = String::new();
        input.take(LONGEST).read_line(&mut text)?;
        Ok(text.trim_end().to_owned())
    };
    let first = line()?;
    let mut words = first.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next().unwrap_or_default(),
        url: words.next().unwrap_or_default(),
        headers: Vec::new(),
    };
    while let Some((name, value)) = line()?.split_once(':') {
        request.headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = request.header("Content-Length").and_then(|length| length.parse().ok()).unwrap_or_default();
    io::copy(&mut input.take(length), &mut io::sink())?;
    Ok(Some(request))
}

/// Answers one request; false if that ends the connection.
fn answer(
    wire: &Wire,
    state: &State,
    script: &Script,
    request: &Request,
    transport: Option<&Transport>,
) -> io::Result<bool> {
    let head = format!("CSeq: {}\r\n", request.header("CSeq").unwrap_or("0"));
    let whole = |status: &str, lines: &[String], body: &str| {
        let lines: String = lines.iter().map(|line| format!("{line}\r\n")).collect();
        let length = if body.is_empty() { String::new() } else { format!("Content-Length: {}\r\n", body.len()) };
        format!("RTSP/1.0 {status}\r\n{head}{lines}{length}\r\n{body}")
    };
    if let Some(login) = script.login.as_ref().filter(|_| request.method != "OPTIONS") {
        let given = request.header("Authorization");
        if !given.is_some_and(|given| login.admits(&request.method, given)) {
            state.count(|tally| tally.wrong_logins += u64::from(given.is_some()));
            wire.write(whole("401 Unauthorized", &login.challenges(), "").as_bytes())?;
            return Ok(true);
        }
    }
    let base = format!("Content-Base: {}/", request.url);
    let described = ["Content-Type: application/sdp".to_owned(), base];
    match script.answers.get(&request.method) {
        None => wire.write(usual(script, request, transport, &described, whole).as_bytes())?,
        Some(Answer::Status(status, lines)) => wire.write(whole(status, lines, "").as_bytes())?,
        Some(Answer::Said(text)) => wire.write(said(text, request, transport).as_bytes())?,
        Some(Answer::Silence) => {}
        Some(Answer::HangUp) => return Ok(false),
        Some(Answer::Huge(length)) => {
            let sdp = script.description();
            let lines = described.join("\r\n");
            let total = sdp.len() + length;
            wire.write(format!("RTSP/1.0 200 OK\r\n{head}{lines}\r\nContent-Length: {total}\r\n\r\n{sdp}").as_bytes())?;
            let line = b"a=x-nothing:0123456789012345678901234567890123456789\r\n";
            let piece: Vec<u8> = line.iter().copied().cycle().take(PIECE).collect();
            let mut left = *length;
            while left > 0 {
                let count = left.min(PIECE);
                wire.write(&piece[..count])?;
                left -= count;
            }
        }
        Some(Answer::EndlessHeader) => {
            wire.write(format!("RTSP/1.0 200 OK\r\n{head}").as_bytes())?;
            let piece = "X-Nothing: 0123456789012345678901234567890123456789\r\n".repeat(64);
            while !wire.is_over() {
                wire.write(piece.as_bytes())?;
            }
            return Ok(false);
        }
    }
    Ok(request.method != "TEARDOWN")
}

/// What a camera says that is well.
fn usual(
    script: &Script,
    request: &Request,
    transport: Option<&Transport>,
    described: &[String],
    whole: impl Fn(&str, &[String], &str) -> String,
) -> String {
    let session = format!("Session: {SESSION};timeout={}", script.session_limit);
    match (request.method.as_str(), transport) {
        ("OPTIONS", _) => {
            let methods = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER";
            whole("200 OK", &[methods.to_owned()], "")
        }
        ("DESCRIBE", _) => whole("200 OK", described, &script.description()),
        ("SETUP", Some(transport)) => whole("200 OK", &[session, format!("Transport: {}", transport.answer())], ""),
        ("SETUP", None) => whole("461 Unsupported Transport", &[], ""),
        ("PLAY", _) => {
            let info = format!("RTP-Info: url={}track1;seq={};rtptime={}", request.url, script.sequence, script.stamp);
            whole("200 OK", &[session, info], "")
        }
        ("TEARDOWN" | "GET_PARAMETER" | "SET_PARAMETER", _) => whole("200 OK", &[session], ""),
        _ => whole("501 Not Implemented", &[], ""),
    }
}

/// A recorded answer, with what depends on the request put in.
fn said(text: &str, request: &Request, transport: Option<&Transport>) -> String {
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text, ""));
    let line = |line: &str| match line.split_once(':') {
        Some((name, _)) if name.eq_ignore_ascii_case("CSeq") => {
            format!("{name}: {}", request.header("CSeq").unwrap_or("0"))
        }
        Some((name, value)) if name.eq_ignore_ascii_case("Transport") => {
            let parts =
                value.split(';').map(|part| match (part.split_once('='), transport.and_then(Transport::ports)) {
                    (Some(("client_port", _)), Some((theirs, _))) => format!("client_port={theirs}-{}", theirs + 1),
                    (Some(("server_port", _)), Some((_, ours))) => format!("server_port={ours}-{}", ours + 1),
                    // A recording names addresses of its own network.
                    (Some(("source", _)), Some(_)) => "source=127.0.0.1".to_owned(),
                    _ => part.to_owned(),
                });
            format!("{name}:{}", parts.collect::<Vec<_>>().join(";"))
        }
        _ => line.to_owned(),
    };
    let head: Vec<String> = head.lines().map(line).collect();
    format!("{}\r\n\r\n{body}", head.join("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(text: &str) -> Option<Request> {
        next(&mut text.as_bytes()).unwrap()
    }

    #[test]
    fn requests_are_read_past_rtcp_and_bodies() {
        let text = "$\u{1}\0\u{2}ab\
                    SET_PARAMETER rtsp://h/a RTSP/1.0\r\ncseq: 7\r\nContent-Length: 3\r\n\r\nabcPLAY rtsp://h/ RTSP/1.0\r\n\r\n";
        let mut input = text.as_bytes();
        let first = next(&mut input).unwrap().unwrap();
        assert_eq!(
            (first.method.as_str(), first.url.as_str(), first.header("CSeq")),
            ("SET_PARAMETER", "rtsp://h/a", Some("7"))
        );
        assert_eq!(next(&mut input).unwrap().unwrap().method, "PLAY");
        assert_eq!(next(&mut input).unwrap(), None);
    }

    #[test]
    fn a_recorded_answer_gets_the_number_of_the_request() {
        let request = request("SETUP rtsp://h/a RTSP/1.0\r\nCSeq: 12\r\n\r\n").unwrap();
        let recorded = "RTSP/1.0 200 OK\r\nCseq: 3\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc= d6d\r\n\r\n";
        let expected =
            "RTSP/1.0 200 OK\r\nCseq: 12\r\nTransport: RTP/AVP/TCP;unicast;interleaved=0-1;ssrc= d6d\r\n\r\n";
        assert_eq!(said(recorded, &request, None), expected);
    }
}
