//! Programs that prove that nothing is lost. Each prints its result as a Markdown table and ends with exit code 1
//! if a promise was broken.

mod cameras;
mod centre;
mod error;
mod figures;
mod gates;
mod link;
mod outage;
mod pace;
mod power;
mod process;
mod quota;
mod rebuilds;
mod rendered;
mod report;
mod rig;
mod sight;
mod site;
mod stories;
mod storm;
mod traffic;
mod vacant;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use self::error::ProofError;

/// Proves that nothing is lost, whatever fails between an alert and the operations centre.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    proof: Proof,
}

#[derive(Debug, Subcommand)]
enum Proof {
    /// Alerts through restarts of the broker and SIGKILLs of the agent, at random points.
    Storm(storm::Options),
    /// What is on the disk after a power cut, at every boundary of a sync.
    PowerCut(power::Options),
    /// A day without a broker, in simulated time.
    Outage(outage::Options),
    /// From commit to PUBLISH, and alerts a second.
    Pace(pace::Options),
    /// How long a commit takes that has to make room.
    Quota(quota::Options),
    /// Every fault that a camera can have: when it is noticed, and when the camera is seen again.
    Cameras(cameras::Options),
    /// What the process holds after thousands of streams, half of them faulty.
    Rebuilds(rebuilds::Options),
    /// Slow, distant, lossy and interrupted links.
    Link(link::Options),
    /// Covered, blurred, turned … cameras: whether that is noticed in time, and nothing else is taken for it.
    Sight(sight::Options),
    /// Which incidents are found when nothing is decoded or looked at without need.
    Gates(gates::Options),
    /// Weather and insects over an empty yard: whether any rule takes anything for an incident.
    Vacant(vacant::Options),
    /// The rendered stories, seen by a detector: whether all is told, and nothing else.
    Stories(stories::Options),
    /// The agent's part of the storm, which is killed.
    #[command(hide = true)]
    Writer(storm::WriterOptions),
    /// The agent's part of the power cut, whose writes are recorded.
    #[command(hide = true)]
    Script(power::ScriptOptions),
}

fn main() -> ExitCode {
    // Silent, unless RUST_LOG asks for the agent's own words.
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("off")))
        .with_writer(std::io::stderr)
        .init();
    let result = match Arguments::parse().proof {
        Proof::Storm(options) => storm::run(&options),
        Proof::PowerCut(options) => power::run(&options),
        Proof::Outage(options) => outage::run(&options),
        Proof::Pace(options) => pace::run(&options),
        Proof::Quota(options) => quota::run(&options),
        Proof::Cameras(options) => cameras::run(&options),
        Proof::Rebuilds(options) => rebuilds::run(&options),
        Proof::Link(options) => link::run(&options),
        Proof::Sight(options) => sight::run(&options),
        Proof::Gates(options) => gates::run(&options),
        Proof::Vacant(options) => vacant::run(&options),
        Proof::Stories(options) => stories::run(&options),
        Proof::Writer(options) => return ended(storm::write(&options)),
        Proof::Script(options) => return ended(power::play(&options)),
    };
    match result {
        Ok(report) => {
            print!("{report}");
            ExitCode::from(u8::from(!report.holds()))
        }
        Err(error) => ended(Err(error)),
    }
}

fn ended(result: Result<(), ProofError>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("karaul-proof: {error}");
            ExitCode::FAILURE
        }
    }
}
