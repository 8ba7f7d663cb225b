use std::{process::Command, time::Duration};

use crate::{Program, StageError, binary};

/// The camera simulator, serving RTSP on loopback.
#[derive(Debug)]
pub struct Simulator {
    /// The process.
    pub program: Program,
    /// One address per mount, in the order they were given.
    pub urls: Vec<String>,
}

impl Simulator {
    /// Long enough to open a file and fill a first buffer on a busy machine.
    const READY: Duration = Duration::from_secs(30);

    /// Starts it with these mounts (`/yard=scene:yard`, `/clip=file:clip.mp4`) and further
    /// options, and waits until it serves. Port 0 takes any free one.
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn start(port: u16, mounts: &[String], options: &[&str]) -> Result<Self, StageError> {
        let mut command = Command::new(binary("karaul-simulator"));
        command.arg("--port").arg(port.to_string()).args(options);
        for mount in mounts {
            command.arg("--mount").arg(mount);
        }
        let mut program = Program::start(&mut command)?;
        let mut urls = Vec::new();
        while urls.len() < mounts.len() {
            urls.push(
                program.wait_for(Self::READY, |line| line.starts_with("rtsp://").then(|| line.trim().to_owned()))?,
            );
        }
        Ok(Self { program, urls })
    }
}
