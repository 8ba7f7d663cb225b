use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::Deserialize;

/// What `models/<name>/model.toml` says about a model: how to feed it and how to
/// read what it answers. The session checks the ONNX file against it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the model, also of its folder.
    pub id: String,
    /// Version of the weights.
    pub version: String,
    /// ONNX file, relative to the manifest.
    pub file: PathBuf,
    /// SHA-256 of the file, hex.
    pub sha256: String,
    /// SPDX licence expression of the weights.
    pub licence: String,
    /// Where the weights come from.
    pub source: String,
    /// Class names; a detection's class is an index into them.
    pub labels: Vec<String>,
    /// How a picture becomes the input tensor.
    pub input: Input,
    /// How the output tensors become boxes.
    pub head: Head,
    /// Folder of the manifest; filled in by [`Manifest::load`].
    #[serde(skip)]
    pub folder: PathBuf,
}

/// The input tensor: `[1, 3, height, width]`, `f32`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Name of the tensor.
    pub name: String,
    /// Height and width in pixels.
    pub size: [usize; 2],
    /// Order of the three channels.
    pub colour: Colour,
    /// Subtracted from 0..255 samples, by channel, in the order of `colour`.
    pub mean: [f32; 3],
    /// Divides what is left, by channel.
    pub std: [f32; 3],
    /// How a picture of another shape is fitted in.
    pub resize: Resize,
    /// Sample value of what a letterbox leaves empty, before normalisation.
    #[serde(default)]
    pub fill: u8,
}

/// The largest side of an input in pixels; no detector for cameras is fed more, and a slip of the
/// pen must not ask for all memory.
const MAX_SIZE: usize = 8192;

/// Order of the colour channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// How a picture is fitted into the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Resize {
    /// Keeps the aspect ratio; the picture lies at the top left (YOLOX).
    Letterbox,
    /// Keeps the aspect ratio; the picture lies in the middle (NanoDet).
    LetterboxCentred,
    /// Fills the input, whatever the aspect ratio (PicoDet).
    Stretch,
}

/// How the output is read.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Family of the head.
    pub kind: HeadKind,
    /// Strides of its levels in input pixels, in the order of its outputs or rows.
    pub strides: Vec<usize>,
    /// Names of the output tensors; see [`HeadKind`] for their order.
    pub outputs: Vec<String>,
    /// Two boxes of one class that overlap by more than this are one object.
    pub nms_iou: f32,
    /// Boxes below this score are not looked at. Rules have a threshold of their own.
    pub score_threshold: f32,
}

/// Families of detection heads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeadKind {
    /// YOLOX (arXiv 2107.08430): one output `[1, rows, 5 + classes]`, anchor free,
    /// objectness and class probabilities already through the sigmoid.
    Yolox,
    /// Generalised focal loss (arXiv 2006.04388), as in PicoDet and NanoDet: first one
    /// output of class probabilities per stride, `[1, rows, classes]`, then one of
    /// distances per stride, either `[1, rows, 4 * bins]` before the softmax or
    /// `[1, rows, 4]` after it, in units of the stride.
    Gfl,
}

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// No such folder or file.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The manifest.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Not TOML, or not a manifest.
    #[error("{path}:{line} is not a model manifest: {message}")]
    Parse {
        /// The manifest.
        path: PathBuf,
        /// Where, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A value that makes no sense.
    #[error("{path}: {problem}")]
    Invalid {
        /// The manifest.
        path: PathBuf,
        /// What is wrong and what to write instead.
        problem: String,
    },
}

impl Manifest {
    /// Name of the manifest in a model's folder.
    pub const FILE: &str = "model.toml";

    /// Reads and checks `<folder>/model.toml`. Does not open the ONNX file.
    ///
    /// # Errors
    /// If it cannot be read, is not a manifest, contradicts itself, or lies in a folder of another name.
    pub fn load(folder: &Path) -> Result<Self, ManifestError> {
        let path = folder.join(Self::FILE);
        let text = fs::read_to_string(&path).map_err(|source| ManifestError::Read { path: path.clone(), source })?;
        let mut manifest: Self = toml::from_str(&text).map_err(|e| {
            let line = e.span().map_or(1, |span| 1 + text[..span.start.min(text.len())].matches('\n').count());
            let message = e.message().split_whitespace().collect::<Vec<_>>().join(" ");
            ManifestError::Parse { path: path.clone(), line, message }
        })?;
        manifest.folder = folder.to_owned();
        match manifest.problem() {
            Some(problem) => Err(ManifestError::Invalid { path, problem }),
            None => Ok(manifest),
        }
    }

    /// Path of the ONNX file.
    #[must_use]
    pub fn onnx(&self) -> PathBuf {
        self.folder.join(&self.file)
    }

    /// What its folder is called, also where that is named by `.` or the like.
    fn folder_name(&self) -> Option<String> {
        let name = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned());
        name(&self.folder).or_else(|| name(&self.folder.canonicalize().ok()?))
    }

    fn problem(&self) -> Option<String> {
        let folder = self.folder_name().unwrap_or_default();
        if self.id != folder {
            return Some(format!("id is \"{}\", but its folder is called \"{folder}\": give both one name", self.id));
        }
        let share = |name: &str, v: f32| {
            (!(0.0..=1.0).contains(&v)).then(|| format!("{name} is {v}: write a number from 0 to 1"))
        };
        if self.labels.is_empty() {
            return Some("labels is empty: name the model's classes in their order".to_owned());
        }
        if self.labels.len() > usize::from(u16::MAX) {
            return Some(format!(
                "labels has {} names, more than the {} that can be told apart",
                self.labels.len(),
                u16::MAX
            ));
        }
        if self.head.strides.is_empty() || self.head.strides.contains(&0) {
            return Some("head.strides must list the strides of the levels, for example [8, 16, 32]".to_owned());
        }
        if self.input.size.iter().any(|size| !(1..=MAX_SIZE).contains(size)) {
            return Some(format!("input.size must be [height, width] in pixels, both from 1 to {MAX_SIZE}"));
        }
        if self.input.mean.iter().chain(&self.input.std).any(|v| !v.is_finite()) {
            return Some("input.mean and input.std must be finite numbers".to_owned());
        }
        if self.input.std.contains(&0.0) {
            return Some("input.std divides the samples and cannot be 0".to_owned());
        }
        let wanted = match self.head.kind {
            HeadKind::Yolox => 1,
            HeadKind::Gfl => 2 * self.head.strides.len(),
        };
        if self.head.outputs.len() != wanted {
            return Some(format!(
                "head.outputs names {} tensors, but this head with {} strides has {wanted}",
                self.head.outputs.len(),
                self.head.strides.len()
            ));
        }
        share("head.nms_iou", self.head.nms_iou).or_else(|| share("head.score_threshold", self.head.score_threshold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What loading says about `models/yolox-nano` with `from` replaced by `to`.
    fn problem(from: &str, to: &str) -> String {
        let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/yolox-nano/model.toml");
        let text = fs::read_to_string(shipped).unwrap();
        assert!(text.contains(from), "{from} is in the manifest");
        let models = tempfile::tempdir().unwrap();
        let folder = models.path().join("yolox-nano");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join(Manifest::FILE), text.replace(from, to)).unwrap();
        let error = Manifest::load(&folder).expect_err("something is wrong");
        error.to_string().replace(&folder.display().to_string(), "DIR")
    }

    #[test]
    fn what_is_wrong_is_said_in_one_sentence() {
        let cases = [
            (
                "licence = ",
                "license = ",
                "DIR/model.toml:6 is not a model manifest: unknown field `license`, expected one of `id`, `version`, \
                 `file`, `sha256`, `licence`, `source`, `labels`, `input`, `head`",
            ),
            (
                "colour = \"bgr\"",
                "colour = \"gbr\"",
                "DIR/model.toml:23 is not a model manifest: unknown variant `gbr`, expected `rgb` or `bgr`",
            ),
            (
                "id = \"yolox-nano\"",
                "id = \"yolox-tiny\"",
                "DIR/model.toml: id is \"yolox-tiny\", but its folder is called \"yolox-nano\": give both one name",
            ),
            (
                "size = [384, 640]",
                "size = [384, 0]",
                "DIR/model.toml: input.size must be [height, width] in pixels, both from 1 to 8192",
            ),
            ("std = [1, 1, 1]", "std = [1, 0, 1]", "DIR/model.toml: input.std divides the samples and cannot be 0"),
            (
                "mean = [0, 0, 0]",
                "mean = [0, nan, 0]",
                "DIR/model.toml: input.mean and input.std must be finite numbers",
            ),
            (
                "strides = [8, 16, 32]",
                "strides = []",
                "DIR/model.toml: head.strides must list the strides of the levels, for example [8, 16, 32]",
            ),
            (
                "kind = \"yolox\"",
                "kind = \"gfl\"",
                "DIR/model.toml: head.outputs names 1 tensors, but this head with 3 strides has 6",
            ),
            ("nms_iou = 0.45", "nms_iou = 45", "DIR/model.toml: head.nms_iou is 45: write a number from 0 to 1"),
        ];
        for (from, to, wanted) in cases {
            assert_eq!(problem(from, to), wanted);
        }
    }
}
