use jiff::SignedDuration;

use super::{
    BOTH, PASSWORD, Peer, ask, ask_at, login,
    peer::{Door, Fate, Script, profile},
    streams,
};
use crate::onvif::{Access, Camera};

fn with(change: impl FnOnce(&mut Script)) -> Peer {
    let mut script = Script::default();
    change(&mut script);
    Peer::start(script)
}

fn said(camera: &Camera) -> Vec<Option<&str>> {
    let profiles = camera.answers.profiles.as_ref().unwrap();
    profiles.iter().map(|profile| profile.stream.as_ref().unwrap().said.as_deref()).collect()
}

#[test]
fn an_open_camera_tells_all() {
    let peer = with(|_| ());
    let camera = ask(&peer, None);
    assert_eq!(streams(&camera), BOTH);
    let answers = &camera.answers;
    assert_eq!(
        (answers.maker.as_deref(), answers.model.as_deref(), answers.firmware.as_deref(), answers.access),
        (Some("ACME"), Some("X1"), Some("1.2"), Access::Anybody)
    );
    assert_eq!((camera.name(), camera.host.as_str()), ("Gate 7", "127.0.0.1"));
    assert!(answers.clock_ahead.unwrap().abs() < SignedDuration::from_secs(5));
    let profile = &answers.profiles.as_ref().unwrap()[1];
    assert_eq!((profile.name.as_str(), profile.size, profile.rate), ("sub stream", Some([640, 360]), Some(15.0)));
}

#[test]
fn each_door_opens_and_the_lock_is_not_rattled() {
    let doors = [
        (Door::Token, Access::UsernameToken, "GetDeviceInformation with a token"),
        (Door::Digest("MD5", true), Access::HttpDigest, "GetDeviceInformation with a digest"),
        (Door::Digest("MD5", false), Access::HttpDigest, "GetDeviceInformation with a digest"),
        (Door::Digest("SHA-256", true), Access::HttpDigest, "GetDeviceInformation with a digest"),
    ];
    for (door, access, shown) in doors {
        let peer = with(|script| script.door = door);
        let camera = ask(&peer, login(PASSWORD));
        assert_eq!((streams(&camera), camera.answers.access), (BOTH.map(str::to_owned).to_vec(), access), "{door:?}");
        let asked = peer.asked();
        assert_eq!(asked[..4], ["GetSystemDateAndTime", "GetServices", "GetDeviceInformation", shown], "{door:?}");
        assert!(asked[4..].iter().all(|request| request.contains(" with a ")), "{asked:?}");

        // With the wrong password only what it takes to know that; then never again.
        let camera = ask(&peer, login("wrong"));
        assert_eq!(
            streams(&camera),
            [
                "refuses the user name or password: add this user to the ONVIF users in the camera's settings, and try again \
              later if the camera locks itself after wrong logins"
            ]
        );
        let shown = peer.asked().iter().filter(|request| request.contains(" with a ")).count();
        assert!((1..=2).contains(&shown), "{door:?}: {shown} times");

        let camera = ask(&peer, None);
        assert_eq!(
            streams(&camera),
            [
                "tells its streams only with a login: add --user and --password-file; many cameras keep ONVIF users apart"
            ]
        );
        assert_eq!(camera.answers.maker, None);
    }
}

#[test]
fn a_password_is_not_given_away() {
    let peer = with(|script| script.door = Door::Basic);
    assert_eq!(
        streams(&ask(&peer, login(PASSWORD))),
        ["wants the password itself (HTTP Basic), which is never sent: switch digest authentication on in the camera"]
    );
}

#[test]
fn an_expired_nonce_is_no_wrong_password() {
    let peer = with(|script| (script.door, script.nonce_lasts) = (Door::Digest("MD5", true), 2));
    assert_eq!(streams(&ask(&peer, login(PASSWORD))), BOTH);
}

#[test]
fn a_token_is_fresh_by_the_cameras_clock() {
    for days in [-20_000, 3650] {
        let ahead = SignedDuration::from_hours(24 * days);
        let peer = with(|script| (script.door, script.clock_ahead) = (Door::Token, ahead));
        let camera = ask(&peer, login(PASSWORD));
        assert_eq!(streams(&camera), BOTH);
        assert!((camera.answers.clock_ahead.unwrap() - ahead).abs() < SignedDuration::from_secs(5));
    }
}

#[test]
fn a_camera_that_does_not_know_its_address_is_put_right() {
    for host in ["0.0.0.0", "192.168.1.10", "camera.invalid"] {
        let peer = with(|script| script.said = Some(host));
        let camera = ask(&peer, None);
        assert_eq!((streams(&camera), said(&camera)), (BOTH.map(str::to_owned).to_vec(), vec![Some(host); 2]));
    }
    // By name: the name stays, and the address it stands for is not another.
    let peer = with(|_| ());
    let camera = ask_at(&format!("localhost:{}", peer.address.port()), None);
    assert_eq!((streams(&camera)[0].as_str(), said(&camera)), ("rtsp://localhost:554/main", vec![None; 2]));
}

#[test]
fn old_and_new_cameras_have_other_services() {
    let peer = with(|script| script.knows_services = false);
    assert_eq!(streams(&ask(&peer, None)), BOTH);
    let second = ["rtsp://127.0.0.1:554/m2"];
    let peer = with(|script| (script.media2, script.media) = (true, false));
    let camera = ask(&peer, None);
    assert_eq!(streams(&camera), second);
    assert_eq!(camera.answers.profiles.unwrap()[0].codec.as_ref().unwrap().to_string(), "H.265");
    let peer = with(|script| (script.media2, script.only_unicast) = (true, true));
    assert_eq!(streams(&ask(&peer, None)), second, "Media2 before ver10, which knows no H.265");
    let peer = with(|script| script.media = false);
    assert_eq!(streams(&ask(&peer, None)), ["has no media service: it may be no camera"]);
}

#[test]
fn profiles_may_be_odd() {
    let metadata = "<x:Profiles token='meta'><tt:Name>m</tt:Name><tt:MetadataConfiguration/></x:Profiles>";
    let peer = with(|script| script.profiles = metadata.to_owned());
    assert_eq!(streams(&ask(&peer, None)), ["has no profile with a picture: make one in the camera's settings"]);
    let bare = "<x:Profiles token='a&amp;b'><tt:VideoSourceConfiguration/></x:Profiles>";
    let peer = with(|script| script.profiles = format!("{metadata}{bare}{}", profile("p", "JPEG", 640, 480, 5)));
    let camera = ask(&peer, None);
    assert_eq!(streams(&camera), ["rtsp://127.0.0.1:554/a&b", "rtsp://127.0.0.1:554/p"]);
    let bare = &camera.answers.profiles.as_ref().unwrap()[0];
    assert_eq!((bare.name.as_str(), &bare.codec, bare.size), ("a&b", &None, None));
}

#[test]
fn no_password_of_an_address_is_shown() {
    let peer = with(|script| script.stream = "rtsp://admin:hunter2@{host}/{token}");
    assert_eq!(streams(&ask(&peer, None)), BOTH);
    let peer = with(|script| script.stream = "rtsp://{host}/user=admin_password=hunter2_channel=1_stream=0.sdp");
    assert_eq!(
        streams(&ask(&peer, None)),
        ["gives no address that could be used: a password does not belong into an address"; 2]
    );
    let peer = with(|script| script.stream = "");
    assert_eq!(streams(&ask(&peer, None)).len(), 2);
}

#[test]
fn chunks_and_encrypted_connections_are_understood() {
    let peer = with(|script| script.fate = Fate::Chunked);
    assert_eq!(streams(&ask(&peer, None)), BOTH);
    let peer = with(|script| script.tls = Some(self_signed()));
    let url = format!("https://{}/onvif/device_service", peer.address);
    assert_eq!(streams(&ask_at(&url, None)), BOTH);
    // Plain HTTP to that port is nothing it understands.
    let problem = streams(&ask(&peer, None)).remove(0);
    assert!(problem.starts_with("http://CAM/onvif/device_service: "), "{problem}");
}

/// As each camera makes one for itself.
fn self_signed() -> openssl::ssl::SslAcceptor {
    use openssl::{
        asn1::Asn1Time,
        hash::MessageDigest,
        pkey::PKey,
        rsa::Rsa,
        ssl::{SslAcceptor, SslMethod},
        x509::X509,
    };
    let key = PKey::from_rsa(Rsa::generate(2048).unwrap()).unwrap();
    let mut certificate = X509::builder().unwrap();
    certificate.set_pubkey(&key).unwrap();
    certificate.set_not_before(&Asn1Time::from_unix(0).unwrap()).unwrap();
    certificate.set_not_after(&Asn1Time::from_unix(86_400).unwrap()).unwrap();
    certificate.sign(&key, MessageDigest::sha256()).unwrap();
    let mut acceptor = SslAcceptor::mozilla_intermediate_v5(SslMethod::tls()).unwrap();
    acceptor.set_private_key(&key).unwrap();
    acceptor.set_certificate(&certificate.build()).unwrap();
    acceptor.build()
}
