use std::{
    fs, io,
    path::{Path, PathBuf},
};

use karaul_wire::Segment;

use crate::{
    config::{Camera, RuleKind},
    disk::{self, Checked, checksum, read_checked, write_checked},
    sight::Memory,
};

/// A file of a learnt view is no larger: four kinds of light take a tenth of it.
const LARGEST: u64 = 4 << 20;

/// Where what was learnt of a camera's view is kept, so that a camera that is turned while the box is off is noticed.
/// A checked file: JSON, and what was drawn on the view.
pub(super) struct KeptView {
    path: PathBuf,
    /// What was drawn on the view. Who draws anew has looked at the view and accepts it.
    drawing: String,
}

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
    pub(super) fn read(&self, camera: &Segment) -> Option<Memory> {
        match self.content() {
            Ok(Some(Content::Same(memory))) => Some(memory),
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
        let Some(Checked { line, word: drawing }) = read_checked(&self.path, LARGEST)? else { return Ok(None) };
        if drawing != self.drawing {
            return Ok(Some(Content::DrawnAnew));
        }
        Memory::from_json(&line).map(|memory| Some(Content::Same(memory))).ok_or(Damage::Content)
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
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        write_checked(&self.path, json, &self.drawing)
    }
}

enum Content {
    Same(Memory),
    DrawnAnew,
}

/// The zones and lines of all rules, and where the picture comes from.
fn drawing(camera: &Camera) -> String {
    let mut text = camera.url.to_string();
    for rule in &camera.rules {
        match &rule.kind {
            RuleKind::Intrusion { polygon, .. } => text += &format!("{:?}", polygon.corners()),
            RuleKind::LineCrossing { points, .. } => text += &format!("{points:?}"),
        }
    }
    checksum(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(folder: &Path, drawing: &str) -> KeptView {
        KeptView { path: folder.join("views/gate.view"), drawing: drawing.to_owned() }
    }

    #[test]
    fn it_comes_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let gate: Segment = "gate".parse().unwrap();
        let view = kept(folder.path(), "ab12");
        assert_eq!(view.read(&gate), None);
        let memory = Memory::from_json(r#"{"references":[],"quiet":{"fewest":[3,null],"watched":[9,0]}}"#).unwrap();
        view.write(&gate, &memory);
        assert_eq!(view.read(&gate), Some(memory.clone()));
        assert_eq!(kept(folder.path(), "cd34").read(&gate), None, "zones were drawn anew");

        let text = fs::read_to_string(&view.path).unwrap();
        for damaged in
            [text.replace("[9,0]", "[8,0]"), text[..text.len() / 2].to_owned(), String::new(), "\n x".to_owned()]
        {
            fs::write(&view.path, damaged).unwrap();
            assert_eq!(view.read(&gate), None);
        }
        write_checked(&view.path, "{}", "ab12").unwrap();
        assert_eq!(view.content().err().unwrap().to_string(), "it is no learnt view");
        fs::File::create(&view.path).unwrap().set_len(LARGEST + 1).unwrap();
        assert_eq!(view.content().err().unwrap().to_string(), "it is larger than 4194304 bytes");
    }
}
