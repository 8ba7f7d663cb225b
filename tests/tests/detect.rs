//! Real models on real pictures, against what the reference implementation in numpy, OpenCV and
//! Python's ONNX Runtime found. Skips visibly where the test material is absent.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    collections::HashMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
};

use karaul::{
    cli::detect::{Args, detect},
    config::{Inference, Provider},
    vision::{Decoder, Fit, Layout, Manifest, Matrix, Model, Planes, Preparer, Range},
};
use karaul_tests::{
    ModelFolder,
    ap::{self, Object, Picture},
    data, onnx_runtime, repository,
};
use serde::Deserialize;

/// A line of `karaul detect`.
#[derive(Deserialize)]
struct Line {
    image: PathBuf,
    width: f64,
    height: f64,
    detections: Vec<Found>,
}

#[derive(Deserialize)]
struct Found {
    class: String,
    score: f64,
    #[serde(rename = "box")]
    bbox: [f64; 4],
}

/// The shipped manifest with the weights from the test material beside it.
fn model(id: &str) -> Option<ModelFolder> {
    let shipped = repository("models").join(id);
    let file = Manifest::load(&shipped).unwrap().file;
    let onnx = data("models")?.join(&file);
    let folder = ModelFolder::new(id);
    fs::copy(shipped.join(Manifest::FILE), folder.path().join(Manifest::FILE)).unwrap();
    symlink(fs::canonicalize(onnx).unwrap(), folder.path().join(file)).unwrap();
    onnx_runtime().then_some(folder)
}

/// What `karaul detect` prints.
fn lines(model: &Path, images: Vec<PathBuf>, score: f32) -> Vec<Line> {
    let args = Args { model: model.to_owned(), score: Some(score), provider: Provider::Cpu, library: None, images };
    let mut out = Vec::new();
    detect(&args, &mut out, &mut |problem| panic!("{problem}")).unwrap();
    serde_json::Deserializer::from_slice(&out).into_iter().collect::<Result<_, _>>().unwrap()
}

fn edges([x, y, w, h]: [f64; 4]) -> ap::Edges {
    [x, y, x + w, y + h]
}

/// Labels in YOLO's format: class and centre, width and height in shares of the picture.
fn labels(path: &Path, width: f64, height: f64) -> Vec<Object> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let numbers = text.lines().map(|l| l.split_whitespace().map(|v| v.parse().unwrap()).collect::<Vec<f64>>());
    numbers
        .filter(|n| n.len() >= 5)
        .map(|n| {
            let (x, y, w, h) = (n[1] * width, n[2] * height, n[3] * width, n[4] * height);
            let edges = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
            Object { edges, score: 1.0, class: n[0] as usize }
        })
        .collect()
}

/// AP on 128 pictures within one point of the reference: all classes and persons alone.
fn ap_is_within_a_point(id: &str, reference: &str) {
    let (Some(folder), Some(pictures)) = (model(id), data("images/coco128-train")) else { return };
    let names = Manifest::load(folder.path()).unwrap().labels;
    let mut images: Vec<_> = fs::read_dir(pictures.join("images")).unwrap().map(|e| e.unwrap().path()).collect();
    images.sort();
    assert_eq!(images.len(), 128);
    // The threshold of the reference figures.
    let lines = lines(folder.path(), images, 0.01);
    let seen: Vec<_> = lines
        .into_iter()
        .map(|line| {
            let stem = line.image.with_extension("txt");
            let label = pictures.join("labels").join(stem.file_name().unwrap());
            let class = |name: &str| names.iter().position(|n| n == name).unwrap();
            let object = |f: Found| Object { edges: edges(f.bbox), score: f.score, class: class(&f.class) };
            let there = labels(&label, line.width, line.height);
            Picture { found: line.detections.into_iter().map(object).collect(), there }
        })
        .collect();
    let text = fs::read_to_string(data("reference/ap_coco128.json").unwrap()).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let wanted = &json["models"][reference];
    let (all, person) = (ap::mean(&seen).unwrap(), ap::of_class(&seen, 0).unwrap());
    println!("{reference}: AP {:.2}, AP50 {:.2}, person {:.2}", 100.0 * all.ap, 100.0 * all.ap50, 100.0 * person.ap);
    for (ours, theirs) in [(all.ap, &wanted["AP"]), (person.ap, &wanted["per_class"]["person"]["AP"])] {
        let theirs = theirs.as_f64().unwrap();
        assert!((100.0 * ours - theirs).abs() <= 1.0, "{reference}: {:.2} is not {theirs}", 100.0 * ours);
    }
}

#[test]
fn yolox_is_as_precise_as_the_reference() {
    ap_is_within_a_point("yolox-nano", "yolox_nano_384x640");
}

#[test]
fn picodet_is_as_precise_as_the_reference() {
    ap_is_within_a_point("picodet-s", "picodet_s_384x640");
}

#[derive(Deserialize)]
struct References {
    models: HashMap<String, ModelReference>,
}

#[derive(Deserialize)]
struct ModelReference {
    images: HashMap<String, Vec<Reference>>,
}

#[derive(Deserialize)]
struct Reference {
    #[serde(rename = "box")]
    edges: ap::Edges,
    score: f64,
    class: usize,
}

/// The boxes of five pictures, one by one. The tolerance is that of the reference file, for a
/// resizer other than its own: 97 % of the boxes above 0.35 at an overlap of 0.8 or more, and of
/// their scores 95 % within 0.06.
#[test]
fn boxes_are_those_of_the_reference() {
    // PicoDet's reference was resized by bicubic interpolation, which is sharper than ours.
    for (id, reference, alike_share) in [
        ("yolox-nano", "yolox_nano_384x640", 0.95),
        ("picodet-s", "picodet_s_384x640", 0.90),
        ("nanodet-m", "nanodet_m_416", 0.95),
    ] {
        let (Some(folder), Some(path)) = (model(id), data("reference/detections_images.json")) else { return };
        let names = Manifest::load(folder.path()).unwrap().labels;
        let all: References = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let (mut sure, mut matched, mut alike) = (0, 0, 0);
        for (image, references) in &all.models[reference].images {
            let line = lines(folder.path(), vec![data(image).unwrap()], 0.25).remove(0);
            for r in references.iter().filter(|r| r.score > 0.35) {
                sure += 1;
                let same = line.detections.iter().filter(|f| f.class == names[r.class]);
                let near = same.filter(|f| ap::iou(&edges(f.bbox), &r.edges) >= 0.8);
                if let Some(score) = near.map(|f| f.score).reduce(f64::max) {
                    matched += 1;
                    alike += usize::from((score - r.score).abs() <= 0.06);
                }
            }
        }
        println!("{reference}: {matched} of {sure} boxes found, {alike} with the same score");
        assert!(sure >= 10, "{reference} has something to compare");
        assert!(f64::from(matched) >= 0.97 * f64::from(sure), "{reference}: {matched} of {sure} boxes");
        assert!(alike as f64 >= alike_share * f64::from(matched), "{reference}: {alike} of {matched} scores");
    }
}

/// Low enough for many candidates, high enough to stay below the most that a decoder keeps (300).
const PLAIN_THRESHOLD: f64 = 0.3;

/// The decoders on the very tensors that a real model gave, against the reference's arithmetic in
/// 64-bit floats: every candidate above the threshold, before suppression, to 1e-3 pixels.
#[test]
fn decoded_boxes_equal_the_plain_arithmetic() {
    for id in ["yolox-nano", "picodet-s", "nanodet-m"] {
        let (Some(folder), Some(image)) = (model(id), data("images/single/pedestrians.jpg")) else { return };
        let mut manifest = Manifest::load(folder.path()).unwrap();
        let settings = Inference { models: PathBuf::new(), library: None, provider: Provider::Cpu, sessions: Some(1) };
        let model = Arc::new(Model::load(&manifest, &settings).unwrap());
        // Nothing is suppressed: at an overlap of at most 1 no box hides another.
        manifest.head.nms_iou = 1.0;
        let rgb = image::open(image).unwrap().into_rgb8();
        let (width, height) = (rgb.width() as usize, rgb.height() as usize);
        let layout = Layout::Rgb { rgb: rgb.as_raw(), stride: 3 * width };
        let picture = Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 };
        let mut preparer = Preparer::new(&manifest.input);
        let (tensor, fit) = preparer.prepare(&picture).unwrap();
        let mut decoder = Decoder::new(&manifest).with_score_threshold(PLAIN_THRESHOLD as f32);
        let (mut found, mut wanted) = model
            .run(tensor, |outputs| {
                let found = decoder.decode(outputs, &fit).unwrap().to_vec();
                (found, plain(&manifest, outputs, &fit, width as f64, height as f64))
            })
            .unwrap();
        assert!(wanted.len() > 20 && wanted.len() < 300, "{id}: {} candidates", wanted.len());
        assert_eq!(found.len(), wanted.len(), "{id}");
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        wanted.sort_by(|a, b| b.score.total_cmp(&a.score));
        for (d, w) in found.iter().zip(&wanted) {
            let b = d.bbox;
            let ours = [b.x, b.y, b.right(), b.bottom()].map(f64::from);
            let scale = [width, height, width, height].map(|v| v as f64);
            let worst = (0..4).map(|i| (ours[i] * scale[i] - w.edges[i]).abs()).fold(0.0, f64::max);
            assert!(worst < 1e-3, "{id}: {worst} pixels off at score {}", w.score);
            assert!((f64::from(d.score) - w.score).abs() < 1e-5 && usize::from(d.class) == w.class, "{id}: {d:?}");
        }
    }
}

/// The arithmetic of the reference, cell by cell, clipped to the picture.
fn plain(manifest: &Manifest, outputs: &[&[f32]], fit: &Fit, width: f64, height: f64) -> Vec<Object> {
    let [input_height, input_width] = manifest.input.size;
    let (input_width, input_height) = (input_width as f64, input_height as f64);
    // Letterboxes scale by one factor, stretching by two.
    let stretched = fit.width as f64 == input_width && fit.height as f64 == input_height;
    let one = (input_width / width).min(input_height / height);
    let (rx, ry) = if stretched { (input_width / width, input_height / height) } else { (one, one) };
    let classes = manifest.labels.len();
    let levels = manifest.head.strides.len();
    let mut objects = Vec::new();
    let mut row = 0;
    for (level, &stride) in manifest.head.strides.iter().enumerate() {
        let s = stride as f64;
        let columns = (input_width / s).ceil() as usize;
        for cell in 0..columns * (input_height / s).ceil() as usize {
            let (gx, gy) = ((cell % columns) as f64, (cell / columns) as f64);
            let (edges, scores) = if levels == outputs.len() / 2 {
                let sides = outputs[levels + level].len() / (outputs[level].len() / classes) / 4;
                let distance = |k: usize| {
                    let bins = &outputs[levels + level][(4 * cell + k) * sides..][..sides];
                    if sides == 1 {
                        return f64::from(bins[0]) * s;
                    }
                    let e: Vec<_> = bins.iter().map(|&b| f64::from(b).exp()).collect();
                    let moment: f64 = e.iter().enumerate().map(|(i, e)| i as f64 * e).sum();
                    moment / e.iter().sum::<f64>() * s
                };
                let (x, y) = ((gx + 0.5) * s, (gy + 0.5) * s);
                let edges = [x - distance(0), y - distance(1), x + distance(2), y + distance(3)];
                let scores: Vec<_> =
                    outputs[level][cell * classes..][..classes].iter().map(|&v| f64::from(v)).collect();
                (edges, scores)
            } else {
                let columns: Vec<_> =
                    outputs[0][row * (5 + classes)..][..5 + classes].iter().map(|&v| f64::from(v)).collect();
                row += 1;
                let (x, y) = ((columns[0] + gx) * s, (columns[1] + gy) * s);
                let (w, h) = (columns[2].exp() * s, columns[3].exp() * s);
                let edges = [x - w / 2.0, y - h / 2.0, x + w / 2.0, y + h / 2.0];
                (edges, columns[5..].iter().map(|c| c * columns[4]).collect())
            };
            let (class, &score) = scores.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).unwrap();
            let (dx, dy) = (fit.x as f64, fit.y as f64);
            let edges = [
                ((edges[0] - dx) / rx).clamp(0.0, width),
                ((edges[1] - dy) / ry).clamp(0.0, height),
                ((edges[2] - dx) / rx).clamp(0.0, width),
                ((edges[3] - dy) / ry).clamp(0.0, height),
            ];
            if score > PLAIN_THRESHOLD && edges[2] > edges[0] && edges[3] > edges[1] {
                objects.push(Object { edges, score, class });
            }
        }
    }
    objects
}

#[test]
fn pictures_that_cannot_be_read_do_not_stop_the_others() {
    let (Some(folder), Some(good)) = (model("yolox-nano"), data("images/single/pedestrians.jpg")) else { return };
    let bad = folder.path().join("notes.jpg");
    fs::write(&bad, "no picture").unwrap();
    let images = vec![bad.clone(), good];
    let args = Args { model: folder.path().to_owned(), score: None, provider: Provider::Cpu, library: None, images };
    let (mut out, mut problems) = (Vec::new(), Vec::new());
    let error = detect(&args, &mut out, &mut |problem| problems.push(problem.to_owned())).expect_err("one is bad");
    assert_eq!(error.to_string(), "1 of 2 pictures could not be read");
    assert_eq!(problems, [format!("{}: this is not a JPEG or PNG picture", bad.display())]);
    assert_eq!(String::from_utf8(out).unwrap().lines().count(), 1);
}
