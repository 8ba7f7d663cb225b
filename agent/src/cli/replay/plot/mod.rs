//! A plot of a sweep: hits, misses and false alarms over the value.

mod bitmap;
mod layout;
mod vector;

use std::{
    fs, io,
    path::{Path, PathBuf},
    str::FromStr,
};

use super::{
    compare::Counts,
    draw::{Colour, Place},
};

/// Where a plot is written, and as what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: PathBuf,
    form: Form,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Svg,
    Png,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let path = PathBuf::from(text);
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let form = match ending.as_deref() {
            Some("svg") => Form::Svg,
            Some("png") => Form::Png,
            _ => return Err("let the name end in .svg or .png".to_owned()),
        };
        Ok(Self { path, form })
    }
}

/// What is plotted.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plot {
    /// Rule and key.
    pub(super) title: String,
    /// At least one, with rising values.
    pub(super) points: Vec<Point>,
    /// The value in the config, if it is known.
    pub(super) present: Option<f64>,
}

/// What came of one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Point {
    pub(super) value: f64,
    pub(super) shown: String,
    pub(super) counts: Counts,
}

/// What a plot is drawn with, whether it becomes an SVG or a PNG.
#[derive(Clone, Debug, PartialEq)]
enum Mark {
    Line { places: Vec<Place>, width: f32, colour: Colour },
    Dot { at: Place, radius: f32, colour: Colour },
    Box { from: Place, to: Place, colour: Colour },
    Text { at: Place, words: String, anchor: Anchor, colour: Colour },
}

/// Which part of a text is at its place; the place is at the middle of its height.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Anchor {
    Start,
    Middle,
    End,
}

/// Width and height of a plot in pixels.
const SIZE: (u16, u16) = (640, 360);

impl Plot {
    /// Writes it.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&self, to: &Target) -> Result<(), PlotError> {
        let failed = |source| PlotError { path: to.path.clone(), source };
        let marks = layout::marks(self);
        match to.form {
            Form::Svg => write(&to.path, vector::svg(&marks).as_bytes()).map_err(failed),
            Form::Png => bitmap::png(&marks).and_then(|bytes| write(&to.path, &bytes)).map_err(failed),
        }
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)
}

/// Why there is no plot.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the plot {path}: {source}")]
pub struct PlotError {
    path: PathBuf,
    source: io::Error,
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn plot() -> Plot {
        let point = |value: u8, hits, misses, false_alarms| Point {
            value: f64::from(value),
            shown: format!("{value}s"),
            counts: Counts { hits, misses, false_alarms },
        };
        Plot {
            title: "fence.dwell".to_owned(),
            points: vec![point(1, 6, 0, 4), point(2, 6, 0, 1), point(5, 3, 3, 0)],
            present: Some(2.0),
        }
    }

    #[test]
    fn the_ending_says_what_it_becomes() {
        let target = |text: &str| text.parse::<Target>().map(|target| target.form);
        assert_eq!((target("a.svg"), target("b/a.PNG")), (Ok(Form::Svg), Ok(Form::Png)));
        assert_eq!(target("a.pdf"), Err("let the name end in .svg or .png".to_owned()));
    }

    #[test]
    fn both_kinds_of_file_are_written() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str| plot().write(&folder.path().join(name).to_str().unwrap().parse().unwrap());
        write("a.svg").unwrap();
        write("a.png").unwrap();
        assert!(fs::read_to_string(folder.path().join("a.svg")).unwrap().starts_with("<svg "));
        let png = image::load_from_memory(&fs::read(folder.path().join("a.png")).unwrap()).unwrap();
        assert_eq!((png.width(), png.height()), (640, 360));
        let error = write("no/such/a.svg").unwrap_err().to_string();
        assert!(error.ends_with("no/such/a.svg: No such file or directory (os error 2)"), "{error}");
    }
}
