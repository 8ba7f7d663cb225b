//! Which recordings are replayed, as which camera, and what is expected of them.

mod error;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;

use super::expected::{Entry, Event, Expected};
use crate::config::{Camera, Config};

pub(super) use error::ClipsError;

/// The file beside the clips of a folder.
const EXPECTED: &str = "expected.json";

/// By these endings a clip in a folder is known from other files.
const ENDINGS: [&str; 18] = [
    "mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "mts", "m2ts", "mpg", "mpeg", "h264", "264", "avc", "h265", "265",
    "hevc", "mjpeg",
];

/// One recording to replay.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Clip {
    pub(super) path: PathBuf,
    /// Its file name: what it is called in tables, and what the ids of its incidents are made of.
    pub(super) name: String,
    /// Index of the camera in the config.
    pub(super) camera: usize,
    /// When it begins, if that is known.
    pub(super) start: Option<Timestamp>,
    /// `None` if nobody has said.
    pub(super) expected: Option<Vec<Event>>,
}

/// What was asked for.
pub(super) struct Wish<'a> {
    pub(super) recordings: &'a [PathBuf],
    pub(super) camera: Option<&'a str>,
    pub(super) start: Option<Timestamp>,
    pub(super) expect: Option<&'a Path>,
}

/// A file that was asked for, and what is said of it.
struct Source {
    path: PathBuf,
    name: String,
    /// Which file says it.
    file: Option<PathBuf>,
    entry: Option<Entry>,
}

/// Finds out what to replay: files in the order given, a folder's clips in the order of their names.
pub(super) fn plan(wish: &Wish<'_>, config: &Config) -> Result<Vec<Clip>, ClipsError> {
    let given = wish.expect.map(|path| Expected::load(path).map(|expected| (path, expected))).transpose()?;
    let mut sources = Vec::new();
    for path in wish.recordings {
        if path.is_dir() {
            sources.extend(folder(path, given.as_ref().map(|(path, expected)| (*path, expected)))?);
        } else {
            sources.push(Source { path: path.clone(), name: name(path), file: None, entry: None });
        }
    }
    if let Some((file, expected)) = &given {
        if let (Expected::One(_), [first, _, ..]) = (expected, &*sources) {
            let (count, clip) = (sources.len(), first.name.clone());
            return Err(ClipsError::ListForSeveral { file: (*file).to_owned(), count, clip });
        }
        for source in sources.iter_mut().filter(|source| source.entry.is_none()) {
            let entry = expected.entry(&source.name);
            let missing = || ClipsError::NoEntry { file: (*file).to_owned(), clip: source.name.clone() };
            source.entry = Some(entry.ok_or_else(missing)?);
            source.file = Some((*file).to_owned());
        }
    }
    sources.into_iter().map(|source| clip(source, wish, config)).collect()
}

/// The clips of a folder with what its file, or the one given instead, says of them.
fn folder(folder: &Path, given: Option<(&Path, &Expected)>) -> Result<Vec<Source>, ClipsError> {
    let clips = list(folder).map_err(|source| ClipsError::Folder { folder: folder.to_owned(), source })?;
    let Some(first) = clips.first() else {
        return Err(ClipsError::NoClip { folder: folder.to_owned(), endings: ENDINGS.join(", ") });
    };
    let beside = folder.join(EXPECTED);
    let own = match given {
        Some(_) => None,
        None if beside.exists() => Some(Expected::load(&beside)?),
        None => return Err(ClipsError::NothingExpected { folder: folder.to_owned(), clip: name(first) }),
    };
    let Some((file, expected)) = given.or(own.as_ref().map(|expected| (&*beside, expected))) else {
        return Ok(Vec::new());
    };
    let sources: Vec<Source> = clips
        .into_iter()
        .map(|path| Source {
            name: name(&path),
            file: Some(file.to_owned()),
            entry: expected.entry(&name(&path)),
            path,
        })
        .collect();
    match expected {
        // It is for one recording; that there are not several is looked at with all that were asked for.
        Expected::One(_) if sources.len() > 1 => {
            let (count, clip) = (sources.len(), sources[0].name.clone());
            return Err(ClipsError::ListForSeveral { file: file.to_owned(), count, clip });
        }
        Expected::One(_) => {}
        // One that was given may be for several folders.
        Expected::Clips(entries) if given.is_none() => {
            let stray = entries.iter().find(|(known, _)| sources.iter().all(|source| source.name != *known));
            if let Some((clip, _)) = stray {
                let (file, folder, clip) = (file.to_owned(), folder.to_owned(), clip.clone());
                return Err(ClipsError::NotThere { file, clip, folder });
            }
        }
        Expected::Clips(_) => {}
    }
    match sources.iter().find(|source| source.entry.is_none()) {
        Some(source) => Err(ClipsError::NoEntry { file: file.to_owned(), clip: source.name.clone() }),
        None => Ok(sources),
    }
}

fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut clips = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        if ending.is_some_and(|ending| ENDINGS.contains(&&*ending)) && path.is_file() {
            clips.push(path);
        }
    }
    clips.sort();
    Ok(clips)
}

fn clip(source: Source, wish: &Wish<'_>, config: &Config) -> Result<Clip, ClipsError> {
    let Source { path, name, file, entry } = source;
    let (said, start, expected) = match entry {
        Some(entry) => (entry.camera, entry.start, Some(entry.expected)),
        None => (None, None, None),
    };
    let asker = || said.as_ref().map_or_else(String::new, |_| format!("{name}: "));
    let index = match (said.as_deref().or(wish.camera), &*config.cameras) {
        (Some(id), cameras) => cameras.iter().position(|camera| camera.id.as_str() == id).ok_or_else(|| {
            ClipsError::NoCamera { asker: asker(), camera: id.to_owned(), known: ids(&config.cameras) }
        })?,
        (None, [_]) => 0,
        (None, _) => return Err(ClipsError::WhichCamera { clip: name, known: ids(&config.cameras) }),
    };
    let camera = &config.cameras[index];
    let unknown = expected.iter().flatten().find(|e| camera.rules.iter().all(|rule| rule.id.as_str() != e.rule));
    if let Some((event, file)) = unknown.zip(file) {
        let known: Vec<&str> = camera.rules.iter().map(|rule| rule.id.as_str()).collect();
        return Err(ClipsError::NoRule {
            file,
            clip: name,
            camera: camera.id.to_string(),
            rule: event.rule.clone(),
            known: if known.is_empty() { "none".to_owned() } else { known.join(", ") },
        });
    }
    Ok(Clip { path, name, camera: index, start: start.or(wish.start), expected })
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn ids(cameras: &[Camera]) -> String {
    cameras.iter().map(|camera| camera.id.as_str()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sample;

    const CAMERA: &str = r#"
url = "rtsp://192.0.2.1/"
model = "yard-nano"
purpose = "test"
[camera.zone.yard]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[camera.rule]]
id = "yard"
kind = "intrusion"
zone = "yard"
classes = ["person"]
"#;

    /// A folder with a site of these cameras, and these files.
    struct Case(tempfile::TempDir, Config);

    impl Case {
        fn new(cameras: &[&str], files: &[(&str, &str)]) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let cameras: String = cameras.iter().map(|id| format!("[[camera]]\nid = \"{id}\"{CAMERA}")).collect();
            let config = sample::load(folder.path(), &(sample::head("Asia/Almaty", &["en"]) + &cameras));
            fs::create_dir(folder.path().join("clips")).unwrap();
            for (name, text) in files {
                fs::write(folder.path().join("clips").join(name), text).unwrap();
            }
            Self(folder, config)
        }

        fn plan(&self, recordings: &[&str], camera: Option<&str>, expect: Option<&str>) -> Result<Vec<Clip>, String> {
            let recordings: Vec<PathBuf> = recordings.iter().map(|path| self.0.path().join(path)).collect();
            let expect = expect.map(|path| self.0.path().join(path));
            let wish = Wish { recordings: &recordings, camera, start: None, expect: expect.as_deref() };
            let shorter = |error: ClipsError| error.to_string().replace(&format!("{}/", self.0.path().display()), "");
            plan(&wish, &self.1).map_err(shorter)
        }
    }

    fn says(files: &[(&str, &str)], recordings: &[&str], camera: Option<&str>, expect: Option<&str>) -> String {
        Case::new(&["gate", "roof"], files).plan(recordings, camera, expect).unwrap_err()
    }

    #[test]
    fn a_folder_has_its_clips_in_order_with_what_is_said_of_them() {
        let expected = r#"{ "clips": {
            "b.MKV": { "camera": "roof", "start": "1970-01-01T00:00:05Z", "expected": [] },
            "a.mp4": { "expected": [ { "rule": "yard", "at_s": 3 } ] } } }"#;
        let files = [("b.MKV", ""), ("a.mp4", ""), ("notes.txt", ""), ("expected.json", expected)];
        let case = Case::new(&["gate", "roof"], &files);
        let clips = case.plan(&["clips", "clips/a.mp4"], Some("gate"), None).unwrap();
        let told: Vec<_> = clips
            .iter()
            .map(|clip| {
                (
                    &*clip.name,
                    clip.camera,
                    clip.start.map(|start| start.as_second()),
                    clip.expected.as_ref().map(Vec::len),
                )
            })
            .collect();
        assert_eq!(
            told,
            [("a.mp4", 0, None, Some(1)), ("b.MKV", 1, Some(5), Some(0)), ("a.mp4", 0, None, None)],
            "one that is named by itself is only replayed"
        );
        let clips = case.plan(&["clips/a.mp4"], Some("gate"), Some("clips/expected.json")).unwrap();
        assert_eq!(clips[0].expected.as_ref().map(Vec::len), Some(1), "unless its expectations are named as well");
        // With one camera nobody has to say which.
        let case = Case::new(&["gate"], &[]);
        assert_eq!(case.plan(&["any.mp4"], None, None).unwrap()[0].camera, 0);
    }

    #[test]
    fn what_is_not_said_or_not_there_is_told_with_the_remedy() {
        let clips = &["clips"][..];
        assert_eq!(
            says(&[("a.mp4", "")], clips, None, None),
            "clips: there is no expected.json beside the clips; write one: { \"clips\": { \"a.mp4\": { \"expected\": [] } } }, \
             which says that nothing may happen, or name the clips one by one"
        );
        assert_eq!(
            says(&[], clips, None, None),
            "clips: there is no clip in it; clips are known by their endings: mp4, m4v, mov, mkv, webm, avi, ts, mts, m2ts, \
             mpg, mpeg, h264, 264, avc, h265, 265, hevc, mjpeg"
        );
        let said = ("expected.json", r#"{ "clips": { "a.mp4": { "expected": [] } } }"#);
        assert_eq!(
            says(&[("a.mp4", ""), ("b.mp4", ""), said], clips, None, None),
            "clips/expected.json says nothing of b.mp4; add \"b.mp4\": { \"expected\": [] } if nothing may happen in it, or what \
             is expected"
        );
        assert_eq!(
            says(&[("b.mp4", ""), said], clips, None, None),
            "clips/expected.json tells of a.mp4, which is not in clips; remove the entry, or put the clip there"
        );
        let list = ("expected.json", "[]");
        assert_eq!(
            says(&[("a.mp4", ""), ("b.mp4", ""), list], clips, None, None),
            "clips/expected.json is a list for one recording, and there are 2; write { \"clips\": { \"a.mp4\": { \"expected\": [ … ] } } }"
        );
        assert_eq!(
            says(&[list], &["a.mp4", "b.mp4"], None, Some("clips/expected.json")),
            "clips/expected.json is a list for one recording, and there are 2; write { \"clips\": { \"a.mp4\": { \"expected\": [ … ] } } }"
        );
    }

    #[test]
    fn cameras_and_rules_that_do_not_exist_are_told_with_those_that_do() {
        let clips = &["clips"][..];
        let with = |entry: &str| {
            let expected = format!(r#"{{ "clips": {{ "a.mp4": {entry} }} }}"#);
            says(&[("a.mp4", ""), ("expected.json", &*expected)], clips, None, None)
        };
        assert_eq!(
            with(r#"{ "expected": [] }"#),
            "a.mp4: which camera is it of? Give --camera ID, or \"camera\": \"ID\" in expected.json; there are: gate, roof"
        );
        assert_eq!(
            with(r#"{ "camera": "door", "expected": [] }"#),
            "a.mp4: the config has no camera 'door'; it has: gate, roof"
        );
        assert_eq!(
            with(r#"{ "camera": "gate", "expected": [ { "rule": "yrad", "at_s": 1 } ] }"#),
            "clips/expected.json: a.mp4: camera 'gate' has no rule 'yrad'; it has: yard"
        );
        assert_eq!(says(&[], &["a.mp4"], Some("door"), None), "the config has no camera 'door'; it has: gate, roof");
    }
}
