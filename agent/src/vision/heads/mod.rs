//! Output tensors to detections: one decoder per family of heads.
//!
//! Pure: no runtime, no clock. Tensors come in as flat slices whose layout is written beside
//! each decoder and checked before a number is read.

mod gfl;
pub(super) mod nms;
mod yolox;

#[cfg(test)]
mod tests;

use crate::vision::{Detection, Fit, HeadKind, Manifest};

/// Reads what one model answers. Reused from picture to picture, so that nothing is allocated
/// once the busiest picture has been seen.
#[derive(Clone, Debug)]
pub struct Decoder {
    kind: HeadKind,
    names: Vec<String>,
    classes: usize,
    levels: Vec<Level>,
    nms_iou: f32,
    score_threshold: f32,
    detections: Vec<Detection>,
}

/// One level of the pyramid: a grid of cells, each `stride` input pixels wide and high.
#[derive(Clone, Copy, Debug)]
struct Level {
    stride: usize,
    columns: usize,
    rows: usize,
}

impl Level {
    fn cells(&self) -> usize {
        self.columns * self.rows
    }
}

/// One box as a head gives it, edges in input pixels.
#[derive(Clone, Copy, Debug)]
struct Raw {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
    score: f32,
    class: usize,
}

impl Decoder {
    /// For a model described by this manifest.
    #[must_use]
    pub fn new(manifest: &Manifest) -> Self {
        let [height, width] = manifest.input.size;
        let level = |&stride: &usize| Level { stride, columns: width.div_ceil(stride), rows: height.div_ceil(stride) };
        Self {
            kind: manifest.head.kind,
            names: manifest.head.outputs.clone(),
            classes: manifest.labels.len(),
            levels: manifest.head.strides.iter().map(level).collect(),
            nms_iou: manifest.head.nms_iou,
            score_threshold: manifest.head.score_threshold,
            detections: Vec::new(),
        }
    }

    /// The same decoder with another score threshold than the manifest's.
    #[must_use]
    pub fn with_score_threshold(self, score_threshold: f32) -> Self {
        Self { score_threshold, ..self }
    }

    /// Checks the shapes that a model declares for its outputs, in the order of the manifest;
    /// -1 stands for a size that only shows when it runs.
    ///
    /// # Errors
    /// One sentence that names the tensor, what it has and what the manifest makes one expect.
    pub fn check_shapes(&self, shapes: &[&[i64]]) -> Result<(), String> {
        let check = match self.kind {
            HeadKind::Yolox => yolox::check_shape,
            HeadKind::Gfl => gfl::check_shape,
        };
        for (index, (name, shape)) in self.names.iter().zip(shapes).enumerate() {
            check(index, &self.levels, self.classes, shape)
                .map_err(|problem| format!("output \"{name}\" {problem}"))?;
        }
        Ok(())
    }

    /// The detections of one picture, best first, in shares of the picture and clipped to it.
    ///
    /// `outputs` are the tensors in the order of the manifest. Boxes with a score at or below
    /// the threshold, boxes that are not finite numbers and boxes outside the picture are left out.
    ///
    /// # Errors
    /// If a tensor has not the length that its layout asks for.
    pub fn decode(&mut self, outputs: &[&[f32]], fit: &Fit) -> Result<&[Detection], String> {
        let Self { kind, names, classes, levels, score_threshold, detections, .. } = self;
        detections.clear();
        if outputs.len() != names.len() {
            return Err(format!("the model gave {} tensors instead of {}", outputs.len(), names.len()));
        }
        let mut push = |raw: Raw| {
            let bbox = fit.to_picture(raw.left, raw.top, raw.right, raw.bottom);
            if [bbox.x, bbox.y, bbox.w, bbox.h].iter().all(|v| v.is_finite()) {
                detections.push(Detection { bbox, score: raw.score, class: raw.class as u16 });
            }
        };
        match kind {
            HeadKind::Yolox => yolox::decode(outputs, levels, *classes, *score_threshold, &mut push),
            HeadKind::Gfl => gfl::decode(outputs, levels, *classes, *score_threshold, &mut push),
        }
        .map_err(|(index, problem)| format!("output \"{}\" {problem}", names[index]))?;
        nms::suppress(detections, self.nms_iou);
        // Suppression comes first: two boxes that reach out of the picture must not become
        // alike by being clipped.
        detections.retain_mut(|d| {
            d.bbox = d.bbox.clip(1.0, 1.0);
            d.bbox.area() > 0.0
        });
        Ok(detections)
    }
}

/// Which tensor is wrong, and how.
type Wrong = (usize, String);

/// Index and value of the largest element; the first of equals. `None` if there is none.
fn argmax(values: &[f32]) -> Option<(usize, f32)> {
    let (index, rest) = values
        .iter()
        .enumerate()
        .fold((None, f32::NEG_INFINITY), |(index, best), (i, &v)| if v > best { (Some(i), v) } else { (index, best) });
    index.map(|i| (i, rest))
}

/// Whether any value is above the threshold, in a form that becomes vector code.
fn any_above(values: &[f32], threshold: f32) -> bool {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [false; 8];
    for chunk in chunks {
        for (lane, &v) in lanes.iter_mut().zip(chunk) {
            *lane |= v > threshold;
        }
    }
    lanes.iter().any(|&lane| lane) || rest.iter().any(|&v| v > threshold)
}

/// Checks one dimension of a declared shape, where it is declared.
fn check_dimension(shape: &[i64], dimension: usize, wanted: usize, meaning: &str) -> Result<(), String> {
    match shape.get(dimension) {
        Some(&n) if n < 0 || usize::try_from(n) == Ok(wanted) => Ok(()),
        _ => Err(format!("has shape {shape:?}, but {meaning}")),
    }
}
