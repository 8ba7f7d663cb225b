//! Bad input of every kind ends in one clear sentence, and disturbs nobody else.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use karaul_stage::{Agent, Broker, Heard, Program, Simulator, Subscriber, binary};
use karaul_tests::{TestSite, any_of, delivered, repository};
use karaul_wire::{BlindReason, BoxState, CameraState, CameraStatus, Phase};

fn karaul(args: &[&str]) -> Output {
    Command::new(binary("karaul")).args(args).output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn opened(heard: &[Heard], camera: &str) -> bool {
    heard.iter().any(|h| {
        matches!(h, Heard::Alert(a) if a.data.location.camera.as_str() == camera && a.data.incident.phase == Phase::Open)
    })
}

/// The demonstration model under three names: whole, as a text file, and with a manifest
/// that promises another shape.
fn models() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let yard = repository("models/yard-nano");
    let manifest = fs::read_to_string(yard.join("model.toml")).unwrap();
    let add = |name: &str, manifest: &str, onnx: &[u8]| {
        let target = folder.path().join(name);
        fs::create_dir(&target).unwrap();
        fs::write(target.join("model.toml"), manifest).unwrap();
        fs::write(target.join("model.onnx"), onnx).unwrap();
    };
    let onnx = fs::read(yard.join("model.onnx")).unwrap();
    add("yard-nano", &manifest, &onnx);
    let text = b"This is no model.\n";
    let hash = "8ab39ee19d5d35bca36dc2e33a4ac3eef7b2a20c5dcbb3f1a9b1f5f1e6f2d6d7";
    let sha = manifest.lines().find(|l| l.starts_with("sha256")).unwrap().to_owned();
    let renamed = |name: &str| manifest.replace("id = \"yard-nano\"", &format!("id = \"{name}\""));
    add("not-theirs", &renamed("not-theirs").replace(&sha, &format!("sha256 = \"{hash}\"")), &onnx);
    add("text", &renamed("text").replace(&sha, &format!("sha256 = \"{}\"", sha256(text))), text);
    add("other-shape", &renamed("other-shape").replace("size = [192, 320]", "size = [320, 320]"), &onnx);
    folder
}

fn sha256(bytes: &[u8]) -> String {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    let output = Command::new("sha256sum").arg(file.path()).output().unwrap();
    String::from_utf8_lossy(&output.stdout).split_whitespace().next().unwrap().to_owned()
}

#[test]
fn each_bad_camera_says_why_and_the_good_one_goes_on() {
    let models = models();
    let rule = any_of(&["person"]);
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let open = Simulator::start(0, &["/yard=scene:yard".to_owned()], &[]).unwrap();
    let locked =
        Simulator::start(0, &["/yard=pattern".to_owned()], &["--user", "viewer", "--password", "right"]).unwrap();
    let url = open.urls[0].as_str();
    let nobody = format!("rtsp://127.0.0.1:{}/yard", karaul_stage::free_port().unwrap());
    let mut site = TestSite::with_models(&broker.url(), models.path())
        .camera("good", url, "yard-nano", &rule)
        .camera("refused", &nobody, "yard-nano", &rule)
        .camera("not-found", &format!("{url}-not"), "yard-nano", &rule)
        .camera("text", url, "text", &rule)
        .camera("other-shape", url, "other-shape", &rule)
        .camera("not-theirs", url, "not-theirs", &rule);
    let secret = site.file("password");
    fs::write(&secret, "swordfish\n").unwrap();
    let login = format!("username = \"viewer\"\npassword = \"file:{}\"\n{rule}", secret.display());
    site = site.camera("locked", &locked.urls[0], "yard-nano", &login);
    let mut agent = Agent::start(&site.write()).unwrap();

    let bad = ["refused", "not-found", "text", "other-shape", "not-theirs", "locked"];
    let blind = |heard: &[Heard]| -> BTreeMap<String, CameraStatus> {
        let status = |h: &Heard| match h {
            Heard::Camera(id, status) if status.state == CameraState::Blind => Some((id.clone(), status.clone())),
            _ => None,
        };
        heard.iter().filter_map(status).collect()
    };
    let all_blind = |blind: &BTreeMap<String, CameraStatus>| bad.iter().all(|id| blind.contains_key(*id));
    let mut heard =
        subscriber.collect(Duration::from_secs(40), |heard| all_blind(&blind(heard)) && opened(heard, "good"));
    assert!(opened(&heard, "good"), "the good camera gave no alert");
    let blind = blind(&heard);
    // The good one may have been slow to give its first picture, but it went on.
    assert!(all_blind(&blind), "{:?}", blind.keys());
    let detail = |id: &str| blind[id].detail.clone().unwrap_or_default();
    for id in ["refused", "not-found", "locked"] {
        assert_eq!(blind[id].reason, Some(BlindReason::Offline), "{id}: {}", detail(id));
        assert!(detail(id).contains("rtsp://127.0.0.1:"), "{id}: {}", detail(id));
    }
    for id in ["text", "other-shape", "not-theirs"] {
        assert_eq!(blind[id].reason, Some(BlindReason::Model), "{id}: {}", detail(id));
        assert!(detail(id).contains("model.onnx"), "{id}: {}", detail(id));
    }
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    let stopped = |h: &Heard| matches!(h, Heard::Box(s) if s.state == BoxState::Stopped);
    heard.extend(subscriber.collect(Duration::from_secs(5), |heard| heard.iter().any(stopped)));
    assert_eq!(delivered(&heard).and_all_sent(&site.file("state")).faults, Vec::<String>::new());
    let mut log = String::new();
    while let Some(line) = agent.program.line(Duration::from_millis(200)) {
        log += &line;
        log.push('\n');
    }
    assert!(!log.contains("swordfish") && !detail("locked").contains("swordfish"), "the password is in the log");
    assert!(!log.contains("panicked"), "{log}");
    assert!(!log.contains('\x1b'), "colours in a log that no terminal shows: {log:?}");
    for id in bad {
        assert!(log.lines().any(|line| line.contains(id)), "{id} is not in the log:\n{log}");
        eprintln!("{id}: {}", detail(id));
    }
}

#[test]
fn wrong_arguments_end_with_64_and_help_with_0() {
    for (arguments, code) in [(&["run"][..], 64), (&["rnu"], 64), (&[], 64), (&["--help"], 0), (&["--version"], 0)] {
        assert_eq!(karaul(arguments).status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_bad_config_ends_with_64_and_every_problem() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("site.toml");
    fs::write(&config, "[site]\nregion = \"Almaty\"\n[broker]\nurl = \"http://x\"\n").unwrap();
    for command in [&["run", "--config"][..], &["check"][..]] {
        let output = karaul(&[command, &[config.to_str().unwrap()]].concat());
        assert_eq!(output.status.code(), Some(64), "{command:?}");
        let said = stderr(&output) + &String::from_utf8_lossy(&output.stdout);
        assert!(said.contains("Almaty") && said.contains("broker") && said.contains("camera"), "{said}");
    }
}

#[test]
fn a_recording_that_is_none_or_is_cut_off_is_named() {
    let site =
        TestSite::new("mqtt://127.0.0.1:1").camera("yard", "rtsp://192.0.2.1/", "yard-nano", &any_of(&["person"]));
    let config = site.write();
    let replay = |camera: &str, file: &Path| {
        karaul(&["replay", "--config", config.to_str().unwrap(), "--camera", camera, file.to_str().unwrap()])
    };
    let text = site.file("clip.mp4");
    fs::write(&text, "This is no video.\n").unwrap();
    for (camera, file, code, wanted) in [
        ("yard", text.as_path(), 1, "clip.mp4"),
        ("yard", &site.file("missing.mp4"), 1, "missing.mp4"),
        ("gate", &text, 64, "the config has no camera 'gate'; it has: yard"),
    ] {
        let output = replay(camera, file);
        assert_eq!(output.status.code(), Some(code));
        let said = stderr(&output);
        let sentences = said.lines().filter(|line| line.starts_with("karaul: ")).count();
        assert_eq!(sentences, 1, "{said}");
        assert!(said.contains(wanted), "{said}");
    }
}

/// A file system of half a megabyte that fills up. Making one needs root.
#[test]
fn a_full_disk_stops_no_alert() {
    let folder = tempfile::tempdir().unwrap();
    let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", "size=512k", "tmpfs"]).arg(folder.path()).output();
    if !mounted.is_ok_and(|o| o.status.success()) {
        eprintln!("skipped: only root can make a small file system");
        return;
    }
    let _unmount = Unmount(folder.path());
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let simulator = Simulator::start(0, &["/yard=scene:yard".to_owned()], &[]).unwrap();
    let site = TestSite::new(&broker.url()).camera("yard", &simulator.urls[0], "yard-nano", &any_of(&["person"]));
    let config = site.write();
    let state = format!("path = \"{}\"", site.file("state").display());
    let full = fs::read_to_string(&config).unwrap().replace(&state, &format!("path = \"{}\"", folder.path().display()));
    fs::write(&config, full).unwrap();

    let mut agent = Agent::start(&config).unwrap();
    subscriber.collect(Duration::from_secs(30), |h| h.iter().any(|h| matches!(h, Heard::Camera(..))));
    // Whoever fills the disk is somebody else; what it takes is what is left.
    let _filler = Command::new("dd")
        .args(["if=/dev/zero", "bs=4k"])
        .arg(format!("of={}/filler", folder.path().display()))
        .output();
    let heard = subscriber.collect(Duration::from_secs(70), |h| opened(h, "yard"));
    assert!(opened(&heard, "yard"), "no alert with a full disk");
    agent.program.stop(Duration::from_secs(10)).unwrap().expect("it stops");
    let mut log = Vec::new();
    while let Some(line) = agent.program.line(Duration::from_millis(200)) {
        log.push(line);
    }
    let told = log.iter().filter(|line| line.contains("ERROR")).collect::<Vec<_>>();
    assert!(told.iter().any(|line| line.contains(&folder.path().display().to_string())), "nobody said so: {log:#?}");
    assert!(told.len() < 20, "said too often: {told:#?}");
}

struct Unmount<'a>(&'a Path);

impl Drop for Unmount<'_> {
    fn drop(&mut self) {
        // Lazily: the agent may still hold a file for a moment.
        if let Ok(mut program) = Program::start(Command::new("umount").arg("-l").arg(self.0)) {
            let _ = program.wait(Duration::from_secs(5));
        }
    }
}
