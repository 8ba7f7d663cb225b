//! `karaul check`.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use crate::config::{Config, Level, Outcome, Secrets};

/// Exit code for a bad configuration (`EX_USAGE` of sysexits.h). A systemd unit names it in
/// `RestartPreventExitStatus`, as trying again does not help.
pub const BAD_CONFIG: u8 = 64;

/// `karaul check`: every problem of a config at once. Touches no network and no camera.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config to check
    config: PathBuf,
    /// How problems are shown; without it fancy on a terminal, otherwise plain
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How problems are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One line each: file, line, place, value, what is wrong, remedy
    Plain,
    /// With an excerpt of the file and an arrow
    Fancy,
}

/// Checks the config and says what came of it on standard output.
///
/// The exit code is 0 if it can be used, even with warnings, and [`BAD_CONFIG`] otherwise.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(args: &Args) -> io::Result<ExitCode> {
    let out = io::stdout();
    let terminal = out.is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let format = args.format.unwrap_or(if terminal { Format::Fancy } else { Format::Plain });
    let (good, text) = check(args, format, colour);
    writeln!(out.lock(), "{text}")?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(BAD_CONFIG) })
}

/// Whether the config can be used, and what is to be said about it.
fn check(args: &Args, format: Format, colour: bool) -> (bool, String) {
    /// Lines that are too long for the terminal are broken; this fits nearly all of them.
    const COLUMNS: usize = 100;
    let Outcome { config, problems } = Config::read(&args.config, Secrets::Tried);
    let mut text = match format {
        _ if problems.list().is_empty() => String::new(),
        Format::Plain => problems.to_string() + "\n",
        Format::Fancy => problems.fancy(colour, COLUMNS) + "\n",
    };
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings) = (problems.count(Level::Error), problems.count(Level::Warning));
    text += &format!("{}: ", args.config.display());
    text += &match &config {
        Some(config) => {
            let rules = config.cameras.iter().map(|camera| camera.rules.len()).sum();
            format!("well, {}, {}", count(config.cameras.len(), "camera"), count(rules, "rule"))
        }
        None => count(errors, "error"),
    };
    if warnings > 0 {
        text += &format!(", {}", count(warnings, "warning"));
    }
    (config.is_some(), text)
}
