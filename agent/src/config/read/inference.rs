use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use super::{
    Surroundings, choose,
    table::Table,
    value::{text, whole, word},
};
use crate::{
    config::{Inference, Provider},
    vision::{Manifest, ManifestError},
};

pub(super) fn inference(table: &Table<'_>, around: &Surroundings) -> Option<Inference> {
    let mut models = table.get("models", text).map(|text| around.path(&text));
    if table.has("models") && models.as_ref().is_some_and(|path| !path.is_dir()) {
        table.error("models", "there is no such folder", "name the folder that holds one folder per model");
        models = None;
    }
    let library = table.get("library", text).map(|text| around.path(&text));
    if library.as_ref().is_some_and(|path| !path.is_file()) {
        table.error("library", "there is no such file", "name ONNX Runtime's libonnxruntime.so, or remove the line");
    }
    let provider = table.get("provider", word(&Provider::ALL, Provider::as_str));
    let sessions = table.get("sessions", whole);
    Some(Inference { models: models?, library, provider: provider?, sessions })
}

/// The manifests that cameras ask for, each read and complained about once.
pub(super) struct Models<'a> {
    folder: Option<PathBuf>,
    around: &'a Surroundings,
    read: RefCell<BTreeMap<String, Option<Manifest>>>,
}

impl<'a> Models<'a> {
    pub(super) fn new(folder: Option<&Path>, around: &'a Surroundings) -> Self {
        Self { folder: folder.map(Path::to_owned), around, read: RefCell::default() }
    }

    /// The model that a camera names.
    pub(super) fn of(&self, camera: &Table<'_>) -> Option<Manifest> {
        let name = camera.get("model", text)?;
        if name.contains(['/', '\\']) || name.starts_with('.') {
            let remedy = "write only the folder's name, and the folder above it in models of [inference]";
            camera.error("model", "this is a path", remedy);
            return None;
        }
        if let Some(known) = self.read.borrow().get(&name) {
            return known.clone();
        }
        let manifest = self.load(&name, camera);
        self.read.borrow_mut().insert(name, manifest.clone());
        manifest
    }

    fn load(&self, name: &str, camera: &Table<'_>) -> Option<Manifest> {
        let folder = self.folder.as_ref()?;
        match Manifest::load(&folder.join(name)) {
            Ok(manifest) => Some(manifest),
            Err(ManifestError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                let shown = self.around.show(folder);
                let there = models_in(folder);
                let names: Vec<&str> = there.iter().map(String::as_str).collect();
                let none = "put its folder there, or name another folder in models of [inference]";
                camera.undefined(
                    "model",
                    &format!("there is no such model in the folder {shown}"),
                    choose(name, &names, none),
                );
                None
            }
            Err(why) => {
                camera.error("model", &one_line(&why), "mend the manifest, or fetch the model again");
                None
            }
        }
    }
}

fn models_in(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|entry| entry.path().join(Manifest::FILE).is_file())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .collect();
    names.sort();
    names
}

/// An error of the TOML parser draws the place on several lines; only its words are kept.
fn one_line(why: &ManifestError) -> String {
    let text = why.to_string();
    let words = text.lines().filter(|line| !line.contains(" | ") && !line.trim_end().ends_with('|'));
    words.map(str::trim).collect::<Vec<_>>().join(": ")
}
