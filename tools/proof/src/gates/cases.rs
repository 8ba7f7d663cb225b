//! What is looked at.

use std::{
    fs,
    path::{Path, PathBuf},
};

use karaul_simulator::peer::Clip;

use super::Options;
use crate::error::ProofError;

/// Pictures a second of rendered scenes, and how many: a minute.
const RATE: u32 = 12;
const PICTURES: u32 = 60 * RATE;

/// Scenes of a minute each. In some of them nothing is to be found.
const SCENES: [&str; 34] = [
    "yard,light=day",
    "creep,light=night",
    "yard,light=night,effect=rain",
    "yard,light=night",
    "yard,light=day,effect=rain",
    "yard,light=day,effect=wind",
    "yard,light=day,effect=fog",
    "yard,light=day,effect=lightning",
    "yard,light=day,effect=light-switch",
    "yard,light=day,effect=bus",
    "yard,light=night,effect=wind",
    "yard,light=night,effect=light-switch",
    "yard,light=night,effect=lightning",
    "yard,light=cycle",
    "creep,light=day",
    "creep,light=day,effect=rain",
    "creep,light=day,effect=wind",
    "creep,light=night,effect=rain",
    "creep,light=night,effect=wind",
    "creep,light=night,effect=light-switch",
    "empty,light=night",
    "empty,light=day,effect=wind",
    "empty,light=night,effect=rain",
    "empty,light=night,effect=lightning",
    "1,light=day",
    "2,light=night",
    "3,light=day,effect=wind",
    "4,light=night,effect=rain",
    "5,light=day,effect=light-switch",
    "6,light=day",
    "7,light=night",
    "8,light=day,effect=fog",
    "9,light=day",
    "10,light=night,effect=wind",
];

/// With `--quick` only the first of them.
const QUICK: usize = 3;

/// A recording.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) file: PathBuf,
}

/// The scenes, rendered and encoded into files in `folder`, and the clips.
pub(super) fn all(options: &Options, folder: &Path) -> Result<Vec<Case>, ProofError> {
    let mut cases = Vec::new();
    let count = match (options.no_scenes, options.quick) {
        (true, _) => 0,
        (false, true) => QUICK,
        (false, false) => SCENES.len(),
    };
    for (number, scene) in SCENES.iter().enumerate().take(count) {
        let mount = format!("/scene=scene:{scene},size=640x360,fps={RATE}").parse().map_err(ProofError::client)?;
        let file = folder.join(format!("{number}.mkv"));
        Clip::of(&mount, PICTURES).and_then(|clip| clip.record(&file)).map_err(ProofError::client)?;
        cases.push(Case { name: (*scene).to_owned(), file });
    }
    if let Some(clips) = &options.clips {
        karaul::camera::init()?;
        let mut folders = vec![clips.clone()];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files.sort();
        let name = |file: &Path| file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        cases.extend(files.into_iter().map(|file| Case { name: name(&file), file }));
    }
    Ok(cases)
}
