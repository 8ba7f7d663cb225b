use std::{
    fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// An empty folder for one model, called as the model is, until dropped.
#[derive(Debug)]
pub struct ModelFolder {
    path: PathBuf,
    _parent: TempDir,
}

impl ModelFolder {
    /// A folder for the model with this id.
    ///
    /// # Panics
    /// If it cannot be made.
    #[must_use]
    pub fn new(id: &str) -> Self {
        let parent = tempfile::tempdir().expect("a temporary folder");
        let path = parent.path().join(id);
        fs::create_dir(&path).expect("a folder in it");
        Self { path, _parent: parent }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}
