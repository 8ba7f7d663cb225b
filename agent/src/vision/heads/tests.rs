use std::path::PathBuf;

use proptest::prelude::*;
use serde::Deserialize;

use super::*;
use crate::vision::{Colour, Head, Input, Resize};

/// Random tensors and what the numpy reference implementation, in 64-bit floats, reads out of
/// them: input 64x96, three classes, a picture of 250x150, score above 0.3.
const DECODED: &str = include_str!("fixtures/decoded.json");

#[derive(Deserialize)]
struct Case {
    tensors: Vec<Vec<f32>>,
    /// Left, top, right, bottom in picture pixels, score, class.
    detections: Vec<[f32; 6]>,
}

fn manifest(kind: HeadKind, strides: &[usize], resize: Resize, nms_iou: f32) -> Manifest {
    let count = if kind == HeadKind::Yolox { 1 } else { 2 * strides.len() };
    Manifest {
        id: "test".to_owned(),
        version: "1".to_owned(),
        file: PathBuf::from("test.onnx"),
        sha256: String::new(),
        licence: String::new(),
        source: String::new(),
        labels: ["person", "car", "dog"].map(String::from).to_vec(),
        input: Input {
            name: "images".to_owned(),
            size: [64, 96],
            colour: Colour::Bgr,
            mean: [0.0; 3],
            std: [1.0; 3],
            resize,
            fill: 114,
        },
        head: Head {
            kind,
            strides: strides.to_vec(),
            outputs: (0..count).map(|i| format!("out{i}")).collect(),
            nms_iou,
            score_threshold: 0.3,
        },
        folder: PathBuf::new(),
    }
}

fn yolox() -> Manifest {
    manifest(HeadKind::Yolox, &[8, 16, 32], Resize::Letterbox, 0.45)
}

fn picodet() -> Manifest {
    manifest(HeadKind::Gfl, &[8, 16, 32, 64], Resize::Stretch, 0.6)
}

#[test]
fn decoders_agree_with_the_reference() {
    let cases: std::collections::HashMap<String, Case> = serde_json::from_str(DECODED).unwrap();
    let nanodet = manifest(HeadKind::Gfl, &[8, 16, 32], Resize::LetterboxCentred, 0.6);
    for (name, manifest) in [("yolox", yolox()), ("picodet", picodet()), ("nanodet", nanodet)] {
        let case = &cases[name];
        let fit = Fit::new((250, 150), (96, 64), manifest.input.resize);
        let tensors: Vec<&[f32]> = case.tensors.iter().map(Vec::as_slice).collect();
        let mut decoder = Decoder::new(&manifest);
        let found = decoder.decode(&tensors, &fit).unwrap();
        // The reference keeps boxes that are wholly outside the picture.
        let visible: Vec<_> = case.detections.iter().filter(|d| d[2] > d[0] && d[3] > d[1]).collect();
        assert!(visible.len() > 20, "{name} has something to compare");
        assert_eq!(found.len(), visible.len(), "{name}");
        for (d, &&[left, top, right, bottom, score, class]) in found.iter().zip(&visible) {
            let bbox = d.bbox;
            let pixels = [bbox.x * 250.0, bbox.y * 150.0, bbox.right() * 250.0, bbox.bottom() * 150.0];
            for (edge, wanted) in pixels.iter().zip([left, top, right, bottom]) {
                assert!((edge - wanted).abs() < 1e-3, "{name}: {edge} is not {wanted}");
            }
            assert!((d.score - score).abs() < 1e-5 && f32::from(d.class) == class, "{name}: {d:?}");
        }
    }
}

#[test]
fn declared_shapes_must_fit_the_manifest() {
    let decoder = Decoder::new(&yolox());
    assert_eq!(decoder.check_shapes(&[&[1, 126, 8]]), Ok(()));
    assert_eq!(decoder.check_shapes(&[&[-1, -1, -1]]), Ok(()));
    let wrong = |shape: &[i64]| decoder.check_shapes(&[shape]).expect_err("does not fit");
    assert_eq!(
        wrong(&[1, 126, 85]),
        "output \"out0\" has shape [1, 126, 85], but 3 labels make 8 columns (5 and one per label): check labels"
    );
    assert_eq!(
        wrong(&[1, 3549, 8]),
        "output \"out0\" has shape [1, 3549, 8], but the strides and the input size make 126 rows"
    );
    assert_eq!(
        wrong(&[126, 8]),
        "output \"out0\" has shape [126, 8], but a YOLOX head has three dimensions, [1, rows, columns]"
    );
    let decoder = Decoder::new(&picodet());
    let shapes = |last: &'static [i64]| -> [&'static [i64]; 8] {
        [&[1, 96, 3], &[1, 24, 3], &[1, 6, 3], &[1, 2, 3], &[1, 96, 32], &[1, 24, 32], &[1, 6, 32], last]
    };
    assert_eq!(decoder.check_shapes(&shapes(&[1, 2, 32])), Ok(()));
    assert_eq!(
        decoder.check_shapes(&shapes(&[1, 2, 30])).expect_err("does not fit"),
        "output \"out7\" has shape [1, 2, 30], but a box has 4 distances or 4 times the number of bins"
    );
    assert_eq!(
        decoder.check_shapes(&[&[1, 96, 80]]).expect_err("does not fit"),
        "output \"out0\" has shape [1, 96, 80], but there are 3 labels: check labels and outputs"
    );
}

#[test]
fn tensors_of_another_length_are_refused() {
    let fit = Fit::new((250, 150), (96, 64), Resize::Letterbox);
    let mut decoder = Decoder::new(&yolox());
    let error = decoder.decode(&[&[0.0; 85 * 126]], &fit).expect_err("too long");
    assert_eq!(error, "output \"out0\" has 10710 numbers instead of 126 rows of 8");
    let error = decoder.decode(&[], &fit).expect_err("nothing there");
    assert_eq!(error, "the model gave 0 tensors instead of 1");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_a_model_says_boxes_stay_inside_the_picture(
        seed: u64, extreme in prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(-1e30f32), Just(1e30f32), Just(3.0)],
    ) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut noise = |n: usize| -> Vec<f32> {
            (0..n).map(|_| if random.u8(..) < 8 { extreme } else { random.f32() * 2.0 - 0.5 }).collect()
        };
        let yolox_output = noise(126 * 8);
        let picodet_outputs: Vec<Vec<f32>> =
            [96, 24, 6, 2].iter().map(|n| n * 3).chain([96, 24, 6, 2].iter().map(|n| n * 32)).map(noise).collect();
        for (manifest, outputs) in [(yolox(), vec![yolox_output]), (picodet(), picodet_outputs)] {
            let outputs: Vec<&[f32]> = outputs.iter().map(Vec::as_slice).collect();
            let fit = Fit::new((250, 150), (96, 64), manifest.input.resize);
            let mut decoder = Decoder::new(&manifest);
            for d in decoder.decode(&outputs, &fit).expect("lengths are right") {
                prop_assert!(d.bbox.x >= 0.0 && d.bbox.y >= 0.0 && d.bbox.right() <= 1.0001 && d.bbox.bottom() <= 1.0001);
                prop_assert!(d.bbox.area() > 0.0 && d.score > 0.3 && d.class < 3);
            }
        }
    }
}
