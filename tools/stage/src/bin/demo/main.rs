//! `make demo`: the main job with real parts on this machine. Cameras in, alerts out.

mod own;
mod show;

use std::{
    path::PathBuf,
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use clap::Parser;
use karaul_stage::{Agent, Broker, Simulator, StageError, Subscriber, repository};

/// Shows Karaul at work: a camera (simulated, or yours), the agent, a broker, and the
/// alerts that arrive there. Ctrl-C ends it.
#[derive(Debug, Parser)]
struct Args {
    /// Your own camera: rtsp://user:password@host/path. In the environment, nobody else sees the password
    #[arg(long, value_name = "URL", env, hide_env_values = true, conflicts_with = "video")]
    camera: Option<String>,
    /// Your own recording
    #[arg(long, value_name = "FILE", env)]
    video: Option<PathBuf>,
    /// Folder of another detector
    #[arg(long, value_name = "DIR", env)]
    model: Option<PathBuf>,
    /// End by itself after so many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

/// The ports of `configs/demo.toml`; not the usual ones, which may be taken.
const RTSP_PORT: u16 = 18554;
const MQTT_PORT: u16 = 18883;

#[derive(Debug, thiserror::Error)]
enum DemoError {
    #[error(transparent)]
    Stage(#[from] StageError),
    #[error("port {0} of 127.0.0.1 is in use, perhaps by another demo; end that first")]
    PortTaken(u16),
    #[error("{0}")]
    Own(#[from] own::OwnError),
    #[error("the agent has ended ({0}); its last words are above")]
    AgentEnded(std::process::ExitStatus),
    #[error("cannot listen for Ctrl-C: {0}")]
    Signal(std::io::Error),
}

fn main() -> ExitCode {
    match demo(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("demo: {error}");
            ExitCode::FAILURE
        }
    }
}

fn demo(args: &Args) -> Result<(), DemoError> {
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&ended)).map_err(DemoError::Signal)?;
    }
    karaul_stage::shield_from_ctrl_c();
    for port in [RTSP_PORT, MQTT_PORT] {
        std::net::TcpListener::bind(("127.0.0.1", port)).map_err(|_| DemoError::PortTaken(port))?;
    }

    let shipped = repository().join("configs/demo.toml");
    let config = own::config(&shipped, args.camera.as_deref(), args.video.is_some(), args.model.as_deref())?;
    let mount = match &args.video {
        Some(video) => format!("/yard=file:{}", own::readable(video)?.display()),
        None => "/yard=scene:yard".to_owned(),
    };
    let simulator = match args.camera {
        Some(_) => None,
        None => Some(Simulator::start(RTSP_PORT, &[mount], &[])?),
    };
    let broker = Broker::start(MQTT_PORT)?;
    let mut subscriber = Subscriber::start(MQTT_PORT, "karaul-demo")?;
    let mut agent = Agent::start(&config.path)?;

    show::opening(&config.path, simulator.as_ref().map(|s| s.urls[0].as_str()), &broker.url());
    let mut left = args.seconds.map(Duration::from_secs);
    let look = Duration::from_millis(100);
    while !ended.load(Ordering::Relaxed) && left != Some(Duration::ZERO) {
        while let Some(heard) = subscriber.next(Duration::ZERO) {
            show::message(&heard);
        }
        // Only what it complains about: the good news come over MQTT.
        while let Some(line) = agent.program.line(Duration::ZERO) {
            show::complaint(&line);
        }
        if let Some(status) = agent.program.wait(look)? {
            while let Some(line) = agent.program.line(look) {
                eprintln!("{line}");
            }
            return Err(DemoError::AgentEnded(status));
        }
        left = left.map(|l| l.saturating_sub(look));
    }

    println!("\nstopping …");
    agent.program.stop(Duration::from_secs(10))?;
    for heard in subscriber.collect(Duration::from_millis(300), |_| false) {
        show::message(&heard);
    }
    Ok(())
}
