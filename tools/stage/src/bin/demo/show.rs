//! What a person sees.

use std::{io::IsTerminal, path::Path};

use jiff::{Timestamp, tz::TimeZone};
use karaul_stage::Heard;
use karaul_wire::{AlertEvent, CameraState, Language, Phase, Severity};

const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const GREEN: &str = "32";
const GREY: &str = "90";
const PLAIN: &str = "0";

/// Says what runs where.
pub(super) fn opening(config: &Path, camera: Option<&str>, broker: &str) {
    println!("{}", paint("1", "Karaul: cameras in, alerts out. Ctrl-C ends the demonstration."));
    if let Some(camera) = camera {
        println!("  camera simulator   {camera}");
    }
    println!("  broker             {broker}   (mosquitto_sub -p 18883 -t 'karaul1/#' shows what is sent)");
    println!("  agent              karaul run --config {}\n", config.display());
}

/// Shows one message, if it is one for people.
pub(super) fn message(heard: &Heard) {
    match heard {
        Heard::Alert(event) => alert(event),
        Heard::Camera(id, status) => {
            let (colour, state) = match status.state {
                CameraState::Seeing => (GREEN, "sees"),
                CameraState::Blind => (YELLOW, "is blind"),
                CameraState::Disabled => (GREY, "is switched off"),
            };
            let detail = status.detail.as_ref().map_or(String::new(), |d| format!(": {d}"));
            line(status.since, colour, "camera  ", &format!("{id} {state}{detail}"));
        }
        Heard::Box(status) => {
            let text = format!("box {:?}, session {}", status.state, status.session).to_lowercase();
            line(status.since, GREY, "box     ", &text);
        }
        Heard::Open(..) | Heard::Other(..) => {}
    }
}

fn alert(event: &AlertEvent) {
    let incident = &event.data.incident;
    let colour = match (incident.phase, incident.severity) {
        (Phase::Close, _) => PLAIN,
        (_, Severity::Critical) => RED,
        (_, Severity::Warning) => YELLOW,
        (_, Severity::Info) => PLAIN,
    };
    let sign = match incident.phase {
        Phase::Open => incident.severity.as_str().to_uppercase(),
        Phase::Update => "goes on".to_owned(),
        Phase::Close => "over".to_owned(),
    };
    let text = event.data.text.get(&Language::En).or_else(|| event.data.text.values().next());
    let late = if event.data.backfill { "  (delivered late)" } else { "" };
    line(event.time, colour, &format!("{sign:8}"), &format!("{}{late}", text.map_or("", String::as_str)));
    if incident.phase != Phase::Open {
        return;
    }
    for (_, text) in event.data.text.iter().filter(|(l, _)| **l != Language::En) {
        println!("                   {}", paint(GREY, text));
    }
    for object in &event.data.objects {
        let [x, y, w, h] = object.bbox;
        let seen = format!("{} {:.0} % at x {x:.2} y {y:.2}, {w:.2} x {h:.2}", object.class, object.score * 100.0);
        let picture = event.data.evidence.first().map_or(String::new(), |e| format!(", picture {}.jpg", e.id));
        println!("                   {}", paint(GREY, &format!("{seen}{picture}")));
    }
}

/// Passes on warnings and errors of the agent.
pub(super) fn complaint(log: &str) {
    if is_complaint(log) {
        println!("{}", paint(GREY, log));
    }
}

/// The level is the second word of a line of the log.
fn is_complaint(log: &str) -> bool {
    matches!(log.split_whitespace().nth(1), Some("WARN" | "ERROR"))
}

fn line(at: Timestamp, colour: &str, sign: &str, text: &str) {
    let time = at.to_zoned(TimeZone::system()).strftime("%H:%M:%S").to_string();
    println!("{time}  {}  {text}", paint(colour, sign));
}

fn paint(colour: &str, text: &str) -> String {
    if std::io::stdout().is_terminal() { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_and_errors_are_passed_on_and_nothing_else() {
        assert!(is_complaint("2026-11-22T06:56:12.123456Z  WARN broker 127.0.0.1:18883 cannot be reached"));
        assert!(is_complaint("2026-11-22T06:56:12.123456Z ERROR outbox: the disk is full"));
        assert!(!is_complaint("2026-11-22T06:56:12.123456Z  INFO incident camera=yard WARN"));
        assert!(!is_complaint(""));
    }
}
