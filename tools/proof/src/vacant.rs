//! Whether rain, snow, insects, swaying trees and headlights over an empty yard are taken for an incident of any kind.

use std::{path::PathBuf, time::Duration};

use karaul_scene::{EVERY_KIND, SceneOptions, vacant};

use crate::{
    error::ProofError,
    rendered::{Studio, Take},
    report::Report,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder of the detector
    #[arg(long, value_name = "DIR", default_value = "models/yard-nano")]
    model: PathBuf,
    /// Of each scene
    #[arg(long, default_value_t = 10)]
    minutes: u32,
    /// Chooses drops, insects and gusts
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only scenes whose name has this in it
    #[arg(long, value_name = "NAME", default_value = "")]
    only: String,
}

const LOOKS_A_SECOND: u32 = 5;

/// The rule that has something to tell: nobody mans the post. Once; the incident does not end.
const TRUE: &str = "post-unmanned";

pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let studio = Studio::new(&options.model)?;
    let scenes: Vec<(&str, SceneOptions)> =
        vacant(640, 360, options.seed).into_iter().filter(|(name, _)| name.contains(&options.only)).collect();
    if scenes.is_empty() {
        let names = vacant(640, 360, options.seed).into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
        return Err(ProofError::client(format!("no scene has {:?} in its name; they are {names}", options.only)));
    }
    let take = |(_, scene): &(&str, SceneOptions)| Take {
        scene: *scene,
        camera: EVERY_KIND.to_owned(),
        looks_a_second: LOOKS_A_SECOND,
        length: Duration::from_secs(60 * u64::from(options.minutes)),
    };
    let results = studio.watch(&scenes.iter().map(take).collect::<Vec<_>>())?;

    let title = format!("an empty yard, all kinds armed, {}, {LOOKS_A_SECOND} looks a second", studio.manifest.id);
    let mut report = Report::new(title);
    let (mut told, mut unsaid) = (Vec::new(), Vec::new());
    for ((name, _), opened) in scenes.iter().zip(results) {
        let (due, further): (Vec<_>, Vec<_>) = opened.into_iter().partition(|(rule, _)| rule == TRUE);
        let mut rules: Vec<&str> = further.iter().map(|(rule, _)| rule.as_str()).collect();
        rules.sort_unstable();
        let counts = rules.chunk_by(|a, b| a == b).map(|same| format!("{} {}", same.len(), same[0]));
        let counts = counts.collect::<Vec<_>>().join(", ");
        let counts = if counts.is_empty() { "none" } else { &counts };
        report.fact(*name, format!("{} min: {counts}", options.minutes));
        if due.len() != 1 {
            unsaid.push(format!("{} times in {name}", due.len()));
        }
        told.extend(further.into_iter().map(|(rule, at)| format!("{rule} at {:.1} s of {name}", at.as_secs_f32())));
    }
    let hours = f64::from(options.minutes) * scenes.len() as f64 / 60.0;
    report.fact("false alarms", format!("{} in {hours:.1} h", told.len()));
    let few = told.len() as f64 <= hours / 24.0;
    report.promise("at most one false alarm a camera-day", if few { &[] } else { &told });
    report.promise("that nobody mans the post is told, once a scene", &unsaid);
    Ok(report)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use karaul_wire::RuleKind;

    use super::*;
    use crate::rendered::config;

    #[test]
    fn every_kind_is_armed() {
        for kind in RuleKind::ALL {
            assert!(EVERY_KIND.contains(&format!("kind = \"{}\"\n", kind.as_str())), "{kind:?}");
        }
        let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/yard-nano");
        config(&model, LOOKS_A_SECOND, EVERY_KIND).expect("a config");
    }
}
