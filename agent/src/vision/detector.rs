use std::sync::Arc;

use super::{Decoder, Detection, Model, Planes, Preparer, VisionError};

/// Sees objects in the pictures of one camera.
#[derive(Debug)]
pub struct Detector {
    model: Arc<Model>,
    preparer: Preparer,
    decoder: Decoder,
}

impl Detector {
    /// A detector of its own for one camera; the model is shared.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        let preparer = Preparer::new(&model.manifest().input);
        let decoder = Decoder::new(model.manifest());
        Self { model, preparer, decoder }
    }

    /// The same detector with another score threshold than the manifest's.
    #[must_use]
    pub fn with_score_threshold(self, score_threshold: f32) -> Self {
        Self { decoder: self.decoder.with_score_threshold(score_threshold), ..self }
    }

    /// The model it uses.
    #[must_use]
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// What is in the picture, best first: boxes in shares of the picture, clipped to it.
    ///
    /// # Errors
    /// If the planes are cut off, no session comes free in time or inference fails.
    pub fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError> {
        let Self { model, preparer, decoder } = self;
        let (tensor, fit) = preparer.prepare(picture)?;
        let decoded = model.run(tensor, |outputs| decoder.decode(outputs, &fit))?;
        decoded.map_err(|message| VisionError::Inference { model: model.manifest().id.clone(), message })
    }
}
