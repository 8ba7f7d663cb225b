//! What the end-to-end tests share.

mod relay;

use std::path::PathBuf;

pub use relay::Relay;

/// A file or folder of the real test material, or `None`, said aloud, where that is absent.
///
/// The material has licences of its own and is not part of the repository. It is looked for in
/// `KARAUL_DATA`, otherwise in `shared/data` beside the checkout.
#[must_use]
pub fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KARAUL_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is not here (set KARAUL_DATA to the folder of test material)", found.display());
    None
}
