//! Any bytes as a config file: each is either a config or a list of problems that can be shown.
#![no_main]

use std::{fs, os::unix::fs::symlink, path::Path, sync::LazyLock};

use karaul::config::{Config, Secrets};
use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;

/// A checkout as small as can be: `configs/` for the file, and the models that the examples name.
static CHECKOUT: LazyLock<TempDir> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("configs")).expect("an empty folder");
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    symlink(models, folder.path().join("models")).expect("an empty folder");
    folder
});

fuzz_target!(|bytes: &[u8]| {
    let path = CHECKOUT.path().join("configs/site.toml");
    fs::write(&path, bytes).expect("the temporary folder takes a file");
    // Passwords are left out, so that no input makes the target read a file of this machine.
    let outcome = Config::read(&path, Secrets::Ignored);
    let shown = outcome.problems.to_string();
    assert!(outcome.config.is_some() || !shown.is_empty(), "no config, and nobody is told why");
});
