//! What was opened arrives, whatever fails in between.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    thread,
    time::{Duration, Instant},
};

use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber};
use karaul_tests::{TestSite, any_of, delivered};
use karaul_wire::{BlindReason, BoxState, CameraState, CloseReason, Phase};

/// Opens and closes incidents all the time.
fn busy() -> String {
    format!("detections_per_second = 10\n{}", any_of(&["person", "car"]))
}

/// How often, or how many seconds: more in a full run, which sets the variable.
fn extent(variable: &str, usual: u64) -> u64 {
    std::env::var(variable).map_or(usual, |n| n.parse().unwrap())
}

struct Stage {
    broker: Broker,
    subscriber: Subscriber,
    simulator: Simulator,
}

fn stage(mounts: &[&str]) -> Stage {
    let broker = Broker::start(0).unwrap();
    let subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let mounts: Vec<_> = mounts.iter().map(|m| (*m).to_owned()).collect();
    let simulator = Simulator::start(0, &mounts, &[]).unwrap();
    Stage { broker, subscriber, simulator }
}

fn opened(heard: &[Heard]) -> usize {
    heard.iter().filter(|h| matches!(h, Heard::Alert(a) if a.data.incident.phase == Phase::Open)).count()
}

fn stopped(heard: &[Heard]) -> bool {
    heard.iter().any(|h| matches!(h, Heard::Box(s) if s.state == BoxState::Stopped))
}

#[test]
fn alerts_made_while_the_broker_is_away_arrive_in_order_and_marked() {
    let mut s = stage(&["/yard=scene:yard"]);
    let site = TestSite::new(&s.broker.url()).camera("yard", &s.simulator.urls[0], "yard-nano", &busy());
    let mut agent = Agent::start(&site.write()).unwrap();
    let mut heard = s.subscriber.collect(Duration::from_secs(30), |h| opened(h) >= 1);
    assert!(opened(&heard) >= 1);

    let begun = Instant::now();
    s.broker.stop().unwrap();
    // What is committed after the agent has noticed is late, and the outage lasts until something was.
    let noticed = |line: &str| line.contains("alerts wait in the outbox").then_some(());
    agent.program.wait_for(Duration::from_secs(30), noticed).unwrap();
    let step = |line: &str| (line.contains("incident") && line.contains("phase")).then_some(());
    agent.program.wait_for(Duration::from_secs(90), step).expect("an incident while the broker is away");
    let outage = Duration::from_secs(extent("KARAUL_OUTAGE", 20));
    thread::sleep(outage.saturating_sub(begun.elapsed()));
    s.broker.restart().unwrap();
    // The agent dials again at the latest a second and a quarter of the outage later.
    let bound = Duration::from_secs(15) + begun.elapsed() / 4;
    let late = |h: &Heard| matches!(h, Heard::Alert(a) if a.data.backfill);
    heard.extend(s.subscriber.collect(bound, |h| h.iter().any(late)));
    if !heard.iter().any(late) {
        let log: Vec<_> = std::iter::from_fn(|| agent.program.line(Duration::from_millis(200))).collect();
        panic!("nothing came late within {bound:?}; the agent: {log:#?}");
    }
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    heard.extend(s.subscriber.collect(Duration::from_secs(10), stopped));

    let all = delivered(&heard).and_all_sent(&site.file("state"));
    assert_eq!(all.faults, Vec::<String>::new());
    assert!(all.still_open().is_empty());
    eprintln!("{} alerts, {} repeated", all.alerts.len(), all.repeated);
}

#[test]
fn an_agent_that_is_killed_again_and_again_loses_nothing() {
    let kills = extent("KARAUL_KILLS", 4);
    let mut s = stage(&["/yard=scene:yard"]);
    let site = TestSite::new(&s.broker.url()).camera("yard", &s.simulator.urls[0], "yard-nano", &busy());
    let config = site.write();
    let mut heard = Vec::new();
    for kill in 0..kills {
        let mut agent = Agent::start(&config).unwrap();
        // From "just starting" to "in the middle of it", by a fixed sequence.
        let lives = Duration::from_millis(1500 + kill * 7919 % 5000);
        heard.extend(s.subscriber.collect(lives, |_| false));
        agent.program.kill();
    }
    let mut agent = Agent::start(&config).unwrap();
    heard.extend(s.subscriber.collect(Duration::from_secs(5), |_| false));
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    heard.extend(s.subscriber.collect(Duration::from_secs(5), stopped));

    let all = delivered(&heard).and_all_sent(&site.file("state"));
    assert!(opened(&heard) > 0, "no incident in all that time");
    assert_eq!(all.faults, Vec::<String>::new());
    assert!(all.still_open().is_empty(), "orphans are closed");
    let orphans = |a: &&karaul_wire::AlertEvent| a.data.incident.close_reason == Some(CloseReason::Restarted);
    eprintln!(
        "{kills} kills: {} alerts, {} closed after a restart, {} repeated",
        all.alerts.len(),
        all.alerts.values().filter(orphans).count(),
        all.repeated
    );
    // A last will tells of each death that followed a connection.
    assert!(heard.iter().any(|h| matches!(h, Heard::Box(s) if s.state == BoxState::Lost)));
}

#[test]
fn a_camera_that_goes_away_is_reported_and_seen_again_and_disturbs_no_other() {
    let mut s = stage(&["/yard=scene:yard"]);
    let port = karaul_stage::free_port().unwrap();
    let gate = || Simulator::start(port, &["/gate=scene:yard".to_owned()], &[]).unwrap();
    let mut other = gate();
    let told = format!("{}[[camera.rule]]\nid = \"no-pictures\"\nkind = \"camera_loss\"\ndwell = \"1s\"\n", busy());
    let site = TestSite::new(&s.broker.url()).camera("yard", &s.simulator.urls[0], "yard-nano", &busy()).camera(
        "gate",
        &other.urls[0].clone(),
        "yard-nano",
        &told,
    );
    let mut agent = Agent::start(&site.write()).unwrap();
    let is = |id: &'static str, state: CameraState| {
        move |heard: &[Heard]| heard.iter().any(|h| matches!(h, Heard::Camera(i, s) if i == id && s.state == state))
    };
    let mut heard = s.subscriber.collect(Duration::from_secs(30), is("gate", CameraState::Seeing));
    assert!(is("gate", CameraState::Seeing)(&heard));

    other.program.kill();
    let away_since = Instant::now();
    let away = s.subscriber.collect(Duration::from_secs(10), is("gate", CameraState::Blind));
    let Some(Heard::Camera(_, status)) = away.iter().find(|h| matches!(h, Heard::Camera(i, _) if i == "gate")) else {
        panic!("its loss was not reported within 10 s");
    };
    assert!(matches!(status.reason, Some(BlindReason::Offline | BlindReason::Stalled)), "{status:?}");
    assert!(status.detail.as_ref().is_some_and(|d| d.contains(&format!("127.0.0.1:{port}"))), "{status:?}");
    heard.extend(away);
    // The other camera goes on meanwhile.
    let meanwhile = s.subscriber.collect(Duration::from_secs(40), |h| {
        h.iter().any(|h| matches!(h, Heard::Alert(a) if a.data.location.camera.as_str() == "yard"))
    });
    assert!(!meanwhile.is_empty(), "no alert of the other camera");
    heard.extend(meanwhile);
    let rest = Duration::from_secs(extent("KARAUL_OUTAGE", 0)).saturating_sub(away_since.elapsed());
    heard.extend(s.subscriber.collect(rest, |_| false));

    let _back = gate();
    let back = s.subscriber.collect(Duration::from_secs(40), is("gate", CameraState::Seeing));
    assert!(is("gate", CameraState::Seeing)(&back), "not seen again");
    heard.extend(back);
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    heard.extend(s.subscriber.collect(Duration::from_secs(5), stopped));
    // The rule about it made one incident of it, which was over with the first picture.
    let of_loss = heard.iter().filter_map(|h| match h {
        Heard::Alert(alert) if alert.data.rule.id.as_str() == "no-pictures" => Some(&alert.data.incident),
        _ => None,
    });
    let of_loss: Vec<_> = of_loss.map(|incident| (incident.phase, incident.close_reason)).collect();
    assert_eq!(of_loss.first(), Some(&(Phase::Open, None)), "{of_loss:?}");
    assert_eq!(of_loss.last(), Some(&(Phase::Close, Some(CloseReason::Cleared))), "{of_loss:?}");
    assert_eq!(of_loss.iter().filter(|(phase, _)| *phase == Phase::Open).count(), 1, "{of_loss:?}");
    let all = delivered(&heard).and_all_sent(&site.file("state"));
    assert_eq!(all.faults, Vec::<String>::new());
    assert!(all.still_open().is_empty());
}
