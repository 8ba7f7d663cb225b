//! What is put on record about commands and keys.

use std::fmt::Write as _;

use karaul_wire::{Order, Segment, Verb};

use super::Outcome;
use crate::{
    config,
    trust::{
        Admitted,
        audit::{Occasion, Record},
    },
};

/// The entry before a command is carried out. `camera` is that of the incident or picture that it names.
pub(super) fn intent(admitted: &Admitted, camera: Option<&Segment>) -> Record {
    let Admitted { command, key, .. } = admitted;
    let purpose = match &command.order {
        Order::Snapshot { purpose, .. } => Some(purpose.clone()),
        _ => None,
    };
    Record {
        actor: Some(command.actor.clone()),
        key: Some(key.to_string()),
        role: Some(command.role.clone()),
        verb: Some(command.order.verb()),
        object: Some(object(&command.order, camera)),
        reason: Some(command.reason.clone()),
        purpose,
        jti: Some(command.jti),
        ..Record::new(Occasion::Command)
    }
}

/// The entry after it.
pub(super) fn result(verb: Verb, number: u64, outcome: &Outcome) -> Record {
    let mut detail = outcome.detail.clone();
    if let Some(picture) = &outcome.picture {
        let _ = write!(detail, "; picture with SHA-256 {}", picture.sha256);
    }
    let (verb, entry, code) = (Some(verb), Some(number), Some(outcome.code));
    Record { verb, entry, result: code, ..Record::new(Occasion::Result) }.detail(detail)
}

/// What an order is about, in words.
fn object(order: &Order, camera: Option<&Segment>) -> String {
    let at = camera.map_or_else(String::new, |camera| format!(", camera {camera}"));
    let place = |camera: &Option<Segment>, rule: &Option<Segment>| {
        let camera = camera.as_ref().map_or_else(|| "all cameras".to_owned(), |camera| format!("camera {camera}"));
        rule.as_ref().map_or_else(|| camera.clone(), |rule| format!("{camera}, rule {rule}"))
    };
    match order {
        Order::Acknowledge { incident } | Order::Resolve { incident } | Order::FalsePositive { incident } => {
            format!("incident {incident}{at}")
        }
        Order::Arm { camera, rule } => place(camera, rule),
        Order::Disarm { camera, rule, seconds } => format!("{}, for {seconds} s", place(camera, rule)),
        Order::TestIncident { camera, rule } => place(&Some(camera.clone()), rule),
        Order::Replay { ranges } => {
            /// More are not listed.
            const MOST: usize = 20;
            let list: Vec<String> =
                ranges.iter().take(MOST).map(|range| format!("{}-{}", range.first.0, range.last.0)).collect();
            let more = if ranges.len() > MOST { format!(" … ({} ranges)", ranges.len()) } else { String::new() };
            format!("alerts {}{more}", list.join(", "))
        }
        Order::Snapshot { evidence: Some(evidence), .. } => format!("evidence {evidence}{at}"),
        Order::Snapshot { camera, .. } => place(camera, &None),
        Order::Reload {} => "config".to_owned(),
        Order::Ledger { first, last: None } => format!("ledger of {first}"),
        Order::Ledger { first, last: Some(last) } => format!("ledger of {first} to {last}"),
        Order::Mode { mode } => format!("mode {mode}"),
        Order::CameraEnable { camera, enabled } => format!("camera {camera}, {}", if *enabled { "on" } else { "off" }),
    }
}

/// The keys in force, with what tells one from another, the roles with what they may do, and what decides whether
/// a command is fresh: everything by which the gate judges, so that no change of it goes without an entry.
pub(super) fn names(settings: &config::Commands) -> String {
    let config::Commands { longest_validity, clock_tolerance, time_sync_file, keys, roles } = settings;
    let list = |names: Vec<&str>| names.join(" ");
    let none = keys.is_empty().then(|| "no keys, so no command is taken".to_owned());
    let keys = keys.iter().map(|(id, config::CommandKey { public_key, roles, not_after })| {
        let roles = list(roles.iter().map(Segment::as_str).collect());
        let end = not_after.map(|end| format!(", not after {end}")).unwrap_or_default();
        format!("key {id} ({public_key}) {roles}{end}")
    });
    let roles = roles.iter().map(|(id, config::Role { verbs, cameras })| {
        let verbs = list(verbs.iter().map(|verb| verb.as_str()).collect());
        match cameras {
            Some(cameras) => format!("role {id}: {verbs}, on {}", list(cameras.iter().map(Segment::as_str).collect())),
            None => format!("role {id}: {verbs}"),
        }
    });
    let limits = format!(
        "longest_validity {} s, clock_tolerance {} s, time_sync_file {}",
        longest_validity.as_secs_f64(),
        clock_tolerance.as_secs_f64(),
        time_sync_file.display()
    );
    none.into_iter().chain(keys).chain(roles).chain([limits]).collect::<Vec<_>>().join("; ")
}
