use std::{
    fs, io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// A mosquitto of its own on a free loopback port, with a folder of its own. It dies
/// with this value.
#[derive(Debug)]
pub struct Mosquitto {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    child: Option<Child>,
}

impl Mosquitto {
    /// Starts one, with `extra` lines of configuration; `{folder}` in them stands for
    /// [`Self::folder`]. `None`, said aloud, where the program is not installed.
    ///
    /// # Panics
    /// If it is installed but does not start within a few seconds.
    #[must_use]
    pub fn start(extra: &str) -> Option<Self> {
        Self::start_with(extra, |_| {})
    }

    /// Like [`Self::start`]; `prepare` may put files into the folder first.
    ///
    /// # Panics
    /// If it is installed but does not start within a few seconds.
    #[must_use]
    pub fn start_with(extra: &str, prepare: impl FnOnce(&Path)) -> Option<Self> {
        // Debian installs it where only root's PATH looks.
        let candidates = ["/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto", "mosquitto"];
        let works = |program: &&&str| Command::new(program).arg("-h").stdout(Stdio::null()).status().is_ok();
        let Some(program) = candidates.iter().find(works) else {
            eprintln!("skipped: mosquitto is not installed (Debian package mosquitto)");
            return None;
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        prepare(folder.path());
        let mut broker = Self { program: program.into(), folder, port: 0, child: None };
        // Another process may take the free port before mosquitto does: then try another one.
        for _ in 0..5 {
            broker.port = free_port().expect("a free port");
            broker.configure(extra);
            if broker.launch() {
                return Some(broker);
            }
        }
        panic!("mosquitto does not start: {}", broker.log());
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Its folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it has logged.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Ends it in an orderly way (SIGTERM), so that it saves what it persists.
    ///
    /// # Panics
    /// If it does not end.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let done = Command::new("kill").arg(child.id().to_string()).status().expect("kill");
        assert!(done.success(), "mosquitto cannot be stopped");
        child.wait().expect("mosquitto ends");
    }

    /// Starts it again on the same port.
    ///
    /// # Panics
    /// If it does not start.
    pub fn start_again(&mut self) {
        assert!(self.launch(), "mosquitto does not start again: {}", self.log());
    }

    fn configure(&self, extra: &str) {
        let folder = self.folder.path().display().to_string();
        // `user root` keeps it from changing to an account that cannot read the folder.
        let text = format!(
            "user root\nallow_anonymous true\nlog_dest file {folder}/log\nlog_type all\n{}\nlistener {} 127.0.0.1\n{}",
            "persistence_location {folder}/".replace("{folder}", &folder),
            self.port,
            extra.replace("{folder}", &folder)
        );
        fs::write(self.folder.path().join("mosquitto.conf"), text).expect("the configuration can be written");
    }

    fn launch(&mut self) -> bool {
        let mut child = Command::new(&self.program)
            .arg("-c")
            .arg(self.folder.path().join("mosquitto.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("mosquitto can be started");
        let limit = Instant::now() + Duration::from_secs(5);
        while Instant::now() < limit {
            if !matches!(child.try_wait(), Ok(None)) {
                return false;
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                self.child = Some(child);
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        self.child = Some(child);
        false
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself; either way it is gone afterwards.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}
