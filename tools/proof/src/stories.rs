//! What a detector makes of the rendered stories, by way of tracker, rules and incidents.

use std::{path::PathBuf, time::Duration};

use karaul_scene::{Light, SceneOptions, Script, Story};

use crate::{
    error::ProofError,
    rendered::{Opened, Studio, Take},
    report::Report,
};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Folder of the detector
    #[arg(long, value_name = "DIR", default_value = "models/yard-nano")]
    model: PathBuf,
    /// Width of the pictures in pixels
    #[arg(long, default_value_t = 640)]
    width: usize,
    /// Only this story
    #[arg(long, value_name = "NAME")]
    only: Option<Story>,
}

const LOOKS_A_SECOND: u32 = 5;

/// Looks a second at which the line of the passers counts.
const RATES: [u32; 3] = [25, 10, 5];

/// Between these rates its count may differ by so much, as a share of those who pass.
const MOST_OFF: f64 = 0.02;

pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let studio = Studio::new(&options.model)?;
    let wanted = |story: &Story| options.only.is_none_or(|only| *story == only);
    let labels = &studio.manifest.labels;
    let knows = |story: &Story| story.classes().iter().all(|class| labels.iter().any(|label| label == class));
    // The passers have a table of their own.
    let (known, unknown): (Vec<Story>, Vec<Story>) =
        Story::ALL.into_iter().filter(|story| *story != Story::Passers && wanted(story)).partition(knows);
    let title = format!("stories, {}, {LOOKS_A_SECOND} looks a second", studio.manifest.id);
    let mut report = Report::new(title);
    let takes = known.iter().map(|story| take(*story, options.width, LOOKS_A_SECOND)).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    for (story, opened) in known.iter().zip(studio.watch(&takes)?) {
        let told = story.judge(&of_rule(*story, &opened));
        let latest = told.delays.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let figure = match (told.delays.len(), told.further.len()) {
            (0, further) => format!("0 of {}, {further} further", told.missed.len()),
            (held, further) => {
                format!("{held} of {}, {further} further, {latest:.1} s after it was due", held + told.missed.len())
            }
        };
        report.fact(story.name(), figure);
        if !told.all_and_no_more() {
            wrong.push(format!("{}: {told:?}", story.name()));
        }
    }
    for story in unknown {
        report.fact(story.name(), "not known to this model");
    }
    if !known.is_empty() {
        report.promise("all is told, and nothing else", &wrong);
    }
    if wanted(&Story::Passers) {
        passers(&studio, options.width, &mut report)?;
    }
    Ok(report)
}

/// How many go over the line, at each rate.
fn passers(studio: &Studio, width: usize, report: &mut Report) -> Result<(), ProofError> {
    let truth = Story::Passers.events().len();
    let takes = RATES.map(|rate| take(Story::Passers, width, rate));
    let counts: Vec<usize> = studio.watch(&takes)?.iter().map(|opened| of_rule(Story::Passers, opened).len()).collect();
    for (rate, count) in RATES.iter().zip(&counts) {
        report.fact(format!("over the line, {rate} looks a second"), format!("{count} of {truth}"));
    }
    let (least, most) = (counts.iter().min().copied().unwrap_or(0), counts.iter().max().copied().unwrap_or(0));
    let off = (most - least) as f64 / truth as f64;
    report.aim("counts differ by at most 2 %", format!("{:.1} %", 100.0 * off), off <= MOST_OFF);
    Ok(())
}

/// One loop of a story.
fn take(story: Story, width: usize, looks_a_second: u32) -> Take {
    let (script, light) = (Script::Story(story), Light::Day);
    let scene = SceneOptions { width, height: width / 16 * 9, script, light, ..SceneOptions::default() };
    Take { scene, camera: story.config(), looks_a_second, length: story.period() }
}

/// When the story's own rule opened incidents.
fn of_rule(story: Story, opened: &[Opened]) -> Vec<Duration> {
    let rule = story.events()[0].rule;
    opened.iter().filter(|(id, _)| id == rule).map(|(_, at)| *at).collect()
}
