use karaul_wire::{BoxBirth, CameraBirth, Segment, SigningKey};
use uuid::Uuid;

use crate::{camera, config::Config, vision::Runtime};

/// What the box is made of. The link counts the session at each connection.
pub(super) fn birth(
    config: &Config,
    runtime: &Runtime,
    boot_id: Option<Uuid>,
    signing_key: Option<SigningKey>,
    (modes, mode): (Vec<Segment>, Option<Segment>),
) -> BoxBirth {
    let schemas = karaul_wire::schemas()
        .into_iter()
        .map(|(name, _)| (name.to_owned(), karaul_wire::schema_address(name)))
        .collect();
    BoxBirth {
        session: 0,
        agent: env!("CARGO_PKG_VERSION").to_owned(),
        libraries: [("gstreamer", camera::version()), ("onnxruntime", runtime.version())]
            .into_iter()
            .map(|(name, version)| (name.to_owned(), version))
            .collect(),
        cameras: cameras(config),
        schemas,
        boot_id,
        signing_key,
        modes,
        mode,
    }
}

/// The cameras and their rules.
pub(super) fn cameras(config: &Config) -> Vec<CameraBirth> {
    let camera = |camera: &crate::config::Camera| CameraBirth {
        id: camera.id.clone(),
        label: camera.label.clone(),
        purpose: camera.purpose.clone(),
        model: camera.model.id.clone(),
        model_sha256: camera.model.sha256.clone(),
        rules: camera.rules.iter().map(|rule| rule.id.clone()).collect(),
    };
    config.cameras.iter().map(camera).collect()
}
