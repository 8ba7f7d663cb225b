//! A real mosquitto behind a slow link.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use karaul_stage::Broker;
use karaul_tests::{Relay, Shape, Subscriber};

use crate::agent::{Agent, LIMIT, event, settings, topic};

/// 64 kbit/s, 800 ms there and back, 5 % loss.
const POOR: Shape = Shape {
    bytes_per_second: 8000,
    delay: Duration::from_millis(400),
    loss: 0.05,
    recovery: Duration::from_millis(800),
    seed: 1,
};

/// Alerts arrive in order, each once, and the connection stays.
#[test]
fn a_slow_link_with_loss_works() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let relay = Relay::shaped(broker.port, POOR).unwrap();
    let begun = Instant::now();
    let agent = Agent::start(settings(relay.port()));
    agent.wait_connected();
    let connected = begun.elapsed();
    assert!(connected > Duration::from_millis(800), "{connected:?}: the link is not slow");
    let sent = agent.alert(20);
    let got = subscriber.until(LIMIT, |message| event(&message.payload).sequence.0 == 20);
    let arrived = begun.elapsed();
    agent.wait_empty();
    let numbers: Vec<u64> = got.iter().map(|message| event(&message.payload).sequence.0).collect();
    assert_eq!(numbers, sent);
    assert_eq!((agent.report().connections, agent.report().resent), (1, 0));
    eprintln!("connected after {connected:?}, 20 alerts after {arrived:?}, lost segments {}", relay.lost());
}

/// Prints how late alerts are on bad networks, one alert every two seconds for four minutes:
/// `cargo test -p karaul-tests --test uplink -- --ignored --nocapture figures`.
#[test]
#[ignore = "takes five minutes: figures for the documentation"]
fn figures_of_bad_networks() {
    const FOR: Duration = Duration::from_secs(240);
    let second_generation = Shape { bytes_per_second: 2500, delay: Duration::from_millis(300), ..POOR };
    let satellite = Shape { bytes_per_second: 64_000, delay: Duration::from_millis(300), loss: 0.01, ..POOR };
    let free = Shape { bytes_per_second: 1 << 30, delay: Duration::ZERO, loss: 0.0, ..POOR };
    // How long the network is there, and then is not.
    let always = (FOR, Duration::ZERO);
    let sometimes = (Duration::from_secs(30), Duration::from_secs(90));
    let cases = [
        ("64 kbit/s, 800 ms, 5 % loss", POOR, always),
        ("2G: 20 kbit/s, 600 ms, 5 % loss", second_generation, always),
        ("satellite: 512 kbit/s, 600 ms, 1 % loss", satellite, always),
        ("30 s on, 90 s off", free, sometimes),
    ];
    let runs =
        cases.map(|(name, shape, times)| thread::spawn(move || format!("| {name} | {} |", run(FOR, shape, times))));
    println!("| network | alerts | lost | twice | connections | delay p50 | p99 | longest |");
    for line in runs {
        println!("{}", line.join().unwrap());
    }
}

fn run(time: Duration, shape: Shape, (on, off): (Duration, Duration)) -> String {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let relay = Relay::shaped(broker.port, shape).unwrap();
    let mut usual = settings(relay.port());
    usual.backoff = karaul::uplink::BackoffPolicy::default();
    usual.broker.keep_alive = Duration::from_secs(30);
    let agent = Agent::start(usual);
    let begun = Instant::now();
    let (mut sent, mut arrived, mut twice) = (BTreeMap::new(), BTreeMap::new(), 0);
    let mut receive = |limit: Duration| {
        while let Some(message) = subscriber.next(limit) {
            let earlier = arrived.insert(event(&message.payload).sequence.0, begun.elapsed());
            if let Some(earlier) = earlier {
                arrived.insert(event(&message.payload).sequence.0, earlier);
                twice += 1;
            }
        }
        arrived.len()
    };
    let mut next = Duration::ZERO;
    while begun.elapsed() < time {
        let now = begun.elapsed();
        let is_on = now.as_millis() % (on + off).as_millis() < on.as_millis();
        relay.freeze(!is_on);
        if now >= next {
            sent.insert(agent.alert(1)[0], now);
            next += Duration::from_secs(2);
        }
        receive(Duration::from_millis(20));
    }
    relay.freeze(false);
    let end = Instant::now() + Duration::from_secs(60);
    while receive(Duration::from_millis(100)) < sent.len() && Instant::now() < end {}
    let mut delays: Vec<Duration> =
        sent.iter().filter_map(|(number, at)| arrived.get(number).map(|arrived| *arrived - *at)).collect();
    delays.sort();
    let seconds = |share: f64| delays[((delays.len() - 1) as f64 * share) as usize].as_secs_f64();
    format!(
        "{} | {} | {twice} | {} | {:.1} s | {:.1} s | {:.1} s",
        sent.len(),
        sent.len() - delays.len(),
        agent.report().connections,
        seconds(0.5),
        seconds(0.99),
        seconds(1.0)
    )
}
