//! `karaul-simulator`: files and rendered scenes as RTSP cameras.

use std::{error::Error, process::ExitCode};

use clap::Parser;
use karaul_simulator::{Authentication, Mount, Settings, Simulator};
use signal_hook::{
    consts::{SIGINT, SIGTERM},
    iterator::Signals,
};

/// Serves files and rendered scenes as RTSP cameras until it is told to stop (Ctrl-C).
///
/// Prints one URL for each camera when it is ready.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// A camera, /PATH=CONTENT[,OPTION…]; may be repeated.
    ///
    /// Contents: scene:yard, scene:creep, scene:empty, scene:STORY, scene:NUMBER, file:PATH, still:PATH, pattern. Options:
    /// size=WxH, fps=N, codec=h264|h265|mjpeg, bitrate=KBIT, gop=N, light=day|night|cycle, weather=NAME, effect=NAME,
    /// timecode, once, copy.
    #[arg(long = "mount", required = true, value_name = "MOUNT")]
    mounts: Vec<Mount>,
    /// Address to listen on.
    #[arg(long, default_value = "127.0.0.1")]
    address: String,
    /// Port to listen on; 0 takes any free one.
    #[arg(long, default_value_t = 8554)]
    port: u16,
    /// User that viewers must name.
    #[arg(long, requires = "password")]
    user: Option<String>,
    /// The user's password.
    #[arg(long, requires = "user")]
    password: Option<String>,
    /// How viewers prove that they know the password.
    #[arg(long, value_enum, default_value_t)]
    authentication: Authentication,
    /// Burn the time into the pictures of every camera.
    #[arg(long)]
    timecode: bool,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<(), Box<dyn Error>> {
    // First, so that a signal during the start is not lost.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let mut mounts = args.mounts;
    for mount in &mut mounts {
        mount.timecode |= args.timecode && !mount.copy;
    }
    let login = args.user.zip(args.password);
    let simulator = Simulator::start(&Settings {
        address: args.address,
        port: args.port,
        login,
        authentication: args.authentication,
        certificate: None,
        mounts,
    })?;
    for url in simulator.urls() {
        println!("{url}");
    }
    signals.forever().next();
    Ok(())
}
