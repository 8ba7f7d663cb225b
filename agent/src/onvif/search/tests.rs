use super::*;

#[test]
fn a_host_is_written_in_some_ways() {
    let read = |text: &str| text.parse::<Host>().map(|host| (host.name, host.port, host.service.is_some()));
    let host = |name: &str, port, whole| Ok((name.to_owned(), port, whole));
    assert_eq!(read("192.0.2.7"), host("192.0.2.7", None, false));
    assert_eq!(read("gate.lan:8080"), host("gate.lan", Some(8080), false));
    assert_eq!(read("gate.lan:80"), host("gate.lan", Some(80), false));
    assert_eq!(read("2001:db8::1"), host("2001:db8::1", None, false));
    assert_eq!(read("[2001:db8::1]:8080"), host("2001:db8::1", Some(8080), false));
    assert_eq!(read("https://192.0.2.7/onvif"), host("192.0.2.7", Some(443), true));
    for wrong in
        ["", "a b", "gate/onvif", "u:p@gate", "http://u:p@gate/", "rtsp://gate/", "gate:0", "gate:x", "gate:99999"]
    {
        assert_eq!(read(wrong), Err(HostError), "{wrong}");
    }
    assert_eq!(HostError.to_string(), "write HOST, HOST:PORT or http://HOST:PORT/PATH");
}

#[test]
fn repetitions_slow_down() {
    for _ in 0..50 {
        let times = schedule(4);
        let pauses: Vec<_> = times.windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect();
        assert_eq!((times.len(), times[0]), (5, Duration::ZERO));
        assert!((50..=250).contains(&pauses[0]) && pauses.iter().all(|pause| *pause <= 500), "{pauses:?}");
        assert!(pauses.windows(2).all(|pair| pair[1] == (pair[0] * 2).min(500)), "{pauses:?}");
    }
}

fn answer(from: &str, endpoint: &str, service: &str) -> (IpAddr, Match) {
    let endpoint = (!endpoint.is_empty()).then(|| endpoint.to_owned());
    let introduction = Introduction { endpoint, ..Introduction::default() };
    (from.parse().unwrap(), Match { introduction, services: vec![service.to_owned()] })
}

fn merged(answers: Vec<(IpAddr, Match)>) -> Vec<String> {
    merge(answers).0.iter().map(|place| place.services()[0].to_string()).collect()
}

#[test]
fn answers_of_one_camera_are_one() {
    let (a, b) = ("http://10.0.0.1/a", "http://10.0.0.2/a");
    assert_eq!(merged(vec![answer("10.0.0.1", "x", a), answer("10.0.0.1", "x", a)]), [a]);
    assert_eq!(merged(vec![answer("10.0.0.1", "x", a), answer("10.0.0.1", "", a)]), [a]);
    // On two networks, where it names one of them only.
    assert_eq!(merged(vec![answer("10.0.0.1", "x", a), answer("10.9.0.1", "x", a)]), [a]);
    // On one network with two addresses of the service.
    assert_eq!(merged(vec![answer("10.0.0.1", "x", a), answer("10.0.0.1", "x", b)]), [a]);
    assert_eq!(merged(vec![answer("10.0.0.1", "x", a), answer("10.0.0.2", "x", b)]), [a, b], "a maker's one endpoint");
    let (first, second) = ("http://10.0.0.1/1", "http://10.0.0.1/2");
    assert_eq!(
        merged(vec![answer("10.0.0.1", "x", first), answer("10.0.0.1", "y", second)]),
        [first, second],
        "a recorder"
    );
    let factory = "http://192.168.1.10/a";
    assert_eq!(merged(vec![answer("10.0.0.1", "", factory), answer("10.0.0.2", "", factory)]), [a, b]);
}

#[test]
fn nobody_crowds_out_the_others() {
    let many = |from: &str, n: usize| answer(from, &format!("e{n}"), &format!("http://h/{n}"));
    let mut answers: Vec<_> = (0..1000).map(|n| many("10.0.0.66", n)).collect();
    answers.push(many("10.0.0.1", 5000));
    let (places, left_out) = merge(answers);
    assert_eq!((places.len(), left_out), (MOST_OF_ONE_HOST + 1, 1000 - MOST_OF_ONE_HOST));
    let spread: Vec<_> = (0..1000).map(|n| many(&format!("10.0.{}.{}", n / 250, n % 250), n)).collect();
    assert_eq!(merge(spread).0.len(), MOST_CAMERAS);
}

#[test]
fn the_best_address_of_a_service_comes_first() {
    let mut one = answer("10.0.0.1", "x", "http://[fe80::1]:8080/a");
    one.1.services.extend(
        ["http://169.254.1.1:81/a", "nonsense", "https://10.0.0.1/a", "http://10.0.0.1:81/a"].map(str::to_owned),
    );
    let (places, _) = merge(vec![one]);
    let services: Vec<_> = places[0].services().iter().map(Url::to_string).collect();
    assert_eq!(services, ["https://10.0.0.1/a", "http://10.0.0.1:81/a", "http://10.0.0.1:8080/a"]);
    let (places, _) = merge(vec![answer("10.0.0.1", "x", "")]);
    assert_eq!(places[0].services()[0].to_string(), "http://10.0.0.1/onvif/device_service");
}

/// A datagram of a host that shows so many cameras.
fn datagram(cameras: std::ops::Range<usize>) -> String {
    let one = |n| {
        format!(
            "<ProbeMatch><EndpointReference><Address>e{n}</Address></EndpointReference><Types>NetworkVideoTransmitter\
             </Types><XAddrs>http://h/{n}</XAddrs></ProbeMatch>"
        )
    };
    format!("<Envelope>{}</Envelope>", cameras.map(one).collect::<String>())
}

#[test]
fn a_host_that_shouts_drowns_nobody() {
    // Stands for the group: nobody reads the questions.
    let group = UdpSocket::bind("127.0.0.1:0").unwrap();
    let asks = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (to, back) = (group.local_addr().unwrap(), asks.local_addr().unwrap());
    let [loud, quiet] = ["127.0.0.66:0", "127.0.0.2:0"].map(|at| UdpSocket::bind(at).unwrap());
    let wait = Duration::from_secs(2);
    let heard = thread::scope(|scope| {
        let heard = scope.spawn(|| converse(&asks, to, &[Duration::ZERO], wait, None));
        let mut buffer = [0; 4096];
        group.recv_from(&mut buffer).unwrap();
        for number in 0..17 {
            // The last is what it has said before.
            let first = number % 16 * 32;
            loud.send_to(datagram(first..first + 32).as_bytes(), back).unwrap();
            thread::sleep(Duration::from_millis(10));
        }
        quiet.send_to(datagram(0..1).as_bytes(), back).unwrap();
        heard.join().unwrap().unwrap()
    });
    let of = |host: &str| heard.kept.iter().filter(|(from, _)| *from == host.parse::<IpAddr>().unwrap()).count();
    let most = MOST_OF_ONE_HOST * KINDS.len();
    assert_eq!((of("127.0.0.66"), of("127.0.0.2")), (most, 1));
    assert_eq!(heard.left_out, 16 * 32 - most);
}
