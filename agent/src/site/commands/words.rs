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
        Order::CameraEnable { camera, enabled } => format!("camera {camera}, {}", if *enabled { "on" } else { "off" }),
    }
}

/// The keys in force, with what tells one from another, and the roles with what they may do.
pub(super) fn names(settings: &config::Commands) -> String {
    let list = |names: Vec<&str>| names.join(" ");
    let keys = settings.keys.iter().map(|(id, key)| {
        format!("key {id} ({}) {}", key.public_key, list(key.roles.iter().map(Segment::as_str).collect()))
    });
    let roles = settings.roles.iter().map(|(id, role)| {
        let verbs = list(role.verbs.iter().map(|verb| verb.as_str()).collect());
        match &role.cameras {
            Some(cameras) => format!("role {id}: {verbs}, on {}", list(cameras.iter().map(Segment::as_str).collect())),
            None => format!("role {id}: {verbs}"),
        }
    });
    let all: Vec<String> = keys.chain(roles).collect();
    if all.is_empty() { "no keys, so no command is taken".to_owned() } else { all.join("; ") }
}
