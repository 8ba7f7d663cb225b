//! What all recordings of a run share: the site, the models.

use std::{collections::BTreeSet, sync::Arc};

use super::{
    Error,
    clips::Clip,
    journal::Alerts,
    pass::{Pass, Seen},
    render::Render,
};
use crate::{
    config::{Camera, Config},
    vision::{Manifest, Model},
};

/// The site, with the models that have been loaded.
pub(super) struct Stage {
    config: Config,
    models: Vec<(Manifest, Arc<Model>)>,
    /// Schedules that were told not to be applied, by camera and rule.
    told: BTreeSet<(String, String)>,
}

impl Stage {
    pub(super) fn new(config: Config) -> Self {
        Self { config, models: Vec::new(), told: BTreeSet::new() }
    }

    /// The camera that a clip is replayed as.
    pub(super) fn camera(&self, clip: &Clip) -> &Camera {
        &self.config.cameras[clip.camera]
    }

    /// The camera as it is replayed: without schedules if it is not known when the clip begins.
    pub(super) fn prepared(&mut self, clip: &Clip, camera: &Camera) -> Camera {
        let mut camera = camera.clone();
        if clip.start.is_some() {
            return camera;
        }
        for rule in &mut camera.rules {
            let Some(schedule) = rule.schedule.take() else { continue };
            if self.told.insert((camera.id.to_string(), rule.id.to_string())) {
                eprintln!("rule '{}': schedule '{}' is not applied; give --start to apply it", rule.id, schedule.id);
            }
        }
        camera
    }

    /// Replays a clip as each of these cameras, which differ in their rules only.
    pub(super) fn pass(
        &mut self,
        clip: &Clip,
        cameras: &[Camera],
        alerts: Alerts,
        render: Option<&mut Render>,
    ) -> Result<Seen, Error> {
        let model = self.model(clip)?;
        let (path, languages) = (&self.config.site.path, &self.config.site.languages);
        let seen = Pass { clip, model: &model, path, languages, alerts }.run(cameras, render)?;
        match seen.failed {
            Some(error) => Err(error),
            None => Ok(seen),
        }
    }

    fn model(&mut self, clip: &Clip) -> Result<Arc<Model>, Error> {
        let manifest = &self.config.cameras[clip.camera].model;
        if let Some((_, model)) = self.models.iter().find(|(known, _)| known == manifest) {
            return Ok(Arc::clone(model));
        }
        let model = Arc::new(Model::load(manifest, &self.config.inference)?);
        self.models.push((manifest.clone(), Arc::clone(&model)));
        Ok(model)
    }
}
