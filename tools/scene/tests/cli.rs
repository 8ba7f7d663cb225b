//! The program `karaul-scene`, run as a user runs it.

use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_karaul-scene")).args(arguments).output().expect("the program starts")
}

#[test]
fn render_writes_pictures_and_their_labels() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let out = folder.path().join("shots");
    let path = out.to_str().expect("a path in UTF-8");
    let done = run(&[
        "render",
        "--light",
        "day",
        "--size",
        "320x180",
        "--fps",
        "2",
        "--start",
        "5",
        "--seconds",
        "1",
        "--out",
        path,
    ]);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let picture = image::open(out.join("00001.png")).expect("a PNG file");
    assert_eq!((picture.width(), picture.height()), (320, 180));
    let labels: serde_json::Value =
        serde_json::from_slice(&std::fs::read(out.join("labels.json")).expect("labels")).expect("JSON");
    assert_eq!(labels[1]["file"], "00001.png");
    assert_eq!(labels[1]["time"], 5.5);
    assert_eq!(labels[1]["night"], false);
    assert_eq!(labels[1]["objects"][0]["class"], "person");
    assert_eq!(labels[1]["objects"][0]["bbox"].as_array().map(Vec::len), Some(4));
}

#[test]
fn y4m_writes_a_header_and_whole_frames() {
    let done =
        run(&["y4m", "--script", "empty", "--light", "night", "--size", "128x72", "--fps", "5", "--seconds", "1"]);
    assert!(done.status.success());
    let header = b"YUV4MPEG2 W128 H72 F5:1 Ip A1:1 C420jpeg\n";
    assert!(done.stdout.starts_with(header));
    assert_eq!(done.stdout.len(), header.len() + 5 * ("FRAME\n".len() + 128 * 72 * 3 / 2));
}

#[test]
fn dataset_is_the_same_for_the_same_numbers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let labels = ["a", "b"].map(|name| {
        let out = folder.path().join(name);
        let path = out.to_str().expect("a path in UTF-8");
        let done = run(&["dataset", "--first", "7", "--count", "2", "--size", "128x72", "--out", path]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        ["labels.json", "0000007.png", "0000008.png"].map(|file| std::fs::read(out.join(file)).expect("a file"))
    });
    assert!(labels[0] == labels[1]);
}

#[test]
fn wrong_input_gets_one_clear_sentence() {
    let said = |arguments: &[&str]| String::from_utf8_lossy(&run(arguments).stderr).into_owned();
    assert_eq!(
        said(&["y4m", "--size", "641x360"]),
        "karaul-scene: a picture of 641x360 cannot be rendered: both sides must be even and between 64 and 4096\n"
    );
    assert!(said(&["y4m", "--size", "large"]).contains("give width and height in pixels, as in 640x360"));
    let unwritable = said(&["render", "--seconds", "1", "--size", "64x64", "--out", "/proc/no/such"]);
    assert!(unwritable.starts_with("karaul-scene: cannot write /proc/no/such: "), "{unwritable}");
    assert_eq!(unwritable.lines().count(), 1);
}
