use std::{
    io::{self, BufRead, BufReader, Read},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread,
    time::{Duration, Instant},
};

/// Why the stage could not be set.
#[derive(Debug, thiserror::Error)]
pub enum StageError {
    /// A program is not there.
    #[error("cannot start {program}: {source}; run `make setup` and `cargo build --workspace`")]
    Start {
        /// Its name or path.
        program: String,
        /// What the system said.
        source: io::Error,
    },
    /// It ended instead of getting ready.
    #[error("{program} has ended: {words}")]
    Ended {
        /// Its name.
        program: String,
        /// What it printed last.
        words: String,
    },
    /// It stayed silent instead of getting ready.
    #[error("{program} did not get ready within {limit:?}; its last words: {words}")]
    NotReady {
        /// Its name.
        program: String,
        /// How long was waited.
        limit: Duration,
        /// What it printed last.
        words: String,
    },
    /// Files of the stage itself.
    #[error("{0}")]
    Io(#[from] io::Error),
}

/// The folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

/// A program of this workspace, built in the same profile as the one that runs.
#[must_use]
pub fn binary(name: &str) -> PathBuf {
    let me = std::env::current_exe().unwrap_or_default();
    // A test lies one folder deeper than the programs.
    me.ancestors().skip(1).take(2).map(|dir| dir.join(name)).find(|path| path.exists()).unwrap_or_else(|| name.into())
}

/// Whether children get process groups of their own.
static SHIELDED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C at a terminal ends this program only, and not the children that it starts: it has to
/// catch the signal and stop them in order.
pub fn shield_from_ctrl_c() {
    SHIELDED.store(true, Relaxed);
}

/// A running child. It is killed when this value goes, unless it was stopped before.
#[derive(Debug)]
pub struct Program {
    name: String,
    child: Child,
    lines: Receiver<String>,
    last: Vec<String>,
}

impl Program {
    /// Starts it; what it prints on either stream is read line by line.
    ///
    /// # Errors
    /// If it cannot be started.
    pub fn start(command: &mut Command) -> Result<Self, StageError> {
        let program = Path::new(command.get_program());
        let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
        if SHIELDED.load(Relaxed) {
            command.process_group(0);
        }
        let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = started.map_err(|source| StageError::Start { program: name.clone(), source })?;
        let (say, lines) = channel();
        let streams = [
            child.stdout.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
            child.stderr.take().map(|s| Box::new(s) as Box<dyn Read + Send>),
        ];
        for stream in streams.into_iter().flatten() {
            let say = say.clone();
            // Ends with the stream, which ends with the child.
            thread::spawn(move || {
                for line in BufReader::new(stream).split(b'\n').map_while(Result::ok) {
                    if say.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Self { name, child, lines, last: Vec::new() })
    }

    /// The next line it prints, within a limit.
    pub fn line(&mut self, limit: Duration) -> Option<String> {
        match self.lines.recv_timeout(limit) {
            Ok(line) => {
                if self.last.len() == 20 {
                    self.last.remove(0);
                }
                self.last.push(line.clone());
                Some(line)
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => None,
        }
    }

    /// Waits for the first line for which `found` has an answer.
    ///
    /// # Errors
    /// If there is none within the limit.
    pub fn wait_for<T>(&mut self, limit: Duration, found: impl Fn(&str) -> Option<T>) -> Result<T, StageError> {
        let end = Instant::now() + limit;
        while let Some(line) = self.line(end.saturating_duration_since(Instant::now())) {
            if let Some(answer) = found(&line) {
                return Ok(answer);
            }
        }
        Err(self.not_ready(limit))
    }

    /// That it ended, or stayed silent for `limit`, instead of getting ready; with its last words.
    pub fn not_ready(&mut self, limit: Duration) -> StageError {
        while self.line(Duration::from_millis(200)).is_some() {}
        let (program, words) = (self.name.clone(), self.last.join(" | "));
        match self.child.try_wait() {
            Ok(Some(_)) => StageError::Ended { program, words },
            Ok(None) | Err(_) => StageError::NotReady { program, limit, words },
        }
    }

    /// Process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name, for example `TERM` or `STOP`.
    ///
    /// # Errors
    /// If `kill` cannot be run.
    pub fn signal(&self, name: &str) -> Result<(), StageError> {
        let program = "kill".to_owned();
        let sent = Command::new("kill").arg(format!("-{name}")).arg(self.id().to_string()).status();
        sent.map(|_| ()).map_err(|source| StageError::Start { program, source })
    }

    /// Asks it to end and waits; kills it if it does not within the limit (then `None`).
    ///
    /// # Errors
    /// If the system cannot say how it ended.
    pub fn stop(&mut self, limit: Duration) -> Result<Option<ExitStatus>, StageError> {
        if let Some(status) = self.child.try_wait()? {
            return Ok(Some(status));
        }
        self.signal("TERM")?;
        let status = self.wait(limit)?;
        if status.is_none() {
            self.kill();
        }
        Ok(status)
    }

    /// Waits for its end.
    ///
    /// # Errors
    /// If the system cannot say how it ended.
    pub fn wait(&mut self, limit: Duration) -> Result<Option<ExitStatus>, StageError> {
        let end = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok(Some(status));
            }
            if Instant::now() >= end {
                return Ok(None);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// SIGKILL, at once.
    pub fn kill(&mut self) {
        // It may have ended by itself; either way it is gone after the wait.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}
