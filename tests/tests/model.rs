//! A model from its folder to detections, and all the ways in which the folder can be wrong,
//! word for word. Uses the detector without weights in `fixtures/bright-cells`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::Arc,
};

use karaul::{
    cli::models::verify,
    config::{Inference, Provider},
    vision::{Detector, Layout, Manifest, Matrix, Model, Planes, Range, VisionError},
};
use karaul_tests::{onnx_runtime, repository};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

const ONNX: &str = "tests/fixtures/bright-cells/model.onnx";

fn settings(provider: Provider, sessions: usize) -> Inference {
    Inference { models: "models".into(), library: None, provider, sessions: Some(sessions) }
}

/// An empty folder for one model, called as the model is, until dropped.
#[derive(Debug)]
struct ModelFolder {
    path: PathBuf,
    _parent: TempDir,
}

impl ModelFolder {
    /// A folder for the model with this id.
    fn new(id: &str) -> Self {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join(id);
        fs::create_dir(&path).unwrap();
        Self { path, _parent: parent }
    }

    /// Where it is.
    fn path(&self) -> &Path {
        &self.path
    }
}

/// A copy of the fixture whose manifest has `from` replaced by `to`.
fn changed(from: &str, to: &str) -> ModelFolder {
    let folder = ModelFolder::new("bright-cells");
    let manifest = fs::read_to_string(repository("tests/fixtures/bright-cells/model.toml")).unwrap();
    assert!(manifest.contains(from), "{from} is in the manifest");
    fs::write(folder.path().join("model.toml"), manifest.replace(from, to)).unwrap();
    fs::copy(repository(ONNX), folder.path().join("model.onnx")).unwrap();
    folder
}

fn load(folder: &Path, provider: Provider) -> Result<Model, VisionError> {
    Model::load(&Manifest::load(folder)?, &settings(provider, 1))
}

/// What loading says, with the folder written as `DIR`.
fn problem(folder: &Path) -> String {
    let error = load(folder, Provider::Cpu).expect_err("something is wrong");
    error.to_string().replace(&folder.display().to_string(), "DIR")
}

/// The same for other content of the ONNX file, with the SHA-256 in the manifest as it should be.
fn problem_with_file(content: &[u8]) -> String {
    let right = hex::encode(Sha256::digest(fs::read(repository(ONNX)).unwrap()));
    let folder = changed(&right, &hex::encode(Sha256::digest(content)));
    fs::write(folder.path().join("model.onnx"), content).unwrap();
    problem(folder.path())
}

#[test]
fn bright_cells_are_persons() {
    if !onnx_runtime() {
        return;
    }
    let folder = changed("\"1\"", "\"1\"");
    let model = Arc::new(load(folder.path(), Provider::Cpu).unwrap());
    assert_eq!((model.provider(), model.sessions()), (Provider::Cpu, 1));
    // Twice the size of the input, grey but for two white squares of 16x16.
    let (width, height) = (192, 128);
    let mut rgb = vec![60; 3 * width * height];
    for (left, top) in [(32, 48), (176, 112)] {
        for row in rgb.chunks_exact_mut(3 * width).skip(top).take(16) {
            row[3 * left..3 * (left + 16)].fill(255);
        }
    }
    let layout = Layout::Rgb { rgb: &rgb, stride: 3 * width };
    let picture = Planes { width, height, layout, range: Range::Full, matrix: Matrix::Bt601 };
    let mut detector = Detector::new(Arc::clone(&model));
    for _ in 0..3 {
        let mut found = detector.detect(&picture).unwrap().to_vec();
        found.sort_by(|a, b| a.bbox.x.total_cmp(&b.bbox.x));
        let pixels = |share: f32, size: f32| (share * size).round() as i32;
        let boxes: Vec<_> = found
            .iter()
            .map(|d| d.bbox)
            .map(|b| [pixels(b.x, 192.0), pixels(b.y, 128.0), pixels(b.w, 192.0), pixels(b.h, 128.0)])
            .collect();
        assert_eq!(boxes, [[32, 48, 16, 16], [176, 112, 16, 16]]);
        assert!(found.iter().all(|d| d.class == 0 && d.score > 0.999));
    }
    let counters = model.counters();
    assert_eq!((counters.inferences, counters.refused), (3, 0));
    assert!(!counters.inference_time.is_zero());
}

#[test]
fn who_finds_all_sessions_busy_is_told() {
    if !onnx_runtime() {
        return;
    }
    let folder = changed("\"1\"", "\"1\"");
    let model = load(folder.path(), Provider::Cpu).unwrap();
    let tensor = vec![0.0; 3 * 64 * 96];
    let error = model.run(&tensor, |_| model.run(&tensor, |_| ())).unwrap().expect_err("the only session is in use");
    assert_eq!(
        error.to_string(),
        "model \"bright-cells\": none of its 1 sessions came free within 2s; lower the detections per second of the \
         cameras, or raise `sessions` under [inference] if cores are idle"
    );
    assert_eq!((model.counters().inferences, model.counters().refused), (1, 1));
    assert!(model.run(&tensor, |_| ()).is_ok(), "it came back");
}

#[test]
fn a_missing_file_says_where_to_get_it() {
    let folder = changed("\"1\"", "\"1\"");
    fs::remove_file(folder.path().join("model.onnx")).unwrap();
    assert_eq!(
        problem(folder.path()),
        "model \"bright-cells\": DIR/model.onnx is missing; get it from tests/fixtures/bright-cells/make.py"
    );
}

#[test]
fn a_folder_in_place_of_the_file_cannot_be_read() {
    let folder = changed("\"model.onnx\"", "\".\"");
    assert_eq!(problem(folder.path()), "model \"bright-cells\": cannot read DIR/.: Is a directory (os error 21)");
}

#[test]
fn a_manifest_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(problem(folder.path()), "cannot read DIR/model.toml: No such file or directory (os error 2)");
}

#[test]
fn other_files_are_no_models() {
    let refusal = |what| {
        format!(
            "model \"bright-cells\": DIR/model.onnx is not an ONNX model but {what}; get it from \
             tests/fixtures/bright-cells/make.py"
        )
    };
    assert_eq!(problem_with_file(b"<!DOCTYPE html>\n<p>404"), refusal("a text file"));
    assert_eq!(problem_with_file(b""), refusal("an empty file"));
    assert_eq!(
        problem_with_file(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"),
        refusal("a Git LFS pointer (run `git lfs pull` where it was cloned)")
    );
    if !onnx_runtime() {
        return;
    }
    assert_eq!(problem_with_file(b"\x89PNG\r\n\x1a\n\0\0\0\0"), refusal("something that ONNX Runtime cannot read"));
    let whole = fs::read(repository(ONNX)).unwrap();
    assert_eq!(problem_with_file(&whole[..whole.len() / 2]), refusal("something that ONNX Runtime cannot read"));
}

#[test]
fn another_file_than_the_manifest_describes_is_refused() {
    let right = hex::encode(Sha256::digest(fs::read(repository(ONNX)).unwrap()));
    let zeros = "0".repeat(64);
    let folder = changed(&right, &zeros);
    assert_eq!(
        problem(folder.path()),
        format!(
            "model \"bright-cells\": DIR/model.onnx has SHA-256 {right}, but its model.toml names {zeros}; get the file \
             from tests/fixtures/bright-cells/make.py, or correct sha256 if you replaced it on purpose"
        )
    );
}

#[test]
fn a_model_of_another_shape_is_refused() {
    if !onnx_runtime() {
        return;
    }
    let cases = [
        ("name = \"images\"", "name = \"image\"", "its input is called \"images\", but input.name is \"image\""),
        (
            "size = [64, 96]",
            "size = [384, 640]",
            "its input \"images\" has shape [1, 3, 64, 96], but input.size = [384, 640] makes [1, 3, 384, 640]",
        ),
        (
            "outputs = [\"output\"]",
            "outputs = [\"boxes\"]",
            "it has no output \"boxes\", which head.outputs names; its outputs are \"output\"",
        ),
        (
            "labels = [\"person\", \"vehicle\"]",
            "labels = [\"person\", \"vehicle\", \"dog\"]",
            "its output \"output\" has shape [1, 96, 7], but 3 labels make 8 columns (5 and one per label): check labels",
        ),
        (
            "strides = [8]",
            "strides = [8, 16]",
            "its output \"output\" has shape [1, 96, 7], but the strides and the input size make 120 rows",
        ),
    ];
    for (from, to, wanted) in cases {
        let folder = changed(from, to);
        assert_eq!(
            problem(folder.path()),
            format!("model \"bright-cells\": DIR/model.onnx does not fit its model.toml: {wanted}")
        );
    }
}

#[test]
fn verify_names_each_model_and_fails_if_one_is_not_well() {
    if !onnx_runtime() {
        return;
    }
    let (good, bad) = (changed("\"1\"", "\"1\""), changed("name = \"images\"", "name = \"image\""));
    let all = tempfile::tempdir().unwrap();
    let manifest = bad.path().join(Manifest::FILE);
    let renamed = fs::read_to_string(&manifest).unwrap().replace("id = \"bright-cells\"", "id = \"dark-cells\"");
    fs::write(manifest, renamed).unwrap();
    symlink(good.path(), all.path().join("bright-cells")).unwrap();
    symlink(bad.path(), all.path().join("dark-cells")).unwrap();
    let mut out = Vec::new();
    verify(good.path(), None, &mut out).unwrap();
    let error = verify(all.path(), None, &mut out).expect_err("one is not well");
    assert_eq!(error.to_string(), "1 of 2 models cannot be used");
    let text = String::from_utf8(out).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    for line in &lines[..2] {
        assert!(line.starts_with("model \"bright-cells\": well; one inference on the cpu took "), "{text}");
    }
    assert!(lines[2].ends_with("its input is called \"images\", but input.name is \"image\""), "{text}");
}

/// Never the processor in silence: the libraries that the tests run with have no such provider.
#[test]
fn a_provider_that_is_not_there_is_an_error() {
    if !onnx_runtime() {
        return;
    }
    let folder = changed("\"1\"", "\"1\"");
    for provider in [Provider::Cuda, Provider::OpenVino] {
        match load(folder.path(), provider) {
            Err(error @ VisionError::Provider { .. }) => {
                let text = error.to_string();
                let start = format!(
                    "model \"bright-cells\": the execution provider \"{}\" cannot be used: ",
                    provider.as_str()
                );
                let remedy = "; install an ONNX Runtime built with it and its drivers, or set provider = \"cpu\" under [inference]";
                assert!(text.starts_with(&start) && text.ends_with(remedy) && !text.contains('\n'), "{text}");
            }
            Err(error) => panic!("another error: {error}"),
            Ok(model) => assert_eq!(model.provider(), provider, "a library that has it"),
        }
    }
}
