//! `karaul replay` as an installer uses it: folders of clips, sweeps, films. The clips are rendered, so what happens in
//! them is known to the tenth of a second; one is real.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    time::Duration,
};

use jiff::Timestamp;
use karaul::{
    camera::{self, Film, Recording},
    evidence::to_rgb,
    vision::{Layout, Matrix, Planes, Range},
};
use karaul_scene::{EVENTS, EventKind, FENCE_LINE, I420Frame, Light, Scene, SceneOptions, Script, YARD_ZONE};
use karaul_stage::binary;
use karaul_tests::{FetchedModels, TestSite, data, onnx_runtime};
use serde_json::{Value, json};

/// Pictures a second of the rendered clips.
const FPS: u32 = 10;

/// Two persons cross the yard; each stays in it for 4.5 s. The fence is not crossed.
const CROSSERS: (u32, u32) = (38, 49);

/// Somebody comes in through the gate and stays.
const VISITOR: (u32, u32) = (57, 66);

fn rules() -> String {
    format!(
        r#"
[camera.zone.yard]
points = {YARD_ZONE:?}
[camera.line.fence]
points = {FENCE_LINE:?}
[[camera.rule]]
id = "yard"
kind = "intrusion"
zone = "yard"
classes = ["person"]
dwell = "1s"
cooldown = "0s"
[[camera.rule]]
id = "fence"
kind = "line_crossing"
line = "fence"
classes = ["person"]
"#
    )
}

fn site() -> TestSite {
    TestSite::new("mqtt://127.0.0.1:1").camera("gate", "rtsp://192.0.2.1/none", "yard-nano", &rules())
}

/// Renders seconds of the scene into a clip.
fn render(path: &Path, script: Script, (from, to): (u32, u32)) {
    camera::init().unwrap();
    let scene = Scene::new(SceneOptions { script, light: Light::Day, ..SceneOptions::default() }).unwrap();
    let (mut frame, mut film) = (I420Frame::default(), None);
    for n in 0..(to - from) * FPS {
        let at = Duration::from_secs(1) * n / FPS;
        scene.render(Duration::from_secs(from.into()) + at, &mut frame);
        let (width, height) = (frame.width, frame.height);
        let [y, u, v] = frame.planes();
        let layout = Layout::I420 { y, u, v, y_stride: width, u_stride: width / 2, v_stride: width / 2 };
        let planes = Planes { width, height, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        film.get_or_insert_with(|| Film::begin(path, &planes).unwrap()).add(at, &planes).unwrap();
    }
    film.unwrap().finish().unwrap();
}

/// When, in the clip, persons enter and leave the yard.
fn stays((from, to): (u32, u32)) -> Vec<(f64, f64)> {
    let period = 60.0;
    let within = |at: f64| (f64::from(from)..f64::from(to)).contains(&at);
    let time = |event: &karaul_scene::Event| {
        let at = event.at.as_secs_f64();
        if within(at) { at } else { at + period }
    };
    let entries = EVENTS.iter().filter(|event| event.kind == EventKind::ZoneEntry && within(time(event)));
    let stays = entries.map(|entry| {
        let exit = EVENTS.iter().find(|e| e.kind == EventKind::ZoneExit && e.object == entry.object).unwrap();
        let seconds = exit.at.as_secs_f64() - entry.at.as_secs_f64();
        let begin = time(entry) - f64::from(from);
        (begin, (begin + seconds).min(f64::from(to - from)))
    });
    stays.collect()
}

/// An intrusion for each stay, at some time in it.
fn intrusions(clip: (u32, u32)) -> Vec<Value> {
    stays(clip).into_iter().map(|(from, to)| json!({ "rule": "yard", "from_s": from, "to_s": to })).collect()
}

fn karaul(arguments: &[&str]) -> Output {
    Command::new(binary("karaul")).arg("replay").args(arguments).env_remove("KARAUL_LOG").output().unwrap()
}

fn said(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// A site, and beside it a folder of three clips with what is expected of them.
fn folder() -> (TestSite, String, String) {
    let site = site();
    let config = site.write();
    let clips = site.file("clips");
    fs::create_dir(&clips).unwrap();
    render(&clips.join("crossers.mp4"), Script::Yard, CROSSERS);
    render(&clips.join("visitor.mp4"), Script::Yard, VISITOR);
    render(&clips.join("empty.mp4"), Script::Empty, (0, 5));
    let mut visitor = intrusions(VISITOR);
    visitor.push(json!({ "rule": "fence", "at_s": 4.45, "tolerance_s": 1.5 }));
    let expected = json!({ "clips": {
        "crossers.mp4": { "expected": intrusions(CROSSERS) },
        "visitor.mp4": { "camera": "gate", "start": "2026-11-22T22:00:00+05:00", "expected": visitor },
        "empty.mp4": { "expected": [] },
    } });
    fs::write(clips.join("expected.json"), expected.to_string()).unwrap();
    (site, config.display().to_string(), clips.display().to_string())
}

#[test]
fn a_folder_of_clips_is_compared_swept_and_the_same_every_time() {
    if !onnx_runtime() {
        return;
    }
    let (site, config, clips) = folder();
    let run = karaul(&["--config", &config, &clips]);
    let (code, table, stderr) = said(&run);
    println!("{table}{stderr}");
    assert_eq!(code, Some(0));
    let lines: Vec<&str> = table.lines().collect();
    assert!(lines.contains(&"crossers.mp4 (gate): 2 hits, 0 misses, 0 false alarms"));
    assert!(lines.contains(&"empty.mp4 (gate): 0 hits, 0 misses, 0 false alarms"));
    assert!(lines.contains(&"visitor.mp4 (gate): 2 hits, 0 misses, 0 false alarms"));
    assert!(table.ends_with(
        "\n\
         camera  rule   hits  misses  false alarms  precision  recall\n\
         gate    fence     1       0             0      100 %   100 %\n\
         gate    yard      3       0             0      100 %   100 %\n\
         all               4       0             0      100 %   100 %\n\
         3 of 3 clips are as expected\n"
    ));

    // With the alerts, twice the same bytes; the table is on the other stream.
    let first = karaul(&["--config", &config, "--alerts", &clips]);
    let second = karaul(&["--config", &config, "--alerts", &clips]);
    assert!(first.stdout == second.stdout && first.stderr == second.stderr);
    assert!(said(&first).2.ends_with("3 of 3 clips are as expected\n"));
    let alerts: Vec<Value> = said(&first).1.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let opened = |recording: &str| {
        let of = alerts.iter().filter(|alert| alert["recording"] == recording);
        of.filter(|alert| alert["data"]["incident"]["phase"] == "open").count()
    };
    assert_eq!((opened("crossers.mp4"), opened("visitor.mp4"), opened("empty.mp4")), (2, 2, 0));
    let visitor = alerts.iter().find(|alert| alert["recording"] == "visitor.mp4").unwrap();
    assert!(visitor["time"].as_str().unwrap().starts_with("2026-11-22T17:00:0"), "its start is in expected.json");

    // What is not as expected is told, and is exit code 1.
    let expect = site.file("other.json");
    fs::write(&expect, r#"[{ "rule": "yard", "at_s": 9.0, "tolerance_s": 0.1 }]"#).unwrap();
    let clip = format!("{clips}/crossers.mp4");
    let (code, alerts, stderr) = said(&karaul(&["--config", &config, "--expect", expect.to_str().unwrap(), &clip]));
    assert_eq!((code, alerts.lines().filter(|line| line.contains("\"phase\":\"open\"")).count()), (Some(1), 2));
    assert!(stderr.contains("miss         yard                 expected 9.0 s ± 0.1 s\n"), "{stderr}");
    assert!(stderr.ends_with("0 hits, 1 miss, 2 false alarms\n"), "{stderr}");
    let plain = karaul(&["--config", &config, &clip]);
    assert!(plain.status.success() && plain.stdout == alerts.as_bytes(), "one recording: its alerts, byte for byte");

    // Arguments that are wrong are another exit code.
    fs::write(format!("{clips}/another.mp4"), "").unwrap();
    let (code, _, stderr) = said(&karaul(&["--config", &config, &clips]));
    assert_eq!(code, Some(64));
    assert_eq!(
        stderr,
        format!(
            "karaul: {clips}/expected.json says nothing of another.mp4; add \"another.mp4\": {{ \"expected\": [] }} if nothing \
             may happen in it, or what is expected\n"
        )
    );
    fs::remove_file(format!("{clips}/another.mp4")).unwrap();

    // Nobody stays for six seconds in one clip, and one does for five in the other: the table and the plots of a sweep.
    for ending in ["svg", "png"] {
        let plot = site.file(&format!("plot.{ending}"));
        let sweep = ["--config", &config, "--sweep", "yard.dwell=1s..6s/6", "--plot", plot.to_str().unwrap(), &clips];
        let (code, table, stderr) = said(&karaul(&sweep));
        assert_eq!(code, Some(0), "{stderr}");
        println!("{table}");
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 7);
        assert!(lines[1].starts_with("1s ") && lines[1].ends_with("<- in the config"));
        assert!(lines[1].contains("  3       0             0      100 %   100 %"), "{table}");
        assert!(plot.metadata().unwrap().len() > 1000);
    }
    let told = |arguments: &[&str]| {
        let (code, _, stderr) = said(&karaul(&[&["--config", &config, &clips], arguments].concat()));
        assert_eq!(code, Some(64), "{stderr}");
        stderr
    };
    assert!(told(&["--sweep", "yrad.dwell=1s..2s"]).ends_with(
        "karaul: --sweep: no camera that is replayed has a rule 'yrad'; there are: gate/yard, gate/fence\n"
    ));
    let stderr = told(&["--sweep", "yard.dwell=1h..2h/2"]);
    assert!(stderr.contains("karaul: --sweep: yard.dwell = \"2h\" cannot be:\n"), "{stderr}");
    assert!(stderr.contains(
        "dwell = \"2h\": a duration with its unit (ms, s, m, h) from 0s to 1h is wanted; for example dwell = \"1s\"\n"
    ));
    let stderr = told(&["--render", site.file("film.mp4").to_str().unwrap()]);
    assert!(stderr.ends_with("karaul: --render: a film is of one recording, and there are 3; name one\n"), "{stderr}");
}

#[test]
fn a_sweep_finds_what_replays_of_each_value_find() {
    if !onnx_runtime() {
        return;
    }
    for more in ["", "decoding = \"on-demand\"\n", "detection = \"on-motion\"\n"] {
        let text = more.to_owned() + &rules();
        let site = TestSite::new("mqtt://127.0.0.1:1").camera("gate", "rtsp://192.0.2.1/none", "yard-nano", &text);
        let config = site.write();
        let clip = site.file("crossers.mp4");
        render(&clip, Script::Yard, CROSSERS);
        let expected = json!({ "clips": { "crossers.mp4": { "expected": intrusions(CROSSERS) } } });
        let expect = site.file("expected.json");
        fs::write(&expect, expected.to_string()).unwrap();
        let all = |config: &Path, more: &[&str]| {
            let clip = clip.to_str().unwrap();
            let arguments = ["--config", config.to_str().unwrap(), "--expect", expect.to_str().unwrap(), clip];
            said(&karaul(&[&arguments, more].concat()))
        };
        let (_, table, stderr) = all(&config, &["--sweep", "yard.dwell=2s..5s"]);
        println!("{more}{table}");
        let rows: Vec<Vec<&str>> =
            table.lines().skip(1).map(|line| line.split_whitespace().take(4).collect()).collect();
        assert_eq!(rows.len(), 7, "{table}{stderr}");
        for row in [&rows[0], &rows[3], &rows[6]] {
            let text =
                fs::read_to_string(&config).unwrap().replace("dwell = \"1s\"", &format!("dwell = \"{}\"", row[0]));
            let other = site.file("other.toml");
            fs::write(&other, text).unwrap();
            let (_, _, stderr) = all(&other, &[]);
            let counts = stderr.lines().last().unwrap();
            let numbers: Vec<&str> = counts.split(|c: char| !c.is_ascii_digit()).filter(|n| !n.is_empty()).collect();
            assert_eq!(numbers, row[1..], "{}: {counts}\n{table}", row[0]);
        }
        assert_eq!(rows[0][1..], ["2", "0", "0"], "all stay for two seconds");
        assert_eq!(rows[6][1..], ["0", "2", "0"], "and nobody for five");
    }
}

#[test]
fn a_film_shows_the_recording_with_what_was_seen() {
    if !onnx_runtime() {
        return;
    }
    let site = site();
    let config = site.write().display().to_string();
    let (clip, film) = (site.file("visitor.mp4"), site.file("film.mp4"));
    render(&clip, Script::Yard, VISITOR);
    let [clip, film] = [clip, film].map(|path| path.display().to_string());
    let (code, alerts, stderr) = said(&karaul(&["--config", &config, "--render", &film, &clip]));
    assert_eq!(code, Some(0), "{stderr}");
    assert!(alerts.contains("\"phase\":\"open\""));
    let pictures = |path: &str| -> Vec<(f64, usize)> {
        let recording = Recording::open(Path::new(path), Timestamp::UNIX_EPOCH).unwrap();
        let red = |frame: karaul::camera::Frame| {
            assert_eq!((frame.width(), frame.height()), (640, 360));
            let picture = to_rgb(&frame.planes());
            let red = picture.pixels().filter(|p| p.0[0] > 150 && p.0[1] < 90 && p.0[2] < 90).count();
            (frame.stamp.mono.as_secs_f64(), red)
        };
        recording.map(|frame| red(frame.unwrap())).collect()
    };
    let (original, drawn) = (pictures(&clip), pictures(&film));
    let times =
        |pictures: &[(f64, usize)]| pictures.iter().map(|(at, _)| (at * 1e3).round() as i64).collect::<Vec<_>>();
    assert_eq!(times(&original), times(&drawn));
    // More is red from the first incident on, and nothing before.
    let more = |n: usize| drawn[n].1.saturating_sub(original[n].1);
    assert!((0..20).all(|n| more(n) < 50) && more(80) > 300, "{original:?} {drawn:?}");

    let itself =
        format!("{}/../{}/visitor.mp4", site.file("").display(), site.file("").file_name().unwrap().to_string_lossy());
    let (code, _, stderr) = said(&karaul(&["--config", &config, "--render", &itself, &clip]));
    assert_eq!(
        (code, stderr),
        (Some(64), format!("karaul: --render: {itself} is the recording itself; name another file\n"))
    );
    assert!(Path::new(&clip).metadata().unwrap().len() > 1000);
}

/// Six people enter on the left and leave on the right: when, is noted with the material.
#[test]
fn a_real_clip_is_as_noted() {
    let Some(models) = FetchedModels::new(&["yolox-nano"]) else { return };
    let (Some(clip), Some(notes)) = (data("videos/intel-one-by-one-person.mp4"), data("annotations/events.json"))
    else {
        return;
    };
    let rules = r#"
[camera.line.exit]
points = [[0.75, 1.0], [0.75, 0.0]]
[[camera.rule]]
id = "leaves"
kind = "line_crossing"
line = "exit"
classes = ["person"]
direction = "left-to-right"
[[camera.rule]]
id = "returns"
kind = "line_crossing"
line = "exit"
classes = ["person"]
direction = "right-to-left"
"#;
    let site = TestSite::with_models("mqtt://127.0.0.1:1", models.path()).camera(
        "hall",
        "rtsp://192.0.2.1/none",
        "yolox-nano",
        rules,
    );
    let notes: Value = serde_json::from_str(&fs::read_to_string(notes).unwrap()).unwrap();
    let notes = &notes["intel-one-by-one-person.mp4"];
    let frames = notes["line_x_0.75_left_to_right"]["approx_frames"].as_array().unwrap();
    let expected: Vec<Value> = frames
        .iter()
        .map(|frame| json!({ "rule": "leaves", "at_s": frame.as_f64().unwrap() / 10.0, "tolerance_s": 2.0 }))
        .collect();
    assert_eq!(expected.len(), 6);
    let expect = site.file("expected.json");
    fs::write(&expect, json!({ "clips": { "intel-one-by-one-person.mp4": { "expected": expected } } }).to_string())
        .unwrap();
    let config = site.write();
    let arguments =
        ["--config", config.to_str().unwrap(), "--expect", expect.to_str().unwrap(), clip.to_str().unwrap()];
    let (code, _, stderr) = said(&karaul(&arguments));
    println!("{stderr}");
    assert_eq!(code, Some(0));
    assert!(stderr.ends_with("6 hits, 0 misses, 0 false alarms\n"));
}
