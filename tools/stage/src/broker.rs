use std::{
    fs,
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Program, StageError, free_port};

/// A mosquitto on loopback with a folder of its own. It can be stopped and started again on the
/// same port, and keeps the sessions of its subscribers meanwhile.
#[derive(Debug)]
pub struct Broker {
    /// Where it listens.
    pub port: u16,
    folder: TempDir,
    program: Option<Program>,
}

impl Broker {
    const READY: Duration = Duration::from_secs(10);
    /// Another process may take a free port before mosquitto does: then another one is tried.
    const ATTEMPTS: usize = 5;

    /// Starts it. Port 0 takes any free one.
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn start(port: u16) -> Result<Self, StageError> {
        Self::start_with(port, "", |_| {})
    }

    /// Starts it with `extra` lines of configuration, in which `{folder}` stands for its folder;
    /// `prepare` may put files there first.
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn start_with(port: u16, extra: &str, prepare: impl FnOnce(&Path)) -> Result<Self, StageError> {
        let mut broker = Self { port, folder: tempfile::tempdir()?, program: None };
        prepare(broker.folder());
        let mut left = if port == 0 { Self::ATTEMPTS } else { 1 };
        loop {
            if port == 0 {
                broker.port = free_port()?;
            }
            broker.configure(extra)?;
            left -= 1;
            match broker.restart() {
                Err(StageError::NotReady { .. } | StageError::Ended { .. }) if left > 0 => {}
                result => return result.map(|()| broker),
            }
        }
    }

    fn configure(&self, extra: &str) -> Result<(), StageError> {
        let folder = self.folder().display().to_string();
        // As root, mosquitto would change to a user of its own, who cannot reach this folder.
        let text = format!(
            "user root\nallow_anonymous true\npersistence true\npersistence_location {folder}/\nautosave_interval 1\n\
             autosave_on_changes true\nmax_queued_messages 0\nlistener {} 127.0.0.1\n{}\n",
            self.port,
            extra.replace("{folder}", &folder)
        );
        Ok(fs::write(self.configuration(), text)?)
    }

    /// Starts it again after [`Broker::stop`].
    ///
    /// # Errors
    /// If it does not get ready.
    pub fn restart(&mut self) -> Result<(), StageError> {
        // Debian puts it where only root's PATH looks.
        let system = PathBuf::from("/usr/sbin/mosquitto");
        let path = if system.exists() { system } else { "mosquitto".into() };
        let mut program = Program::start(Command::new(path).arg("-c").arg(self.configuration()))?;
        let end = Instant::now() + Self::READY;
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            if program.wait(Duration::from_millis(20))?.is_some() || Instant::now() > end {
                return Err(program.not_ready(Self::READY));
            }
        }
        // Another one may listen there, so that ours ends as soon as it tries to.
        if program.wait(Duration::from_millis(20))?.is_some() {
            return Err(program.not_ready(Self::READY));
        }
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

    /// SIGKILL: what it did not save since its last word to the disk is lost, sessions and acknowledged
    /// messages with it.
    pub fn kill(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill();
        }
    }

    /// Address for configurations.
    #[must_use]
    pub fn url(&self) -> String {
        format!("mqtt://127.0.0.1:{}", self.port)
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn configuration(&self) -> PathBuf {
        self.folder().join("mosquitto.conf")
    }
}
