//! One recording, replayed by the agent.

use std::{collections::BTreeMap, fmt, fs, path::Path, process::Command, time::Duration};

use jiff::Timestamp;
use karaul_stage::{StageError, binary};
use karaul_wire::{AlertEvent, Phase};
use uuid::Uuid;

use super::{cases::Case, found::Incident};
use crate::{error::ProofError, site::head};

/// How the agent looks.
#[derive(Debug)]
pub(super) struct Variant {
    /// As in the config.
    decoding: &'static str,
    /// As in the config.
    detection: &'static str,
}

/// The first looks at everything.
pub(super) const VARIANTS: [Variant; 4] = [
    Variant { decoding: "full", detection: "always" },
    Variant { decoding: "full", detection: "on-motion" },
    Variant { decoding: "on-demand", detection: "always" },
    Variant { decoding: "on-demand", detection: "on-motion" },
];

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "decoding {}, detection {}", self.decoding, self.detection)
    }
}

/// What came of it.
#[derive(Debug)]
pub(super) struct Replay {
    pub(super) incidents: Vec<Incident>,
    /// Pictures that the detector looked at.
    pub(super) looks: u64,
    pub(super) length: Duration,
}

impl Replay {
    /// `folder` holds the config for a moment.
    pub(super) fn of(case: &Case, variant: &Variant, model: &Path, folder: &Path) -> Result<Self, ProofError> {
        let config = folder.join("site.toml");
        fs::write(&config, site(variant, model, folder))?;
        let mut command = Command::new(binary("karaul"));
        command.args(["replay", "--camera", "camera", "--config"]).arg(&config).arg(&case.file);
        let output = command.output().map_err(|source| StageError::Start { program: "karaul".to_owned(), source })?;
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let counted = words.lines().rev().find_map(counted).filter(|_| output.status.success());
        let Some((looks, length)) = counted else {
            return Err(ProofError::client(format!("{}: karaul replay: {}", case.name, words.trim_end())));
        };
        let mut incidents: BTreeMap<Uuid, Incident> = BTreeMap::new();
        for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event: AlertEvent = serde_json::from_slice(line).map_err(ProofError::client)?;
            let at = Duration::try_from(event.time.duration_since(Timestamp::UNIX_EPOCH)).unwrap_or_default();
            let (incident, rule) = (&event.data.incident, event.data.rule.id.to_string());
            let entry = incidents.entry(incident.id).or_insert(Incident { rule, opened: at, closed: length });
            if incident.phase == Phase::Close {
                entry.closed = at;
            }
        }
        let mut incidents: Vec<Incident> = incidents.into_values().collect();
        incidents.sort_by_key(|incident| incident.opened);
        Ok(Self { incidents, looks, length })
    }
}

/// From the line that ends a replay: pictures looked at, and the length.
fn counted(line: &str) -> Option<(u64, Duration)> {
    let (_, counts) = line.rsplit_once(": ")?;
    let (looks, length) = counts.split_once(" pictures looked at, ")?;
    Some((looks.parse().ok()?, Duration::try_from_secs_f64(length.strip_suffix(" s")?.parse().ok()?).ok()?))
}

/// Rules of each kind that there is, over the picture and in its middle.
fn site(variant: &Variant, model: &Path, folder: &Path) -> String {
    let head = head("mqtt://127.0.0.1", folder, model.parent().unwrap_or(model));
    let name = model.file_name().unwrap_or_default().to_string_lossy();
    let Variant { decoding, detection } = variant;
    format!(
        r#"{head}[[camera]]
id = "camera"
url = "rtsp://127.0.0.1/camera"
model = "{name}"
purpose = "proof"
decoding = "{decoding}"
detection = "{detection}"
[camera.zone.all]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[camera.zone.middle]
points = [[0.25, 0.33], [0.72, 0.33], [0.96, 0.93], [0.04, 0.93]]
[camera.line.level]
points = [[0.0, 0.45], [1.0, 0.45]]
[camera.line.upright]
points = [[0.5, 0.0], [0.5, 1.0]]
[[camera.rule]]
id = "anywhere"
kind = "intrusion"
zone = "all"
classes = ["person"]
dwell = "1s"
cooldown = "0s"
[[camera.rule]]
id = "stays"
kind = "intrusion"
zone = "middle"
classes = ["person"]
dwell = "4s"
cooldown = "0s"
[[camera.rule]]
id = "crosses-level"
kind = "line_crossing"
line = "level"
classes = ["person"]
cooldown = "0s"
[[camera.rule]]
id = "crosses-upright"
kind = "line_crossing"
line = "upright"
classes = ["person"]
cooldown = "0s"
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_a_replay_is_understood() {
        let counts = counted("/tmp/a: b.mp4: 301 pictures looked at, 60.5 s");
        assert_eq!(counts, Some((301, Duration::from_millis(60_500))));
        assert_eq!(counted("12.0 s: seeing"), None);
    }
}
