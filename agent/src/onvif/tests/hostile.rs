//! Peers that are broken or mean. Each ends in one sentence, soon.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::{
    BOTH, Peer, ask, ask_at,
    peer::{Fate, Script},
    streams,
};
use crate::onvif::{Host, Stream, auth::Challenge, http::Url, media, probe, shown, soap};

fn outcome(fate: Fate) -> (String, Duration) {
    let peer = Peer::start(Script { fate, ..Script::default() });
    let begun = Instant::now();
    let problem = streams(&ask(&peer, None)).join("; ");
    (problem.replace("http://CAM/onvif/device_service: ", "URL: "), begun.elapsed())
}

#[test]
fn answers_that_are_none_are_told_apart() {
    let other = Peer::start(Script::default());
    let elsewhere = format!("http://{}/onvif/there", other.address).replace("127.0.0.1", "127.0.0.2");
    let away =
        format!("URL: sends us on to {elsewhere}, where nobody follows; name that one with --host if it is yours");
    let html = "HTTP/1.1 200 OK\r\nContent-Length: 22\r\n\r\n<html><br>Hello</html>";
    let page = "URL: the answer is HTTP 200 and not ONVIF: switch ONVIF on in the camera's settings";
    let cases = [
        (
            Fate::Raw("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"),
            "URL: the answer is HTTP 404 and not ONVIF: switch ONVIF on in the camera's settings",
        ),
        (Fate::Raw(html), page),
        (Fate::Raw("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<a/>"), page),
        (
            Fate::Raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u{ff}"),
            "URL: the answer cannot be read: no XML (unknown token at 1:1)",
        ),
        (
            Fate::Raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<a>"),
            "URL: the answer is no HTTP: it ends too early; this may be the port of something else",
        ),
        (
            Fate::Raw("RTSP/1.0 400 Bad Request\r\n\r\n"),
            "URL: the answer is no HTTP: http parse fail: invalid HTTP version; this may be the port of something else",
        ),
        (Fate::Raw(""), "URL: the answer is no HTTP: it ends too early; this may be the port of something else"),
        (Fate::Sent(elsewhere), away.as_str()),
        (
            Fate::Sent("//127.0.0.2/there".to_owned()),
            "URL: sends us on to //127.0.0.2/there, where nobody follows; name that one with --host if it is yours",
        ),
        (
            Fate::Sent("/onvif/again".to_owned()),
            "URL: sends us on to /onvif/again, where nobody follows; name that one with --host if it is yours",
        ),
        (Fate::Endless, "URL: the answer is larger than 524288 bytes, so it is not read; this may be no camera"),
        (
            Fate::EndlessHeader,
            "URL: the answer is no HTTP: http parse resulted in too many headers; this may be the port of something else",
        ),
    ];
    for (fate, expected) in cases {
        let (problem, took) = outcome(fate.clone());
        assert_eq!(problem, expected, "{fate:?}");
        assert!(took < Duration::from_secs(4), "{fate:?}: {took:?}");
    }
    assert!(other.asked().is_empty(), "nobody may be sent to another camera");
}

#[test]
fn a_camera_may_send_us_to_itself_once() {
    assert_eq!(outcome(Fate::Sent("/onvif/there".to_owned())).0, BOTH.join("; "));
}

#[test]
fn silence_and_drops_have_a_limit() {
    let late = "URL: no whole answer within 5 s: see whether the camera is up and its address right";
    std::thread::scope(|scope| {
        for fate in [Fate::Silent, Fate::Drip] {
            scope.spawn(|| {
                let (problem, took) = outcome(fate);
                assert_eq!(problem, late);
                assert!((Duration::from_secs(4)..Duration::from_secs(8)).contains(&took), "{took:?}");
            });
        }
        // It takes the connection and never begins with TLS.
        scope.spawn(|| {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let url = format!("https://{}/a", listener.local_addr().unwrap());
            let begun = Instant::now();
            assert_eq!(streams(&ask_at(&url, None)), [late.replace("URL", "https://CAM/a")]);
            assert!(begun.elapsed() < Duration::from_secs(8));
        });
    });
}

#[test]
fn nobody_there() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    assert_eq!(
        streams(&ask_at(&address.to_string(), None)),
        [
            "http://CAM/onvif/device_service: the connection is refused: switch ONVIF on in the camera's settings, or give its \
          port: --host HOST:PORT"
        ]
    );
    assert_eq!(streams(&ask_at("camera.invalid", None)), ["CAM has no address: write the camera's IP address"]);
}

proptest! {
    /// Whatever comes: no panic, and nothing of it that could steer a terminal or leave its line.
    #[test]
    fn nothing_that_comes_in_breaks_out(text in "[ -~\u{7f}-\u{ff}\u{2028}\n\t]{0,80}", bytes: Vec<u8>) {
        let plain = |text: String| !text.contains(char::is_control) && !text.contains('\u{2028}');
        prop_assert!(shown(&text).is_none_or(plain));
        prop_assert!(Url::parse(&text).is_none_or(|url| plain(url.to_string())));
        let _ = (text.parse::<Host>(), Challenge::strongest([text.as_str()]), probe::matches(&bytes));
        for uri in [text.clone(), format!("rtsp://{text}"), format!("rtsp://h/{text}")] {
            let said = Stream::read(&uri, "192.0.2.7", None).map(|stream| stream.url.to_string());
            prop_assert!(plain(said.unwrap_or_else(|problem| problem.to_string())));
        }
        let answer = format!("<s:Envelope xmlns:s='s'><s:Body><s:Fault><faultstring>{text}</faultstring></s:Fault></s:Body></s:Envelope>");
        match soap::parse(answer.as_bytes()) {
            Err(why) => prop_assert!(plain(why)),
            Ok(document) => {
                let body = soap::body(&document).expect("it has a body");
                prop_assert!(soap::fault(body).is_none_or(|fault| plain(fault.reason)));
                prop_assert_eq!(media::profiles(body).len(), 0);
            }
        }
    }
}
