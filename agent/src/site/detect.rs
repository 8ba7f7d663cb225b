use std::sync::Arc;

use crate::{
    incident::Step,
    track::TrackerSettings,
    vision::{Detection, Detector, Model, Planes, VisionError, Window},
};

/// What looks at pictures: the model, or a test's script. Detections of low scores are
/// wanted as well: the tracker holds on to objects by them.
pub trait Detect {
    /// The objects in one picture.
    ///
    /// # Errors
    /// If the model could not be run.
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError>;

    /// Width and height of what it sees without loss, in pixels, if it can look at parts of a picture.
    fn input(&self) -> Option<(usize, usize)> {
        None
    }

    /// The objects in these parts of a picture.
    ///
    /// # Errors
    /// If the model could not be run.
    fn detect_in(&mut self, picture: &Planes<'_>, _windows: &[Window]) -> Result<&[Detection], VisionError> {
        self.detect(picture)
    }
}

/// The detector of a camera that is watched: the tracker decides what a low score is
/// worth, not the model's manifest.
#[must_use]
pub fn detector(model: Arc<Model>) -> Detector {
    Detector::new(model).with_score_threshold(TrackerSettings::default().low_score)
}

impl Detect for Detector {
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError> {
        Detector::detect(self, picture)
    }

    fn input(&self) -> Option<(usize, usize)> {
        let [height, width] = self.model().manifest().input.size;
        Some((width, height))
    }

    fn detect_in(&mut self, picture: &Planes<'_>, windows: &[Window]) -> Result<&[Detection], VisionError> {
        Detector::detect_in(self, picture, windows)
    }
}

impl Detect for Box<dyn Detect + Send> {
    fn detect(&mut self, picture: &Planes<'_>) -> Result<&[Detection], VisionError> {
        (**self).detect(picture)
    }

    fn input(&self) -> Option<(usize, usize)> {
        (**self).input()
    }

    fn detect_in(&mut self, picture: &Planes<'_>, windows: &[Window]) -> Result<&[Detection], VisionError> {
        (**self).detect_in(picture, windows)
    }
}

/// Where the steps of incidents go: the outbox, or a replay's output.
pub trait Sink {
    /// Makes a step safe, and says whether it is. `picture` is the one it was seen in, if
    /// there is one.
    fn commit(&mut self, step: &mut Step, picture: Option<&Planes<'_>>) -> bool;
}
