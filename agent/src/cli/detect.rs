//! `karaul detect`: what a model sees in pictures, as JSON lines.

use std::{
    fs::File,
    io::{self, BufReader, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use image::{DynamicImage, ImageDecoder, ImageReader, RgbImage};
use serde::Serialize;

use crate::{
    config::{Inference, Provider},
    vision::{Detection, Detector, Layout, Manifest, Matrix, Model, Planes, Range, VisionError},
};

/// Detect objects in pictures and print one JSON line for each.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Folder of the model, with its model.toml
    #[arg(long, value_name = "DIR")]
    pub model: PathBuf,
    /// Leave out what scores no higher than this (0 to 1); otherwise the model's own threshold
    #[arg(long, value_name = "SCORE", value_parser = score)]
    pub score: Option<f32>,
    /// Where to run the model
    #[arg(long, default_value = "cpu", value_parser = provider)]
    pub provider: Provider,
    /// ONNX Runtime's shared library; otherwise ORT_DYLIB_PATH, then the system's
    #[arg(long, value_name = "FILE")]
    pub library: Option<PathBuf>,
    /// Pictures, JPEG or PNG
    #[arg(required = true)]
    pub images: Vec<PathBuf>,
}

/// Why `karaul detect` failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model cannot be used.
    #[error(transparent)]
    Vision(#[from] VisionError),
    /// Some pictures could not be read; each was named when it happened.
    #[error("{failed} of {all} pictures could not be read")]
    Pictures {
        /// How many could not.
        failed: usize,
        /// How many there were.
        all: usize,
    },
    /// The results cannot be written.
    #[error("cannot write the detections: {0}")]
    Write(#[from] io::Error),
}

/// One picture's line.
#[derive(Serialize)]
struct Line<'a> {
    image: &'a Path,
    width: u32,
    height: u32,
    detections: Vec<Found<'a>>,
}

/// One object in a line; the box is `[x, y, width, height]` in pixels.
#[derive(Serialize)]
struct Found<'a> {
    class: &'a str,
    score: f64,
    #[serde(rename = "box")]
    bbox: [f64; 4],
}

/// Prints the detections on the standard output and pictures it cannot read on the standard error.
///
/// # Errors
/// If the model cannot be used, or any picture cannot be read.
pub fn run(args: &Args) -> Result<(), Error> {
    detect(args, &mut io::stdout().lock(), &mut |problem| eprintln!("{problem}"))
}

/// The same with other places for the lines and for what is wrong with single pictures.
///
/// # Errors
/// As [`run`].
pub fn detect(args: &Args, out: &mut dyn Write, complain: &mut dyn FnMut(&str)) -> Result<(), Error> {
    let manifest = Manifest::load(&args.model).map_err(VisionError::from)?;
    let settings = Inference {
        models: args.model.clone(),
        library: args.library.clone(),
        provider: args.provider,
        // One picture after the other needs one session.
        sessions: Some(1),
    };
    let mut detector = Detector::new(Arc::new(Model::load(&manifest, &settings)?));
    if let Some(score) = args.score {
        detector = detector.with_score_threshold(score);
    }
    let mut failed = 0;
    for path in &args.images {
        let picture = match read(path) {
            Ok(picture) => picture,
            Err(problem) => {
                complain(&format!("{}: {problem}", path.display()));
                failed += 1;
                continue;
            }
        };
        let (width, height) = picture.dimensions();
        let found = detector.detect(&planes(&picture))?;
        let detections = found.iter().map(|d| named(d, &manifest, f64::from(width), f64::from(height))).collect();
        serde_json::to_writer(&mut *out, &Line { image: path, width, height, detections }).map_err(io::Error::from)?;
        writeln!(out)?;
    }
    if failed > 0 { Err(Error::Pictures { failed, all: args.images.len() }) } else { Ok(()) }
}

/// Decodes a picture, the right way up.
fn read(path: &Path) -> Result<RgbImage, String> {
    let decode = || {
        let mut decoder = ImageReader::new(BufReader::new(File::open(path)?)).with_guessed_format()?.into_decoder()?;
        // Telephones write pictures lying and say in the EXIF data how to hold them.
        let orientation = decoder.orientation()?;
        let mut image = DynamicImage::from_decoder(decoder)?;
        image.apply_orientation(orientation);
        Ok(image.into_rgb8())
    };
    decode().map_err(|e: image::ImageError| match e {
        image::ImageError::IoError(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
            "the picture is damaged: it ends too early".to_owned()
        }
        image::ImageError::IoError(e) => format!("cannot read the picture: {e}"),
        image::ImageError::Unsupported(_) => "this is not a JPEG or PNG picture".to_owned(),
        e => format!("the picture is damaged: {e}"),
    })
}

fn planes(picture: &RgbImage) -> Planes<'_> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let layout = Layout::Rgb { rgb: picture.as_raw(), stride: 3 * width };
    Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 }
}

fn named<'a>(detection: &Detection, manifest: &'a Manifest, width: f64, height: f64) -> Found<'a> {
    let round = |value: f64, steps: f64| (value * steps).round() / steps;
    let bbox = detection.bbox;
    let edges =
        [f64::from(bbox.x) * width, f64::from(bbox.y) * height, f64::from(bbox.w) * width, f64::from(bbox.h) * height];
    Found {
        class: manifest.labels.get(usize::from(detection.class)).map_or("", String::as_str),
        score: round(f64::from(detection.score), 1e5),
        bbox: edges.map(|edge| round(edge, 1e3)),
    }
}

fn score(text: &str) -> Result<f32, String> {
    let value = text.parse().map_err(|_| "write a number from 0 to 1".to_owned())?;
    if (0.0..=1.0).contains(&value) { Ok(value) } else { Err("write a number from 0 to 1".to_owned()) }
}

fn provider(text: &str) -> Result<Provider, String> {
    let words = || Provider::ALL.map(Provider::as_str).join(", ");
    Provider::ALL.into_iter().find(|p| p.as_str() == text).ok_or_else(|| format!("write one of {}", words()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_that_are_none_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, content: &[u8]| {
            let path = folder.path().join(name);
            std::fs::write(&path, content).unwrap();
            path
        };
        let problem = |path: &Path| read(path).expect_err("not a picture");
        assert_eq!(problem(&file("a.jpg", b"hello")), "this is not a JPEG or PNG picture");
        assert_eq!(problem(&file("b.png", b"\x89PNG\r\n\x1a\n\0\0")), "the picture is damaged: it ends too early");
        let missing = folder.path().join("c.jpg");
        assert_eq!(problem(&missing), "cannot read the picture: No such file or directory (os error 2)");
    }

    #[test]
    fn boxes_are_printed_in_pixels() {
        let labels = r#"
            id = "m"
            version = "1"
            file = "m.onnx"
            sha256 = ""
            licence = ""
            source = ""
            labels = ["person", "car"]
            [input]
            name = "i"
            size = [32, 32]
            colour = "rgb"
            mean = [0, 0, 0]
            std = [1, 1, 1]
            resize = "stretch"
            [head]
            kind = "yolox"
            strides = [8]
            outputs = ["o"]
            nms_iou = 0.5
            score_threshold = 0.3
        "#;
        let manifest: Manifest = toml::from_str(labels).unwrap();
        let bbox = crate::vision::Rect { x: 0.25, y: 0.5, w: 0.1, h: 0.125 };
        let found = named(&Detection { bbox, score: 0.75, class: 1 }, &manifest, 1920.0, 1080.0);
        let line = Line { image: Path::new("a.jpg"), width: 1920, height: 1080, detections: vec![found] };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"image":"a.jpg","width":1920,"height":1080,"detections":[{"class":"car","score":0.75,"box":[480.0,540.0,192.0,135.0]}]}"#
        );
    }

    #[test]
    fn options_say_what_they_take() {
        assert_eq!(score("0.4"), Ok(0.4));
        assert_eq!(score("40"), Err("write a number from 0 to 1".to_owned()));
        assert_eq!(provider("openvino"), Ok(Provider::OpenVino));
        assert_eq!(provider("gpu"), Err("write one of cpu, cuda, openvino".to_owned()));
    }
}
