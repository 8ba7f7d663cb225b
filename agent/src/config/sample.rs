//! Sites for tests of other rooms.

use std::{fs, path::Path};

use super::{Config, Secrets};

/// The first part of a config, without cameras. Nobody answers at its broker.
pub(crate) fn head(time_zone: &str, languages: &[&str]) -> String {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    format!(
        r#"[site]
region = "almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "{time_zone}"
languages = {languages:?}
[broker]
# The discard port.
url = "mqtt://127.0.0.1:9"
[inference]
models = "{}"
"#,
        models.display()
    )
}

/// The config of this text, by way of a file in the folder.
pub(crate) fn load(folder: &Path, text: &str) -> Config {
    let file = folder.join("site.toml");
    fs::write(&file, text).unwrap();
    Config::load_with(&file, Secrets::Ignored).unwrap_or_else(|problems| panic!("{problems}"))
}
