//! `karaul run`: the daemon.

use std::{path::PathBuf, process::ExitCode, sync::mpsc, thread};

use signal_hook::{
    consts::{SIGHUP, SIGINT, SIGTERM},
    iterator::Signals,
};

use super::check::BAD_CONFIG;
use crate::{
    config::Config,
    site::{self, SiteError},
    stop::Stop,
};

/// Watches the cameras of a site until it is told to stop (SIGTERM or Ctrl-C). SIGHUP: reads the description anew
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The description of the site
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

/// Why the daemon could not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A part of the site.
    #[error(transparent)]
    Site(#[from] SiteError),
    /// The system's signals.
    #[error("cannot listen for signals: {0}")]
    Signals(std::io::Error),
}

/// Runs the daemon until it is told to stop.
///
/// # Errors
/// If something that all cameras need cannot be had.
pub fn run(args: &Args) -> Result<ExitCode, Error> {
    let config = match Config::load(&args.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(BAD_CONFIG));
        }
    };
    let stop = Stop::new();
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP]).map_err(Error::Signals)?;
    let handle = signals.handle();
    // One wish that waits is enough: the file is read when its turn comes.
    let (reload, reloads) = mpsc::sync_channel(1);
    let listener = thread::spawn({
        let stop = stop.clone();
        move || {
            for signal in signals.forever() {
                if signal == SIGHUP {
                    let _ = reload.try_send(());
                    continue;
                }
                if stop.is_stopped() {
                    // Asked twice: somebody is in a hurry, and the outbox keeps what is not sent.
                    std::process::exit(128 + signal);
                }
                stop.stop();
            }
        }
    });
    let result = site::run(config, &args.config, reloads, &stop);
    handle.close();
    // The listener ends with its handle; it has nothing to say.
    let _ = listener.join();
    result?;
    Ok(ExitCode::SUCCESS)
}
