//! Whether rain, snow, insects, swaying trees and headlights over an empty yard are taken for things left or taken.

use std::{fs, time::Duration};

use jiff::Timestamp;
use karaul::{
    clock::Stamp,
    config::Config,
    incident::{Desk, Step},
    site::{Detect, Sink, Watch},
    vision::{Detection, Planes, VisionError},
};
use karaul_scene::{I420Frame, Scene, vacant};
use karaul_wire::{ClockSource, Phase};

use crate::{error::ProofError, report::Report, sight::film::planes, site::head};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Of each scene
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Chooses drops, insects and gusts
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Looks at each scene a second.
const RATE: u32 = 5;

/// Sees nobody: what is there is for the rules that look at the picture itself.
struct Nobody;

impl Detect for Nobody {
    fn detect(&mut self, _: &Planes<'_>) -> Result<&[Detection], VisionError> {
        Ok(&[])
    }
}

/// What was opened: rule, and after how many seconds.
#[derive(Default)]
struct Opened(Vec<(String, f64)>);

impl Sink for Opened {
    fn commit(&mut self, step: &mut Step, _: Option<&Planes<'_>>) -> bool {
        if step.alert.incident.phase == Phase::Open {
            self.0.push((step.alert.rule.id.to_string(), step.at.mono.as_secs_f64()));
        }
        true
    }
}

pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("site.toml");
    let models = std::path::absolute("models")?;
    fs::write(&file, format!("{}{RULES}", head("mqtt://127.0.0.1", folder.path(), &models)))?;
    let config = Config::load(&file).map_err(ProofError::client)?;
    let mut report = Report::new(format!("an empty yard, {} min of each, {RATE} looks a second", options.minutes));
    let mut told = Vec::new();
    for (name, scene) in vacant(640, 360, options.seed) {
        let scene = Scene::new(scene)?;
        let camera = &config.cameras[0];
        let desk = Desk::new(camera, &config.site.languages, "CPU", ClockSource::Recording, None);
        let mut watch = Watch::new(camera, Nobody, desk, Opened::default());
        let mut frame = I420Frame::default();
        for look in 0..options.minutes * 60 * RATE {
            let at = Duration::from_secs(1) * look / RATE;
            scene.render(at, &mut frame);
            watch.picture(Stamp::after(Timestamp::UNIX_EPOCH, at), &planes(&frame)).map_err(ProofError::client)?;
        }
        let opened = watch.into_sink().0;
        report.fact(name, format!("{} incidents", opened.len()));
        told.extend(opened.into_iter().map(|(rule, at)| format!("{rule} at {at:.1} s of {name}")));
    }
    report.promise("nothing told", &told);
    Ok(report)
}

/// Both kinds that look at the picture itself, over nearly all of it.
const RULES: &str = r#"[[camera]]
id = "camera"
url = "rtsp://127.0.0.1/camera"
model = "yard-nano"
purpose = "proof"
[camera.zone.all]
points = [[0.02, 0.3], [0.98, 0.3], [0.98, 0.97], [0.02, 0.97]]
[[camera.rule]]
id = "left"
kind = "abandoned_object"
zone = "all"
classes = ["person"]
cooldown = "0s"
[[camera.rule]]
id = "taken"
kind = "removed_object"
zone = "all"
cooldown = "0s"
"#;
