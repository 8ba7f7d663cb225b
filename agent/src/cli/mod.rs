//! The command line: one file per subcommand.
//!
//! Exit codes: 0 well, 1 failed, 64 bad configuration or arguments (a unit must not restart on it).

pub mod audit;
pub mod check;
pub mod command;
pub mod detect;
pub mod discover;
pub mod ledger;
pub mod models;
pub mod replay;
pub mod run;
pub mod track;
pub mod why;

use std::{fmt::Display, io::IsTerminal as _, process::ExitCode};

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use self::check::BAD_CONFIG;

/// Karaul, the guard: watches cameras and delivers alerts.
#[derive(Debug, Parser)]
#[command(name = "karaul", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Run(run::Args),
    Check(check::Args),
    Replay(replay::Args),
    Detect(detect::Args),
    Track(track::Args),
    Models(models::Args),
    Command(Box<command::Args>),
    Audit(audit::Args),
    Ledger(ledger::Args),
    Discover(discover::Args),
    Why(why::Args),
}

/// Runs the program.
#[must_use]
pub fn main() -> ExitCode {
    // Logs go to standard error, so that standard output holds only what was asked for.
    let filter = EnvFilter::try_from_env("KARAUL_LOG").unwrap_or_else(|_| EnvFilter::new("warn,karaul=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(words) => {
            // Nothing can be said if neither stream takes it.
            let _ = words.print();
            // Help that was asked for goes to standard output. Everything else no restart can mend.
            return if words.use_stderr() { ExitCode::from(BAD_CONFIG) } else { ExitCode::SUCCESS };
        }
    };
    match cli.what {
        What::Run(args) => done(run::run(&args)),
        What::Check(args) => done(check::run(&args)),
        What::Replay(args) => done(replay::run(&args)),
        What::Detect(args) => done(detect::run(&args).map(|()| ExitCode::SUCCESS)),
        What::Track(args) => done(track::run(&args).map(|()| ExitCode::SUCCESS)),
        What::Models(args) => done(models::run(&args).map(|()| ExitCode::SUCCESS)),
        What::Command(args) => done(command::run(&args)),
        What::Audit(args) => done(audit::run(&args)),
        What::Ledger(args) => done(ledger::run(&args)),
        What::Discover(args) => done(discover::run(&args)),
        What::Why(args) => done(why::run(&args)),
    }
}

fn done<E: Display>(result: Result<ExitCode, E>) -> ExitCode {
    result.unwrap_or_else(|error| {
        eprintln!("karaul: {error}");
        ExitCode::FAILURE
    })
}
