mod broker;
mod clips;
mod command;
mod examples;
mod good;
mod reference;
mod robust;
mod rules;
mod syntax;
mod wrong;

use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{Config, Outcome, Secrets};

/// The smallest config with one of everything.
const SITE: &str = r#"[site]
region = "almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "Asia/Almaty"
languages = ["kk", "ru"]

[broker]
url = "mqtts://ops.example.org"

[inference]
models = "models"

[schedule.after-hours]
weekdays = ["19:00-07:30"]

[[camera]]
id = "gate"
url = "rtsp://192.0.2.11/stream2"
username = "viewer"
password = "credential:gate"
model = "yard-nano"
purpose = "school-safety"

[camera.zone.yard]
points = [[0.1, 0.4], [0.9, 0.4], [0.95, 0.98], [0.05, 0.98]]

[camera.line.fence]
points = [[0.5, 1.0], [0.5, 0.0]]

[[camera.rule]]
id = "night-intrusion"
kind = "intrusion"
zone = "yard"
classes = ["person"]
schedule = "after-hours"

[[camera.rule]]
id = "fence-crossing"
kind = "line_crossing"
line = "fence"
classes = ["person", "car"]
"#;

const MANIFEST: &str = r#"
id = "yard-nano"
version = "1"
file = "absent.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
licence = "Apache-2.0"
source = "made for this test"
labels = ["person", "bicycle", "car"]
[input]
name = "images"
size = [384, 640]
colour = "bgr"
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
resize = "letterbox"
[head]
kind = "yolox"
strides = [8, 16, 32]
outputs = ["output"]
nms_iou = 0.65
score_threshold = 0.1
"#;

/// A folder with models and credentials, and no ONNX file.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.write("models/yard-nano/model.toml", MANIFEST);
        folder.write("credentials/gate", "swordfish\n");
        folder
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        protect(&path);
    }

    fn read(&self, text: &str, secrets: Secrets) -> Outcome {
        Config::parse(&self.path("site.toml"), text, Some(self.path("credentials")), secrets)
    }

    /// The config, if nothing at all is wrong with it.
    fn good(&self, text: &str) -> Config {
        let Outcome { config, problems } = self.read(text, Secrets::Required);
        assert!(problems.list().is_empty(), "{problems}");
        config.unwrap()
    }

    /// What is said about the text, without the folder's name.
    fn said(&self, text: &str) -> String {
        let Outcome { config, problems } = self.read(text, Secrets::Required);
        let errors = problems.count(super::Level::Error);
        assert_eq!(config.is_none(), errors > 0, "{problems}");
        self.without_folder(&problems.to_string())
    }

    fn without_folder(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.0.path().display()), "")
    }
}

#[cfg(unix)]
fn protect(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn protect(_: &Path) {}

/// The config with one place changed.
fn with(old: &str, new: &str) -> String {
    assert_eq!(SITE.matches(old).count(), 1, "{old} must stand in the config once");
    SITE.replace(old, new)
}

/// The config with something put below one of its lines.
fn plus(line: &str, addition: &str) -> String {
    with(&format!("{line}\n"), &format!("{line}\n{addition}\n"))
}
