//! A real mosquitto behind a slow link. `karaul-proof link` has the figures of several.

use std::time::{Duration, Instant};

use karaul_stage::Broker;
use karaul_tests::{Relay, Shape, Subscriber};

use crate::agent::{Agent, LIMIT, event, settings, topic};

/// 64 kbit/s, 800 ms there and back, 5 % loss.
const POOR: Shape = Shape { bits_per_second: 64_000, round_trip: Duration::from_millis(800), loss: 0.05, on_off: None };

/// Alerts arrive in order, each once, and the connection stays.
#[test]
fn a_slow_link_with_loss_works() {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, &topic("alert/#"));
    let relay = Relay::shaped(broker.port, POOR, 1).unwrap();
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
