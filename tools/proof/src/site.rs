//! Configs of agents that take part in a proof.

use std::path::Path;

/// The first part of one, without cameras. What the agent keeps goes into `folder`.
pub(crate) fn head(broker: &str, folder: &Path, models: &Path) -> String {
    format!(
        r#"[site]
region = "proof"
district = "proof"
name = "proof"
box = "proof"
time_zone = "UTC"
languages = ["en"]
[broker]
url = "{broker}"
[storage]
path = "{}"
[inference]
models = "{}"
"#,
        folder.join("state").display(),
        models.display()
    )
}
