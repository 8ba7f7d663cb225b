//! `karaul models`: the model catalogue.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    config::{Inference, Provider},
    vision::{Manifest, Model, VisionError},
};

/// List or verify models.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

/// What to do with the catalogue.
#[derive(Clone, Debug, clap::Subcommand)]
enum Action {
    /// Print a table of the models
    List(Place),
    /// Check the files against their manifests, load each model and run it once
    Verify(Place),
}

#[derive(Clone, Debug, clap::Args)]
struct Place {
    /// Folder of models, or of one model
    #[arg(value_name = "DIR", default_value = "models")]
    folder: PathBuf,
    /// ONNX Runtime's shared library; otherwise ORT_DYLIB_PATH, then the system's
    #[arg(long, value_name = "FILE")]
    library: Option<PathBuf>,
}

/// Why `karaul models` failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The folder cannot be read.
    #[error("{}: cannot read the folder of models: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The folder has no model.
    #[error("{}: there is no model here; a model is a folder with a model.toml", .0.display())]
    Empty(PathBuf),
    /// Some models are not well; each was named when it was found.
    #[error("{failed} of {all} models cannot be used")]
    Models {
        /// How many cannot.
        failed: usize,
        /// How many there are.
        all: usize,
    },
    /// The table cannot be written.
    #[error("cannot write the table: {0}")]
    Write(#[from] io::Error),
}

/// Prints on the standard output.
///
/// # Errors
/// If there is no model, or one of them cannot be used.
pub fn run(args: &Args) -> Result<(), Error> {
    let out = &mut io::stdout().lock();
    match &args.action {
        Action::List(place) => list(&place.folder, out),
        Action::Verify(place) => verify(&place.folder, place.library.as_deref(), out),
    }
}

/// Prints a table of the models under `folder`.
///
/// # Errors
/// If there are none or a manifest cannot be used.
pub fn list(folder: &Path, out: &mut dyn Write) -> Result<(), Error> {
    const HEADER: [&str; 6] = ["MODEL", "VERSION", "INPUT", "CLASSES", "LICENCE", "FILE"];
    let (mut rows, mut problems) = (vec![HEADER.map(String::from)], Vec::new());
    for folder in folders(folder)? {
        match Manifest::load(&folder) {
            Ok(manifest) => rows.push(row(&manifest)),
            Err(problem) => problems.push(problem),
        }
    }
    let width = |column: usize| rows.iter().map(|r| r[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..HEADER.len()).map(width).collect();
    for row in &rows {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        writeln!(out, "{}", cells.join("  ").trim_end())?;
    }
    for problem in &problems {
        writeln!(out, "{problem}")?;
    }
    result(problems.len(), rows.len() - 1 + problems.len())
}

/// Checks each model under `folder` and says how it is, one line each.
///
/// # Errors
/// If there are none or one of them cannot be used.
pub fn verify(folder: &Path, library: Option<&Path>, out: &mut dyn Write) -> Result<(), Error> {
    let (mut failed, mut all) = (0, 0);
    for folder in folders(folder)? {
        all += 1;
        match verify_one(&folder, library) {
            Ok(line) => writeln!(out, "{line}")?,
            Err(problem) => {
                failed += 1;
                writeln!(out, "{problem}")?;
            }
        }
    }
    result(failed, all)
}

fn verify_one(folder: &Path, library: Option<&Path>) -> Result<String, VisionError> {
    let manifest = Manifest::load(folder)?;
    let settings = Inference {
        models: folder.to_owned(),
        library: library.map(Path::to_owned),
        provider: Provider::Cpu,
        sessions: Some(1),
    };
    let model = Model::load(&manifest, &settings)?;
    let [height, width] = manifest.input.size;
    model.run(&vec![0.0; 3 * height * width], |_| ())?;
    let time = model.counters().inference_time.as_secs_f64() * 1e3;
    Ok(format!("model \"{}\": well; one inference on the {} took {time:.1} ms", manifest.id, model.provider().as_str()))
}

/// The folder itself if it is a model's, otherwise those in it that are, by name.
fn folders(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let is_model = |folder: &Path| folder.join(Manifest::FILE).is_file();
    if is_model(folder) {
        return Ok(vec![folder.to_owned()]);
    }
    let failed = |source| Error::Folder { path: folder.to_owned(), source };
    let entries: Vec<_> = fs::read_dir(folder).and_then(Iterator::collect::<io::Result<_>>).map_err(failed)?;
    let mut folders: Vec<_> = entries.iter().map(fs::DirEntry::path).filter(|path| is_model(path)).collect();
    folders.sort();
    if folders.is_empty() { Err(Error::Empty(folder.to_owned())) } else { Ok(folders) }
}

fn row(manifest: &Manifest) -> [String; 6] {
    let [height, width] = manifest.input.size;
    let file = match fs::metadata(manifest.onnx()) {
        Ok(file) => format!("{:.1} MiB", file.len() as f64 / f64::from(1 << 20)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => format!("missing: {}", manifest.source),
        Err(e) => e.to_string(),
    };
    [
        manifest.id.clone(),
        manifest.version.clone(),
        format!("{width}x{height}"),
        manifest.labels.len().to_string(),
        manifest.licence.clone(),
        file,
    ]
}

fn result(failed: usize, all: usize) -> Result<(), Error> {
    if failed > 0 { Err(Error::Models { failed, all }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODELS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models");

    fn listed(folder: &Path) -> (String, Result<(), Error>) {
        let mut out = Vec::new();
        let result = list(folder, &mut out);
        (String::from_utf8(out).unwrap(), result)
    }

    #[test]
    fn the_shipped_manifests_are_well() {
        let (table, result) = listed(Path::new(MODELS));
        assert!(result.is_ok(), "{table}");
        for model in ["nanodet-m", "picodet-s", "yolox-nano"] {
            assert!(table.lines().any(|line| line.starts_with(model)), "{table}");
        }
    }

    #[test]
    fn a_missing_file_says_where_to_get_it() {
        let folder = tempfile::tempdir().unwrap();
        let model = folder.path().join("nanodet-m");
        fs::create_dir(&model).unwrap();
        fs::copy(Path::new(MODELS).join("nanodet-m/model.toml"), model.join("model.toml")).unwrap();
        let (table, result) = listed(folder.path());
        assert!(result.is_ok());
        let lines: Vec<_> = table.lines().collect();
        assert_eq!(lines[0], "MODEL      VERSION  INPUT    CLASSES  LICENCE     FILE");
        assert!(
            lines[1]
                .starts_with("nanodet-m  0.3-416  416x416  80       Apache-2.0  missing: https://github.com/DefTruth/"),
            "{table}"
        );
    }

    #[test]
    fn a_folder_without_models_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let (_, result) = listed(folder.path());
        let wanted =
            format!("{}: there is no model here; a model is a folder with a model.toml", folder.path().display());
        assert_eq!(result.expect_err("empty").to_string(), wanted);
    }

    #[test]
    fn a_wrong_manifest_does_not_hide_the_others() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("a", "id = 1"),
            ("picodet-s", &fs::read_to_string(Path::new(MODELS).join("picodet-s/model.toml")).unwrap()),
        ] {
            fs::create_dir(folder.path().join(name)).unwrap();
            fs::write(folder.path().join(name).join("model.toml"), text).unwrap();
        }
        let (table, result) = listed(folder.path());
        assert!(table.contains("picodet-s") && table.contains("a/model.toml:1 is not a model manifest"), "{table}");
        assert_eq!(result.expect_err("one is wrong").to_string(), "1 of 2 models cannot be used");
    }
}
