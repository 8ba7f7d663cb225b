//! Peers that are broken or mean. Each ends in one sentence, soon.

use std::time::{Duration, Instant};

use super::{
    BOTH, Peer, ask, ask_at,
    peer::{Fate, Script},
    streams,
};

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
    let cases = [
        (
            Fate::Raw("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"),
            "URL: the answer is HTTP 404 and not ONVIF: switch ONVIF on in the camera's settings",
        ),
        (Fate::Raw(html), "x"),
        (Fate::Raw("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n<html></html>"), "URL: answers x"),
        (Fate::Raw("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\u{ff}"), "x"),
        (Fate::Raw("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<a>"), "x"),
        (Fate::Raw("RTSP/1.0 400 Bad Request\r\n\r\n"), "x"),
        (Fate::Raw(""), "x"),
        (Fate::Sent(elsewhere), away.as_str()),
        (Fate::Sent("//127.0.0.2/there".to_owned()), "x"),
        (Fate::Sent("/onvif/again".to_owned()), "x"),
        (Fate::Endless, "x"),
        (Fate::EndlessHeader, "x"),
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
    assert_eq!(
        streams(&ask_at("camera.invalid", None)),
        ["camera.invalid has no address: write the camera's IP address"]
    );
}
