use std::sync::Arc;

use super::{Decoder, Detection, Model, Planes, Preparer, VisionError, Window, heads::nms::suppress};

/// Sees objects in the pictures of one camera.
#[derive(Debug)]
pub struct Detector {
    model: Arc<Model>,
    preparer: Preparer,
    decoder: Decoder,
    /// For pieces of a picture; made when there are any.
    pieces: Option<Preparer>,
    found: Vec<Detection>,
}

impl Detector {
    /// A detector of its own for one camera; the model is shared.
    #[must_use]
    pub fn new(model: Arc<Model>) -> Self {
        let preparer = Preparer::new(&model.manifest().input);
        let decoder = Decoder::new(model.manifest());
        Self { model, preparer, decoder, pieces: None, found: Vec::new() }
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
        let Self { model, preparer, decoder, .. } = self;
        let (tensor, fit) = preparer.prepare(picture)?;
        let decoded = model.run(tensor, |outputs| decoder.decode(outputs, &fit))?;
        decoded.map_err(|message| VisionError::Inference { model: model.manifest().id.clone(), message })
    }

    /// What is in these pieces of the picture, as [`Self::detect`] says it. A piece has the detail that the whole picture
    /// loses on its way into the model; what is cut off by its edges is left out.
    ///
    /// # Errors
    /// As with [`Self::detect`], and if a piece is outside the picture.
    pub fn detect_in(&mut self, picture: &Planes<'_>, windows: &[Window]) -> Result<&[Detection], VisionError> {
        let Self { model, decoder, pieces, found, .. } = self;
        let manifest = model.manifest();
        let preparer = pieces.get_or_insert_with(|| Preparer::new(&manifest.input));
        found.clear();
        for window in windows {
            let (tensor, fit) = preparer.prepare(&picture.window(*window))?;
            let decoded = model.run(tensor, |outputs| decoder.decode(outputs, &fit))?;
            let decoded = decoded.map_err(|message| VisionError::Inference { model: manifest.id.clone(), message })?;
            found.extend(decoded.iter().filter_map(|detection| {
                let bbox = window.to_picture(&detection.bbox, (picture.width, picture.height))?;
                Some(Detection { bbox, ..*detection })
            }));
        }
        suppress(found, manifest.head.nms_iou);
        Ok(found)
    }
}
