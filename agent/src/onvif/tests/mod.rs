//! Whole talks with a scripted camera.

mod hostile;
mod network;
mod peer;
mod talks;

use std::time::Duration;

use self::peer::{PASSWORD, Peer, USER};
use super::{Camera, Login, Search, find};
use crate::{clock::SystemClock, trust::Secret};

fn login(password: &str) -> Option<Login> {
    Some(Login { user: USER.to_owned(), password: Secret::new(password.to_owned()) })
}

/// Asks the peer, by its address.
fn ask(peer: &Peer, login: Option<Login>) -> Camera {
    ask_at(&peer.address.to_string(), login)
}

fn ask_at(host: &str, login: Option<Login>) -> Camera {
    let search = Search { hosts: vec![host.parse().unwrap()], wait: Duration::from_millis(300), login };
    let findings = find(&search, &SystemClock).unwrap();
    assert_eq!((findings.cameras.len(), findings.remarks.len()), (1, 0));
    findings.cameras.into_iter().next().unwrap()
}

/// Each stream's address, or why there is none; or why there are no profiles.
fn streams(camera: &Camera) -> Vec<String> {
    let address = camera.service.split('/').nth(2).unwrap();
    let line = |text: String| text.replace(address, "CAM");
    match &camera.answers.profiles {
        Err(problem) => vec![line(problem.to_string())],
        Ok(profiles) => profiles
            .iter()
            .map(|profile| match &profile.stream {
                Ok(stream) => stream.url.to_string(),
                Err(problem) => line(problem.to_string()),
            })
            .collect(),
    }
}

/// What a well camera has.
const BOTH: [&str; 2] = ["rtsp://127.0.0.1:554/main", "rtsp://127.0.0.1:554/sub"];
