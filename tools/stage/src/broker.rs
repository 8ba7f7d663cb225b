use std::{
    fmt::Write,
    fs, io,
    net::TcpStream,
    path::PathBuf,
    process::Command,
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Program, StageError, free_port};

/// A mosquitto on loopback. It can be stopped and started again on the same port, and
/// keeps the sessions of its subscribers meanwhile.
#[derive(Debug)]
pub struct Broker {
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
    program: Option<Program>,
}

impl Broker {
    const READY: Duration = Duration::from_secs(10);

    /// Starts it. Port 0 takes any free one; `extra` lines go into its configuration.
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn start(port: u16, extra: &[&str]) -> Result<Self, StageError> {
        let port = if port == 0 { free_port()? } else { port };
        let folder = tempfile::tempdir()?;
        let mut config =
            format!("listener {port} 127.0.0.1\npersistence true\npersistence_location {}/\n", folder.path().display());
        config.push_str("autosave_interval 1\nautosave_on_changes true\nmax_queued_messages 0\n");
        if !extra.iter().any(|line| line.starts_with("allow_anonymous")) {
            config.push_str("allow_anonymous true\n");
        }
        for line in extra {
            // Writing to a String cannot fail.
            let _ = writeln!(config, "{line}");
        }
        fs::write(folder.path().join("mosquitto.conf"), config)?;
        // As root, mosquitto changes to a user of its own, who must reach this folder.
        #[cfg(unix)]
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777))?;
        let mut broker = Self { port, folder, program: None };
        broker.restart()?;
        Ok(broker)
    }

    /// Starts it again after [`Broker::stop`].
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn restart(&mut self) -> Result<(), StageError> {
        // Debian puts it where only root's PATH looks.
        let system = PathBuf::from("/usr/sbin/mosquitto");
        let path = if system.exists() { system } else { "mosquitto".into() };
        let mut program = Program::start(Command::new(path).arg("-c").arg(self.folder.path().join("mosquitto.conf")))?;
        let end = Instant::now() + Self::READY;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if program.wait(Duration::from_millis(20))?.is_some() || Instant::now() > end {
                program.wait_for(Duration::from_millis(200), |_| None::<()>)?;
            }
        }
        // Its messages are of no interest from here on, but its pipe must not fill up.
        thread::sleep(Duration::from_millis(20));
        self.program = Some(program);
        Ok(())
    }

    /// Stops it in an orderly way, so that it keeps its sessions.
    ///
    /// # Errors
    /// If the system cannot say how it ended.
    pub fn stop(&mut self) -> Result<(), StageError> {
        if let Some(mut program) = self.program.take() {
            program.stop(Duration::from_secs(5))?;
        }
        Ok(())
    }

    /// Address for configurations.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// The process, while it runs.
    ///
    /// # Errors
    /// If it is stopped.
    pub fn program(&self) -> io::Result<&Program> {
        self.program.as_ref().ok_or_else(|| io::Error::other("the broker is stopped"))
    }
}
