use std::{
    fs, io,
    path::{Path, PathBuf},
};

use karaul_wire::Segment;

use crate::{
    disk::{self, folder_of, read_checked, write_checked},
    incident::Fixtures,
};

/// Far above what 64 of them need; keeps a wrong file from filling the memory.
const LARGEST: u64 = 256 << 10;

/// Where the false alarms that operators have named at a camera are kept over restarts. A checked file of JSON.
pub(super) struct KeptFixtures {
    camera: Segment,
    path: PathBuf,
}

/// Why a file is of no use.
#[derive(Debug, thiserror::Error)]
enum Damage {
    #[error("{0}")]
    File(#[from] disk::Damage),
    #[error("it is no list of false alarms ({0})")]
    Json(#[from] serde_json::Error),
}

impl KeptFixtures {
    pub(super) fn of(folder: &Path, camera: &Segment) -> Self {
        Self { camera: camera.clone(), path: folder.join("fixtures").join(format!("{camera}.json")) }
    }

    /// What was named in another run. From a file that is of no use nothing is taken: then it alarms once more.
    pub(super) fn read(&self) -> Fixtures {
        self.content().unwrap_or_else(|why| {
            tracing::warn!(
                camera = %self.camera,
                "the known false alarms in {} are of no use: {why}; each is raised once more",
                self.path.display()
            );
            Fixtures::default()
        })
    }

    fn content(&self) -> Result<Fixtures, Damage> {
        let Some(checked) = read_checked(&self.path, LARGEST)? else { return Ok(Fixtures::default()) };
        Ok(serde_json::from_str(&checked.line)?)
    }

    /// Writes it whole: after a power cut the file is the old one or the new one.
    pub(super) fn write(&self, fixtures: &Fixtures) {
        if let Err(error) = self.try_write(fixtures) {
            tracing::warn!(
                camera = %self.camera,
                "the known false alarms cannot be kept in {}: {error}; after a restart each is raised once more",
                self.path.display()
            );
        }
    }

    fn try_write(&self, fixtures: &Fixtures) -> io::Result<()> {
        fs::create_dir_all(folder_of(&self.path))?;
        write_checked(&self.path, &serde_json::to_string(fixtures)?, "")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_back_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let kept = KeptFixtures::of(folder.path(), &"gate".parse().unwrap());
        assert!(kept.read().is_empty());
        let one =
            r#"{"rule":"night","drawn":"ab12","class":"person","box":[0.4,0.4,0.1,0.3],"seen":"2026-11-22T02:14:07Z"}"#;
        let fixtures: Fixtures = serde_json::from_str(&format!(r#"{{"list":[{one}]}}"#)).unwrap();
        kept.write(&fixtures);
        assert_eq!(kept.read(), fixtures);
        assert!(KeptFixtures::of(folder.path(), &"yard".parse().unwrap()).read().is_empty());

        let text = fs::read_to_string(&kept.path).unwrap();
        for damaged in [text.replace("night", "light"), text[..text.len() / 2].to_owned(), String::new()] {
            fs::write(&kept.path, damaged).unwrap();
            assert!(kept.read().is_empty());
        }
        write_checked(&kept.path, "7", "").unwrap();
        let why = kept.content().unwrap_err().to_string();
        assert!(why.starts_with("it is no list of false alarms (invalid type: integer `7`"), "{why}");
    }
}
