//! Finding cameras: by their addresses on loopback, and by multicast in a network of the test's own.

use std::{
    net::{Ipv4Addr, UdpSocket},
    process::Command,
    time::Duration,
};

use super::{
    Peer, login,
    peer::{Door, PASSWORD, Script, any_port, member},
    streams,
};
use crate::{
    clock::SystemClock,
    onvif::{Search, find, find_by},
};

#[test]
fn a_camera_that_is_named_is_asked_where_it_listens() {
    let peer = Peer::start(Script::default());
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    // An address of a network that nobody here knows.
    peer.answer_probes(socket, "gate", format!("http://192.168.250.250:{}/onvif/device_service", peer.address.port()));
    let wait = Duration::from_secs(20);
    let search = Search { hosts: vec!["127.0.0.1".parse().unwrap()], wait, login: None };
    let begun = std::time::Instant::now();
    let found = find_by(&search, &SystemClock, port).unwrap().cameras;
    assert!(begun.elapsed() < wait, "one answer is enough");
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].name(), found[0].introduction.endpoint.as_deref()), ("gate", Some("urn:uuid:gate")));
    assert_eq!(streams(&found[0]).len(), 2);
    assert_eq!(found[0].service, format!("http://{}/onvif/device_service", peer.address));
}

/// Set in the process that lives in the network of its own.
const INSIDE: &str = "KARAUL_TEST_IN_NETWORK";

#[test]
fn cameras_on_all_interfaces_answer_a_multicast() {
    if std::env::var_os(INSIDE).is_some() {
        return inside();
    }
    let (_, module) = module_path!().split_once("::").unwrap();
    // Two networks that end here; a machine is a member of the groups it asks, so the cameras are in the same place.
    let script = "ip link set lo up || exit 77; for n in 1 2; do ip link add cams$n type veth peer name end$n && ip addr add 10.77.$n.1/24 dev cams$n && \
                  ip link set cams$n up && ip link set end$n up || exit 77; done; exec \"$0\" --exact \"$1\" --nocapture";
    let ran = Command::new("unshare")
        .args(["--net", "sh", "-c", script])
        .arg(std::env::current_exe().unwrap())
        .arg(format!("{module}::cameras_on_all_interfaces_answer_a_multicast"))
        .env(INSIDE, "1")
        .output();
    let output = match ran {
        Ok(output) => output,
        Err(why) => return eprintln!("skipped: no network of the test's own: {why}"),
    };
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.code() == Some(77) || err.starts_with("unshare: ") {
        return eprintln!("skipped: no network of the test's own: {err}");
    }
    assert!(output.status.success() && out.contains("1 passed"), "{out}{err}");
}

fn inside() {
    // Loopback alone would be no network; here are two.
    let camera = |ip: Ipv4Addr, name: &str| {
        let peer = Peer::at(any_port(ip.into()), Script { door: Door::Token, ..Script::default() });
        peer.answer_probes(
            member(ip, 3702),
            name,
            format!("http://0.0.0.0:{}/onvif/device_service", peer.address.port()),
        );
        peer
    };
    let _cameras = [camera(Ipv4Addr::new(10, 77, 1, 1), "yard"), camera(Ipv4Addr::new(10, 77, 2, 1), "gate")];
    let search = Search { hosts: Vec::new(), wait: Duration::from_secs(2), login: login(PASSWORD) };
    let found = find(&search, &SystemClock).unwrap();
    assert_eq!(found.remarks, [""; 0]);
    let names: Vec<_> = found.cameras.iter().map(|camera| (camera.host.as_str(), camera.name())).collect();
    assert_eq!(names, [("10.77.1.1", "yard"), ("10.77.2.1", "gate")], "each once, though asked often");
    assert_eq!(streams(&found.cameras[1]), ["rtsp://10.77.2.1:554/main", "rtsp://10.77.2.1:554/sub"]);
}
