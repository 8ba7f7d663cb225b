//! Cameras that are not to be had, and one that is with the right login.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    thread,
    time::{Duration, Instant},
};

use karaul_simulator::{Authentication, Settings, Simulator};
use karaul_tests::Relay;
use karaul_wire::BlindCause;

use crate::watched::{SOON, Watched, closed_port, login, settings, simulator};

#[test]
fn both_kinds_of_login_work() {
    // Whatever stands on a keyboard, and some more.
    for password in ["swordfish", r#"p@ss:w/o?r#d%41 &"'\<>"#, "құпия сөз €"] {
        for authentication in [Authentication::Basic, Authentication::Digest] {
            let simulator = Simulator::start(&Settings {
                login: Some(("viewer".to_owned(), password.to_owned())),
                authentication,
                mounts: vec!["/a=pattern,size=320x240".parse().unwrap()],
                ..Settings::default()
            })
            .unwrap();
            Watched::new(login(settings(simulator.port(), "/a"), password)).seeing(SOON);
        }
    }
}

#[test]
fn wrong_credentials_are_said_and_not_tried_again_soon() {
    let simulator = Simulator::start(&Settings {
        login: Some(("viewer".to_owned(), "swordfish".to_owned())),
        mounts: vec!["/a=pattern,size=320x240".parse().unwrap()],
        ..Settings::default()
    })
    .unwrap();
    let relay = Relay::to(simulator.port()).unwrap();
    let address = format!("rtsp://127.0.0.1:{}/a", relay.port());

    let watched = Watched::new(login(settings(relay.port(), "/a"), "guess"));
    let (cause, detail) = watched.blind(SOON);
    assert_eq!(cause, BlindCause::Unauthorised);
    assert_eq!(
        detail,
        format!(
            "{address}: the camera refused the login: correct \"username\" and \"password\"; tried again only rarely, \
             because cameras lock an account after some wrong logins"
        )
    );
    let tries = relay.accepted();
    assert!(watched.told.recv_timeout(Duration::from_secs(3)).is_err());
    assert_eq!((relay.accepted(), watched.counters.read().reconnects), (tries, 1));

    let (_, detail) = Watched::new(settings(relay.port(), "/a")).blind(SOON);
    assert!(
        detail.starts_with(&format!("{address}: the camera wants a login: set \"username\" and \"password\"")),
        "{detail}"
    );
}

#[test]
fn a_wrong_address_is_said_in_one_sentence() {
    let simulator = simulator(&["/a=pattern,size=320x240"]);
    let (port, closed) = (simulator.port(), closed_port());
    let mut unknown = settings(port, "/a");
    unknown.url.host = "camera.invalid".to_owned();
    for (settings, cause, expected) in [
        (
            settings(closed, "/a"),
            BlindCause::Refused,
            format!(
                "rtsp://127.0.0.1:{closed}/a: connection refused; check that the camera is running and that the port in \
                 \"url\" is its RTSP port"
            ),
        ),
        (
            settings(port, "/stream2"),
            BlindCause::NotFound,
            format!("rtsp://127.0.0.1:{port}/stream2: the camera has no such stream (404); check the path in \"url\""),
        ),
        (
            unknown,
            BlindCause::Dns,
            format!(
                "rtsp://camera.invalid:{port}/a: the host name is not known; check the address in \"url\" and the name \
                 server of this box"
            ),
        ),
    ] {
        assert_eq!(Watched::new(settings).blind(SOON), (cause, expected));
    }
}

#[test]
fn a_codec_that_we_do_not_decode_is_named() {
    let sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=video 0 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n\
               a=control:v\r\nm=audio 0 RTP/AVP 8\r\na=control:a\r\n";
    let port = scripted_camera(sdp);
    let (cause, detail) = Watched::new(settings(port, "/a")).blind(SOON);
    assert_eq!(cause, BlindCause::UnsupportedCodec);
    assert_eq!(
        detail,
        format!(
            "rtsp://127.0.0.1:{port}/a: the camera offers only video VP8, audio; set the codec of this stream to \
             H.264 or H.265 in the camera"
        )
    );
}

/// Answers one connection with an SDP, and everything after that with an error.
fn scripted_camera(sdp: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        while let Some(request) = lines.next() {
            let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let sequence = headers.iter().find(|header| header.starts_with("CSeq")).unwrap();
            let (status, body) = match request.split(' ').next() {
                Some("OPTIONS") => ("200 OK\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN", ""),
                Some("DESCRIBE") => ("200 OK\r\nContent-Type: application/sdp", sdp),
                _ => ("455 Method Not Valid in This State", ""),
            };
            write!(stream, "RTSP/1.0 {status}\r\n{sequence}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
        }
    });
    port
}

#[test]
fn a_digest_that_gstreamer_cannot_do_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            thread::spawn(move || {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                while let Some(request) = lines.next() {
                    let headers: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
                    let sequence = headers.iter().find(|header| header.starts_with("CSeq")).unwrap();
                    let answer = match request.split(' ').next() {
                        Some("OPTIONS") => "200 OK\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN",
                        _ => {
                            "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"cam\", qop=\"auth\", \
                             algorithm=SHA-256, nonce=\"7ypf\", opaque=\"FQhe\""
                        }
                    };
                    write!(stream, "RTSP/1.0 {answer}\r\n{sequence}\r\n\r\n").unwrap();
                }
            });
        }
    });
    let (cause, detail) = Watched::new(login(settings(port, "/a"), "swordfish")).blind(SOON);
    assert_eq!(cause, BlindCause::Unauthorised);
    assert_eq!(
        detail,
        format!(
            "rtsp://127.0.0.1:{port}/a: the camera wants the login as Digest with SHA-256, and this GStreamer can only do \
             MD5; allow MD5 for RTSP in the camera"
        )
    );
}

#[test]
fn a_camera_that_does_not_answer_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut settings = settings(port, "/a");
    settings.connect_limit = Duration::from_secs(1);
    let watched = Watched::new(settings);
    let begun = Instant::now();
    let (cause, detail) = watched.blind(SOON);
    let noticed = begun.elapsed();
    assert_eq!(cause, BlindCause::TimedOut);
    assert_eq!(
        detail,
        format!(
            "rtsp://127.0.0.1:{port}/a: no video within 1s of connecting; check the camera's power and network and the \
             address in \"url\""
        )
    );
    assert!(noticed < Duration::from_secs(4), "noticed after {noticed:?}");
}

#[test]
fn a_camera_that_does_not_answer_is_reported_before_it_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let begun = Instant::now();
    let watched = Watched::new(settings(listener.local_addr().unwrap().port(), "/a"));
    assert_eq!(watched.blind(SOON).0, BlindCause::TimedOut);
    assert!(begun.elapsed() < Duration::from_secs(5), "noticed after {:?}", begun.elapsed());
    assert_eq!(watched.counters.read().reconnects, 0);
}
