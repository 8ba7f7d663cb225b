//! Cameras that follow a script of faults. `karaul-proof cameras` has all of them, with the whole agent and the times.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use karaul::{camera::StreamSettings, config::Transport};
use karaul_simulator::peer::{Answer, Clip, End, Login, Peer, Scheme, Script, Stamps, When};
use karaul_wire::BlindCause;

use crate::watched::{SOON, Told, Watched, login, settings};

fn clip(options: &str) -> Arc<Clip> {
    Arc::new(Clip::of(&format!("/clip=pattern,fps=10,{options}").parse().unwrap(), 20).unwrap())
}

fn small() -> Arc<Clip> {
    clip("size=160x120")
}

fn watched(peer: &Peer) -> Watched {
    Watched::new(settings(peer.port(), "/stream"))
}

/// How many pictures came in this time; none of them is followed by blindness.
fn pictures(watched: &Watched, length: Duration) -> usize {
    let end = Instant::now() + length;
    let mut count = 0;
    while let Ok(told) = watched.told.recv_timeout(end.saturating_duration_since(Instant::now())) {
        match told {
            Told::Frame { .. } => count += 1,
            Told::Seeing | Told::FullDecoding(_) => {}
            Told::Blind(cause, detail) => panic!("{cause:?}: {detail}"),
        }
    }
    count
}

#[test]
fn another_size_in_mid_stream_is_only_another_size() {
    let peer = Peer::start(Script::well(&small())).unwrap();
    let watched = watched(&peer);
    assert!(watched.frames(5).iter().all(|frame| frame.1 == (160, 120)));
    peer.play(Script::well(&clip("size=320x240")));
    let other = |told| match told {
        Told::Frame { size, .. } => (size == (320, 240)).then_some(()),
        Told::Seeing | Told::FullDecoding(_) => None,
        Told::Blind(cause, detail) => panic!("{cause:?}: {detail}"),
    };
    watched.wait(SOON, other);
    assert!(pictures(&watched, Duration::from_secs(1)) >= 5);
    assert_eq!((peer.tally().connections, watched.counters.read().reconnects), (1, 0));
}

#[test]
fn time_stamps_that_jump_or_wrap_disturb_nothing() {
    let clip = small();
    // Two seconds before RTP's clock begins anew.
    let wrapping = Script { stamp: u32::MAX - 2 * 90_000, ..Script::well(&clip) };
    let jumps = [Stamps::Moved(3 * 3600 * 90_000), Stamps::Moved(-3 * 3600 * 90_000), Stamps::Still, Stamps::Wild];
    let peer = Peer::start(wrapping).unwrap();
    let watched = watched(&peer);
    watched.seeing(SOON);
    let least = 15;
    let wrapped = pictures(&watched, Duration::from_secs(4));
    assert!(wrapped >= 2 * least, "{wrapped} pictures while the stamps wrapped");
    for stamps in jumps {
        peer.play(Script { stamps, ..Script::well(&clip) });
        // A jump may cost the pictures that the jitter buffer takes for late.
        let came = pictures(&watched, Duration::from_secs(4));
        assert!(came >= least, "{stamps:?}: {came} pictures in 4 s");
    }
    assert_eq!(peer.tally().connections, 1);
}

#[test]
fn a_tenth_of_the_packets_lost_is_no_blindness() {
    let peer = Peer::start(Script { loss: 0.1, ..Script::well(&small()) }).unwrap();
    let watched = Watched::new(StreamSettings { transport: Transport::Udp, ..settings(peer.port(), "/stream") });
    watched.seeing(SOON);
    let came = pictures(&watched, Duration::from_secs(8));
    assert!(came >= 20, "{came} pictures in 8 s");
}

#[test]
fn a_stream_that_ends_in_any_way_is_seen_again() {
    let peer = Peer::start(Script::well(&small())).unwrap();
    let watched = watched(&peer);
    watched.seeing(SOON);
    let sentence = "the camera closed the connection; if this comes back, look for a limit of viewers in the camera";
    for end in [End::Reset, End::Close, End::Bye] {
        peer.end(end);
        let expected = (BlindCause::Ended, format!("{}: {sentence}", peer.url()));
        assert_eq!(watched.blind(SOON), expected, "{end:?}");
        watched.seeing(SOON);
    }
}

#[test]
fn a_camera_that_never_answers_play_is_seen_when_it_does() {
    let clip = small();
    let peer = Peer::start(Script::well(&clip).answering("PLAY", Answer::Silence)).unwrap();
    let limit = Duration::from_secs(1);
    let watched = Watched::new(StreamSettings { connect_limit: limit, ..settings(peer.port(), "/stream") });
    let sentence = "no video within 1s of connecting; check the camera's power and network and the address in \"url\"";
    assert_eq!(watched.blind(SOON), (BlindCause::TimedOut, format!("{}: {sentence}", peer.url())));
    peer.play(Script::well(&clip));
    watched.seeing(SOON);
}

#[test]
fn a_camera_that_closes_each_time_is_not_hammered() {
    let end = Some((When::After(Duration::from_millis(600)), End::Close));
    let peer = Peer::start(Script { end, ..Script::well(&small()) }).unwrap();
    let watched = watched(&peer);
    watched.seeing(SOON);
    let end = Instant::now() + Duration::from_secs(10);
    while watched.told.recv_timeout(end.saturating_duration_since(Instant::now())).is_ok() {}
    // 1.1 s each if it were tried at the shortest pause, and pauses grow.
    let connections = peer.tally().connections;
    assert!((2..=9).contains(&connections), "{connections} connections in 10 s");
}

#[test]
fn both_kinds_of_login_are_taken_by_a_camera_that_offers_both() {
    let schemes = vec![Scheme::Basic, Scheme::DigestMd5];
    let wanted = Login { user: "viewer".to_owned(), password: "swordfish".to_owned(), schemes };
    let peer = Peer::start(Script { login: Some(wanted), ..Script::well(&small()) }).unwrap();
    let watched = Watched::new(login(settings(peer.port(), "/stream"), "swordfish"));
    watched.seeing(SOON);
    assert_eq!(peer.tally().wrong_logins, 0);
}

#[test]
fn a_huge_description_is_read_through() {
    let clip = small();
    let peer = Peer::start(Script::well(&clip).answering("DESCRIBE", Answer::Huge(100_000_000))).unwrap();
    watched(&peer).seeing(SOON);
}

#[test]
fn a_header_without_end_is_given_up() {
    let clip = small();
    let peer = Peer::start(Script::well(&clip).answering("DESCRIBE", Answer::EndlessHeader)).unwrap();
    let limit = Duration::from_secs(1);
    let watched = Watched::new(StreamSettings { connect_limit: limit, ..settings(peer.port(), "/stream") });
    let begun = Instant::now();
    let (cause, _) = watched.blind(SOON);
    assert!(matches!(cause, BlindCause::TimedOut | BlindCause::Protocol), "{cause:?}");
    // The limit, and as much again for a pipeline that does not end at once.
    assert!(begun.elapsed() < Duration::from_secs(6), "{:?}", begun.elapsed());
    peer.play(Script::well(&clip));
    watched.seeing(SOON);
}
