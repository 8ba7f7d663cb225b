//! What the gates before decoder and detector cost: which incidents are found with them, against always looking at
//! every picture.

mod cases;
mod found;
mod replay;

use std::{path::PathBuf, time::Duration};

use self::{
    cases::Case,
    found::{Incident, Match, matched},
    replay::{Replay, VARIANTS, Variant},
};
use crate::{error::ProofError, report::Report};

/// The aim: so large a share of the incidents.
const AIM: f64 = 0.99;

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// Only three minutes of the rendered yard
    #[arg(long)]
    quick: bool,
    /// Folder of the detector
    #[arg(long, value_name = "DIR", default_value = "models/yard-nano")]
    model: PathBuf,
    /// Folder of real clips, with its subfolders
    #[arg(long, value_name = "DIR")]
    clips: Option<PathBuf>,
    /// Leave out the rendered scenes
    #[arg(long, requires = "clips")]
    no_scenes: bool,
    /// Only show the figures, do not fail where the aim is missed
    #[arg(long)]
    no_aims: bool,
}

/// What one variant did, over all cases.
#[derive(Debug, Default)]
struct Account {
    wanted: usize,
    delays: Vec<Duration>,
    missed: Vec<String>,
    within: usize,
    further: usize,
    looks: u64,
}

pub(crate) fn run(options: &Options) -> Result<Report, ProofError> {
    let folder = tempfile::tempdir()?;
    let cases = cases::all(options, folder.path())?;
    let model = std::path::absolute(&options.model)?;
    let mut accounts: Vec<Account> = VARIANTS.iter().map(|_| Account::default()).collect();
    let mut length = Duration::ZERO;
    for case in &cases {
        let replays = VARIANTS
            .iter()
            .map(|variant| Replay::of(case, variant, &model, folder.path()))
            .collect::<Result<Vec<_>, _>>()?;
        let always = &replays[0];
        length += always.length;
        for (gated, account) in replays.iter().zip(&mut accounts) {
            account.add(case, &always.incidents, gated);
        }
        eprintln!("{}: {} incidents", case.name, always.incidents.len());
    }
    let mut report = Report::new(format!(
        "gates over {} recordings, {:.0} minutes, with {}",
        cases.len(),
        length.as_secs_f64() / 60.0,
        model.file_name().unwrap_or_default().to_string_lossy()
    ));
    for (variant, account) in VARIANTS.iter().zip(&mut accounts) {
        account.tell(variant, &mut report, options.no_aims);
    }
    report.table(table(&accounts));
    Ok(report)
}

impl Account {
    fn add(&mut self, case: &Case, always: &[Incident], gated: &Replay) {
        let Match { delays, missed, within, further } = matched(always, &gated.incidents);
        self.within += within;
        self.wanted += always.len();
        self.delays.extend(delays);
        self.missed.extend(missed.into_iter().map(|incident| format!("{}: {incident}", case.name)));
        self.further += further;
        self.looks += gated.looks;
    }

    fn recall(&self) -> f64 {
        self.delays.len() as f64 / self.wanted.max(1) as f64
    }

    fn tell(&mut self, variant: &Variant, report: &mut Report, no_aims: bool) {
        self.delays.sort_unstable();
        let (what, recall) = (variant.to_string(), self.recall());
        let figure = format!("{:.2} % of {}", recall * 100.0, self.wanted);
        if no_aims {
            report.fact(what, figure);
        } else {
            report.aim(what, figure, recall >= AIM);
        }
        for missed in self.missed.iter().take(12) {
            report.fact(format!("missed with {variant}"), missed);
        }
    }

    fn delay(&self, share: f64) -> f64 {
        let last = self.delays.len().saturating_sub(1);
        self.delays.get((last as f64 * share).ceil() as usize).map_or(0.0, Duration::as_secs_f64)
    }
}

fn table(accounts: &[Account]) -> String {
    let mut table =
        "| gates | incidents found | missed: became part of another / not seen | delay p50 / p99 / max s | further incidents | pictures looked at |\n"
            .to_owned();
    table.push_str("| --- | --- | --- | --- | --- | --- |\n");
    let all = accounts.first().map_or(1, |account| account.looks.max(1));
    for (variant, account) in VARIANTS.iter().zip(accounts) {
        table.push_str(&format!(
            "| {variant} | {} of {} ({:.2} %) | {} / {} | {:.2} / {:.2} / {:.2} | {} | {:.0} % |\n",
            account.delays.len(),
            account.wanted,
            account.recall() * 100.0,
            account.within,
            account.missed.len() - account.within,
            account.delay(0.5),
            account.delay(0.99),
            account.delay(1.0),
            account.further,
            account.looks as f64 / all as f64 * 100.0
        ));
    }
    table
}
