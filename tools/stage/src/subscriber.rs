use std::{
    process::Command,
    time::{Duration, Instant},
};

use karaul_wire::{AlertEvent, BoxStatus, CameraStatus};

use crate::{Program, StageError};

/// Somebody at the other end: `mosquitto_sub`, a program that this project did not
/// write, in a lasting session.
#[derive(Debug)]
pub struct Subscriber {
    program: Program,
}

/// One message, as far as it is understood.
#[derive(Clone, Debug)]
pub enum Heard {
    /// On `alert/…`.
    Alert(Box<AlertEvent>),
    /// On `open/…`: the incident's id and, while it is open, its state.
    Open(String, Option<Box<AlertEvent>>),
    /// On `status/camera/…`.
    Camera(String, CameraStatus),
    /// On `status/box`.
    Box(BoxStatus),
    /// Anything else: topic and payload.
    Other(String, String),
}

impl Subscriber {
    const READY: Duration = Duration::from_secs(10);

    /// Subscribes to everything, as a client of this name, and returns when the broker has confirmed it.
    ///
    /// # Errors
    /// If the program cannot be started, or the broker does not confirm.
    pub fn start(port: u16, name: &str) -> Result<Self, StageError> {
        // Line by line: into a pipe it would keep what `-d` says to itself until the first message.
        let mut command = Command::new("stdbuf");
        command.args(["-oL", "mosquitto_sub", "-h", "127.0.0.1", "-p", &port.to_string(), "-i", name, "-c", "-q", "1"]);
        // With `-d` it also says what it does; such lines hold no tab.
        command.args(["-k", "10", "-t", "karaul1/#", "-d", "-F", "%U\t%t\t%p"]);
        let mut program = Program::start(&mut command)?;
        program.wait_for(Self::READY, |line| line.starts_with("Subscribed").then_some(()))?;
        Ok(Self { program })
    }

    /// The next message within a limit.
    pub fn next(&mut self, limit: Duration) -> Option<Heard> {
        self.next_at(limit).map(|(_, heard)| heard)
    }

    /// The next message within a limit, and when `mosquitto_sub` got it, since 1970.
    pub fn next_at(&mut self, limit: Duration) -> Option<(Duration, Heard)> {
        let end = Instant::now() + limit;
        loop {
            let line = self.program.line(end.saturating_duration_since(Instant::now()))?;
            if let Some((at, message)) = line.split_once('\t')
                && let Ok(at) = at.parse()
            {
                return Some((Duration::from_secs_f64(at), understand(message)));
            }
        }
    }

    /// Whether the program still runs.
    ///
    /// # Errors
    /// If the system cannot say.
    pub fn is_alive(&mut self) -> Result<bool, StageError> {
        Ok(self.program.wait(Duration::ZERO)?.is_none())
    }

    /// Collects messages until `enough` says so or the limit is reached.
    pub fn collect(&mut self, limit: Duration, mut enough: impl FnMut(&[Heard]) -> bool) -> Vec<Heard> {
        let end = Instant::now() + limit;
        let mut heard = Vec::new();
        while !enough(&heard) {
            let Some(message) = self.next(end.saturating_duration_since(Instant::now())) else { break };
            heard.push(message);
        }
        heard
    }
}

fn understand(line: &str) -> Heard {
    let (topic, payload) = line.split_once('\t').unwrap_or((line, ""));
    let other = || Heard::Other(topic.to_owned(), payload.to_owned());
    let levels: Vec<&str> = topic.split('/').skip(5).collect();
    match levels.as_slice() {
        ["alert", ..] => serde_json::from_str(payload).map_or_else(|_| other(), |event| Heard::Alert(Box::new(event))),
        ["open", id] if payload.is_empty() => Heard::Open((*id).to_owned(), None),
        ["open", id] => serde_json::from_str(payload)
            .map_or_else(|_| other(), |event| Heard::Open((*id).to_owned(), Some(Box::new(event)))),
        ["status", "camera", id] => {
            serde_json::from_str(payload).map_or_else(|_| other(), |status| Heard::Camera((*id).to_owned(), status))
        }
        ["status", "box"] => serde_json::from_str(payload).map_or_else(|_| other(), Heard::Box),
        _ => other(),
    }
}
