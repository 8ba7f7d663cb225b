use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use karaul_wire::Segment;
use sha2::{Digest, Sha256};

use crate::{
    config::Camera,
    disk::{self, Checked, folder_of, read_checked, write_checked},
    rules::geometry::Point,
    sight::Memory,
};

/// A file of a learnt view is no larger: eight references take a quarter of it at most.
const LARGEST: u64 = 4 << 20;

/// Where what was learnt of a camera's view is kept, so that a camera that is turned while the box is off is noticed.
/// A checked file: JSON, and what was drawn on the view.
pub(super) struct KeptView {
    path: PathBuf,
    drawing: Drawing,
}

/// The zones and lines on a view, each as a part of its SHA-256. Who draws one that was not there has looked at the view
/// and accepts it; one that is not used any more, or by another rule, says nothing. Nor does another URL: whether it is
/// another camera is seen in the picture.
type Drawing = BTreeSet<String>;

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("{0}")]
    File(#[from] disk::Damage),
    #[error("it is no learnt view")]
    Content,
}

impl KeptView {
    pub(super) fn of(folder: &Path, camera: &Camera) -> Self {
        let path = folder.join("views").join(format!("{}.view", camera.id));
        Self { path, drawing: drawing(camera) }
    }

    /// What was learnt in another run; `None` if nothing was, or zones or lines have been drawn anew since.
    pub(super) fn read(&mut self, camera: &Segment) -> Option<Memory> {
        match self.content() {
            Ok(Some(Content::Same(memory, drawing))) => {
                // A rule that is taken out and put in again is not drawn anew.
                self.drawing = drawing;
                Some(memory)
            }
            Ok(Some(Content::DrawnAnew)) => {
                tracing::info!(%camera, "zones or lines were drawn anew: the view is learnt anew");
                None
            }
            Ok(None) => None,
            Err(why) => {
                tracing::warn!(%camera, "the learnt view in {} is of no use: {why}; it is learnt anew", self.path.display());
                None
            }
        }
    }

    fn content(&self) -> Result<Option<Content>, Damage> {
        let Some(Checked { line, words }) = read_checked(&self.path, LARGEST)? else { return Ok(None) };
        let drawing: Drawing = words.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect();
        if !self.drawing.is_subset(&drawing) {
            return Ok(Some(Content::DrawnAnew));
        }
        Memory::from_json(&line).map(|memory| Some(Content::Same(memory, drawing))).ok_or(Damage::Content)
    }

    /// Writes it whole: after a power cut the file is the old one or the new one.
    pub(super) fn write(&self, camera: &Segment, memory: &Memory) {
        if let Err(error) = self.try_write(&memory.to_json()) {
            tracing::warn!(
                %camera,
                "the learnt view cannot be kept in {}: {error}; after a restart it is learnt anew",
                self.path.display()
            );
        }
    }

    fn try_write(&self, json: &str) -> io::Result<()> {
        fs::create_dir_all(folder_of(&self.path))?;
        let words: Vec<&str> = self.drawing.iter().map(String::as_str).collect();
        write_checked(&self.path, json, &words.join(" "))
    }
}

enum Content {
    Same(Memory, Drawing),
    DrawnAnew,
}

/// The zones and lines of all rules. Where a shape begins and which way a line runs makes it no other.
fn drawing(camera: &Camera) -> Drawing {
    let shape = |points: &[Point]| {
        let mut points: Vec<_> = points.iter().map(|point| format!("{point:?}")).collect();
        points.sort_unstable();
        hex::encode(&Sha256::digest(points.concat())[..8])
    };
    let zones = camera.rules.iter().filter_map(|rule| rule.kind.zone()).map(|zone| shape(zone.polygon.corners()));
    let lines = camera.rules.iter().filter_map(|rule| rule.kind.line()).map(|line| shape(line.path.points()));
    zones.chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path, drawing: &[&str]) -> KeptView {
        let drawing = drawing.iter().copied().map(str::to_owned).collect();
        KeptView { path: folder.join("views/gate.view"), drawing }
    }

    #[test]
    fn it_comes_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let gate: Segment = "gate".parse().unwrap();
        let mut view = kept(folder.path(), &["ab12", "cd34"]);
        assert_eq!(view.read(&gate), None);
        let memory = Memory::from_json(r#"{"references":[],"quiet":{"fewest":[3,null],"watched":[9,0]}}"#).unwrap();
        view.write(&gate, &memory);
        assert_eq!(view.read(&gate), Some(memory.clone()));
        let read = |drawing: &[&str]| kept(folder.path(), drawing).read(&gate).is_some();
        assert!(read(&["cd34"]) && read(&[]), "a zone is not used any more");
        assert!(!read(&["ef56"]) && !read(&["ab12", "cd34", "ef56"]), "a zone was drawn anew");
        let mut fewer = kept(folder.path(), &["cd34"]);
        let memory = fewer.read(&gate).unwrap();
        fewer.write(&gate, &memory);
        assert!(read(&["ab12"]), "it is used again");

        let text = fs::read_to_string(&view.path).unwrap();
        for damaged in [
            text.replace("[9,0]", "[8,0]"),
            text.replace("cd34", "ef56"),
            text[..text.len() / 2].to_owned(),
            String::new(),
            "\n x".to_owned(),
        ] {
            fs::write(&view.path, damaged).unwrap();
            assert_eq!(view.read(&gate), None);
        }
        write_checked(&view.path, "{}", "ab12 cd34").unwrap();
        assert_eq!(view.content().err().unwrap().to_string(), "it is no learnt view");
        fs::File::create(&view.path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(view.content().err().unwrap().to_string(), "it is larger than 4194304 bytes");
    }
}
