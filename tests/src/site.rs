use std::{
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

use karaul_stage::repository;
use tempfile::TempDir;

/// Keys of a camera on which each object of these classes, wherever it is, is an incident at once,
/// and the next one too.
#[must_use]
pub fn any_of(classes: &[&str]) -> String {
    let mut text = "[camera.zone.all]\npoints = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]\n".to_owned();
    for class in classes {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "[[camera.rule]]\nid = \"any-{class}\"\nkind = \"intrusion\"\nzone = \"all\"\nclasses = [\"{class}\"]\n\
             dwell = \"0s\"\ncooldown = \"0s\"\n"
        );
    }
    text
}

/// A site of its own for one test: a folder with its config and its state.
#[derive(Debug)]
pub struct TestSite {
    folder: TempDir,
    text: String,
}

impl TestSite {
    /// A site that sends to this broker and takes models from the repository.
    ///
    /// # Panics
    /// If there is no folder for it.
    #[must_use]
    pub fn new(broker: &str) -> Self {
        Self::with_models(broker, &repository().join("models"))
    }

    /// A site with models from another folder.
    ///
    /// # Panics
    /// If there is no folder for it.
    #[must_use]
    pub fn with_models(broker: &str, models: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let text = format!(
            r#"
[site]
region = "almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "Asia/Almaty"
languages = ["kk", "ru", "en"]

[broker]
url = "{broker}"
keep_alive = "5s"

[storage]
path = "{}"

[inference]
models = "{}"
"#,
            folder.path().join("state").display(),
            models.display()
        );
        Self { folder, text }
    }

    /// Adds a camera; `more` is TOML of its own keys, zones, lines and rules.
    #[must_use]
    pub fn camera(mut self, id: &str, url: &str, model: &str, more: &str) -> Self {
        // Writing to a String cannot fail.
        let _ = write!(
            self.text,
            "\n[[camera]]\nid = \"{id}\"\nurl = \"{url}\"\nmodel = \"{model}\"\npurpose = \"test\"\n{more}\n"
        );
        self
    }

    /// Adds lines at the end, for example a schedule.
    #[must_use]
    pub fn also(mut self, lines: &str) -> Self {
        self.text.push_str(lines);
        self
    }

    /// Writes the config and says where it is.
    ///
    /// # Panics
    /// If it cannot be written.
    #[must_use]
    pub fn write(&self) -> PathBuf {
        let path = self.folder.path().join("site.toml");
        fs::write(&path, &self.text).expect("a writable folder");
        path
    }

    /// A file in the site's folder.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}
