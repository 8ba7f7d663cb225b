use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use karaul::vision::Manifest;
use tempfile::TempDir;

use crate::{data, onnx_runtime, repository};

/// A models folder with manifests of the repository and, beside them, the weights of the test material.
#[derive(Debug)]
pub struct FetchedModels(TempDir);

impl FetchedModels {
    /// These models, or `None`, said aloud, where the material or ONNX Runtime is absent.
    ///
    /// # Panics
    /// If the folder cannot be made.
    #[must_use]
    pub fn new(ids: &[&str]) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for id in ids {
            let shipped = repository("models").join(id);
            let file = Manifest::load(&shipped).expect("a shipped manifest is well").file;
            let weights = data("models")?.join(&file);
            let add = |target: PathBuf| -> io::Result<()> {
                fs::create_dir(&target)?;
                fs::copy(shipped.join(Manifest::FILE), target.join(Manifest::FILE))?;
                symlink(weights.canonicalize()?, target.join(&file))
            };
            add(folder.path().join(id)).expect("a writable folder and weights");
        }
        onnx_runtime().then_some(Self(folder))
    }

    /// The folder of folders.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// The folder of one model.
    #[must_use]
    pub fn of(&self, id: &str) -> PathBuf {
        self.path().join(id)
    }
}
