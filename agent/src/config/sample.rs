//! Sites, cameras and rules for tests of other rooms.

use std::{fs, path::Path, time::Duration};

use karaul_wire::{Segment, Severity, Text};

use super::{
    BoxPoint, Camera, CameraUrl, Clips, Config, Decoder, Decoding, Detection, Filter, Line, Rule, RuleKind, Secrets,
    Sight, Transport, Zone,
};
use crate::{
    rules::geometry::{Point, Polygon, Polyline},
    vision::Manifest,
};

/// The first part of a config, without cameras. Nobody answers at its broker.
pub(crate) fn head(time_zone: &str, languages: &[&str]) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    format!(
        r#"[site]
region = "almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "{time_zone}"
languages = {languages:?}
[broker]
# The discard port.
url = "mqtt://127.0.0.1:9"
[inference]
models = "{}"
"#,
        models.display()
    )
}

/// The config of this text, by way of a file in the folder.
pub(crate) fn load(folder: &Path, text: &str) -> Config {
    let file = folder.join("site.toml");
    fs::write(&file, text).unwrap();
    Config::load_with(&file, Secrets::Ignored).unwrap_or_else(|problems| panic!("{problems}"))
}

pub(crate) fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

pub(crate) fn zone(name: &str, corners: &[(f32, f32)]) -> Zone {
    let corners = corners.iter().map(|(x, y)| Point::new(*x, *y)).collect();
    Zone { id: id(name), polygon: Polygon::new(corners).unwrap() }
}

pub(crate) fn line(name: &str, points: &[(f32, f32)]) -> Line {
    let points = points.iter().map(|(x, y)| Point::new(*x, *y)).collect();
    Line { id: id(name), path: Polyline::new(points).unwrap() }
}

/// Persons, from a score of 0.5 on.
pub(crate) fn filter() -> Filter {
    Filter {
        classes: vec![0],
        min_score: 0.5,
        keep_score: 0.0,
        confirm: [1, 1],
        min_size: [0.0; 2],
        max_size: [1.0; 2],
        height_m: None,
        aspect: [0.0, 1000.0],
        min_travel: 0.0,
        min_age: Duration::ZERO,
        point: BoxPoint::Foot,
        masks: Vec::new(),
    }
}

/// Always armed, without a cooldown.
pub(crate) fn rule(name: &str, kind: RuleKind) -> Rule {
    Rule {
        id: id(name),
        severity: Severity::Warning,
        escalate: None,
        schedule: None,
        modes: Vec::new(),
        light: None,
        cooldown: Duration::ZERO,
        budget: None,
        filter: filter(),
        night: None,
        kind,
    }
}

/// A camera with the model yard-nano.
pub(crate) fn camera(name: &str, rules: Vec<Rule>) -> Camera {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models/yard-nano");
    Camera {
        id: id(name),
        label: Text::new(),
        enabled: true,
        url: CameraUrl {
            tls: false,
            host: "192.0.2.11".to_owned(),
            port: 554.try_into().unwrap(),
            path: "/s".to_owned(),
        },
        ca_file: None,
        login: None,
        transport: Transport::Tcp,
        decoder: Decoder::Auto,
        decoding: Decoding::Full,
        detection: Detection::Always,
        look_every: Duration::from_secs(2),
        model: Manifest::load(&folder).unwrap(),
        detections_per_second: 5.0,
        sight: Sight { enabled: false, learn: Duration::from_secs(120) },
        clips: Clips {
            enabled: false,
            before: Duration::from_secs(5),
            after: Duration::from_secs(10),
            memory: 8 << 20,
        },
        evidence_url: None,
        ground: None,
        purpose: "school-safety".to_owned(),
        rules,
    }
}
