//! What the end-to-end tests share.

pub mod ap;
mod delivery;
mod models;
pub mod mot;
mod packed;
mod site;
mod subscriber;

use std::path::PathBuf;

use karaul::vision::Runtime;

pub use delivery::{Delivered, delivered};
pub use karaul_stage::{Relay, Shape};
pub use models::FetchedModels;
pub use packed::packed_nv12;
pub use site::{TestSite, any_of};
pub use subscriber::{Received, Subscriber};

/// A file or folder of the real test material, or `None`, said aloud, where that is absent.
///
/// The material has licences of its own and is not part of the repository. It is looked for in
/// `KARAUL_DATA`, otherwise in `shared/data` beside the checkout.
#[must_use]
pub fn data(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("KARAUL_DATA").map_or_else(|| repository("../shared/data"), PathBuf::from);
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("skipped: {} is not here (set KARAUL_DATA to the folder of test material)", found.display());
    None
}

/// A file or folder of the repository, from its root.
#[must_use]
pub fn repository(path: &str) -> PathBuf {
    karaul_stage::repository().join(path)
}

/// Whether ONNX Runtime is here; said aloud where it is not.
///
/// # Panics
/// If `ORT_DYLIB_PATH` names a library that cannot be loaded: then the test was meant to run.
#[must_use]
pub fn onnx_runtime() -> bool {
    match Runtime::init(None) {
        Ok(_) => true,
        Err(e) if std::env::var_os("ORT_DYLIB_PATH").is_some() => panic!("{e}"),
        Err(e) => {
            eprintln!("skipped: {e}");
            false
        }
    }
}
