use std::fs;

use clap::Parser as _;
use jiff::SignedDuration;
use serde_json::json;

use super::*;
use crate::{
    config::{Config, Secrets},
    onvif::{Access, Answers, Camera, Codec, Introduction, Profile, Stream},
};

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn parse(line: &str) -> Result<Args, String> {
    let words = std::iter::once("discover").chain(line.split_whitespace());
    Line::try_parse_from(words).map(|line| line.args).map_err(|error| error.to_string())
}

fn profile(name: &str, codec: Codec, size: [u32; 2], rate: f64, bit_rate: u32, path: &str) -> Profile {
    let url = format!("rtsp://192.0.2.7/{path}").parse().unwrap();
    let stream = Ok(Stream { url, said: (path == "1").then(|| "10.1.1.1".to_owned()) });
    Profile::new(name, Some(codec), Some(size), Some(rate), Some(bit_rate), stream)
}

/// One that tells all, and one that tells nothing.
fn cameras() -> [Camera; 2] {
    let text = |text: &str| Some(text.to_owned());
    let odd = Profile::new("odd", None, None, None, None, Err(Problem::NoAddress("it is empty".to_owned())));
    let gate = Camera {
        host: "192.0.2.7".to_owned(),
        introduction: Introduction {
            endpoint: text("urn:uuid:1"),
            name: text("Front gate"),
            hardware: text("X"),
            location: text("Almaty"),
        },
        service: "http://192.0.2.7/onvif/device_service".to_owned(),
        answers: Answers {
            maker: text("ACME"),
            model: text("X1"),
            firmware: text("1.2"),
            clock_ahead: Some(SignedDuration::from_hours(-24 * 1100)),
            access: Access::HttpDigest,
            profiles: Ok(vec![
                profile("main", Codec::H265, [2560, 1440], 25.0, 4096, "1"),
                profile("sub", Codec::H264, [640, 360], 12.5, 512, "2"),
                odd,
            ]),
        },
    };
    let silent = Camera {
        host: "192.0.2.9".to_owned(),
        introduction: Introduction::default(),
        service: "http://192.0.2.9/onvif/device_service".to_owned(),
        answers: Answers {
            maker: None,
            model: None,
            firmware: None,
            clock_ahead: None,
            access: Access::Anybody,
            profiles: Err(Problem::LoginNeeded),
        },
    };
    [gate, silent]
}

fn said(line: &str, cameras: &[Camera]) -> (String, Result<ExitCode, String>) {
    let mut out = Vec::new();
    let findings = Findings { cameras: cameras.to_vec(), remarks: Vec::new() };
    let result = say(&parse(line).unwrap(), &findings, &mut out).map_err(|error| error.to_string());
    (String::from_utf8(out).unwrap(), result)
}

#[test]
fn a_person_reads_a_table() {
    let (text, code) = said("", &cameras());
    assert_eq!(text, TABLE);
    assert_eq!(code, Ok(ExitCode::SUCCESS));
    let mut open = cameras();
    open[0].answers.access = Access::Anybody;
    open[0].answers.clock_ahead = Some(SignedDuration::from_secs(61));
    let (text, _) = said("", &open);
    assert!(text.contains("  its clock is 1 minute ahead of this machine's: "), "{text}");
    assert!(text.contains("  it tells this to anybody, without a login: give it users and passwords\n"), "{text}");
    assert_eq!(said("", &cameras()[1..]).1, Ok(ExitCode::FAILURE));
}

#[test]
fn a_program_reads_json() {
    let (text, code) = said("--json", &cameras());
    let lines: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((lines.len(), code), (2, Ok(ExitCode::SUCCESS)));
    assert_eq!((&lines[0]["clock_ahead_seconds"], &lines[0]["access"]), (&json!(-95_040_000), &json!("http_digest")));
    assert_eq!(
        lines[0]["profiles"][1],
        json!({
            "name": "sub", "codec": "H.264", "width": 640, "height": 360, "pictures_per_second": 12.5,
            "kbit_per_second": 512, "for": ["detection"], "url": "rtsp://192.0.2.7:554/2",
        })
    );
    assert_eq!(lines[0]["profiles"][0]["host_said"], "10.1.1.1");
    assert_eq!(
        lines[1],
        json!({
            "name": "192.0.2.9", "host": "192.0.2.9", "service": "http://192.0.2.9/onvif/device_service", "profiles": [],
            "problem": Problem::LoginNeeded.to_string(),
        })
    );
}

#[test]
fn blocks_for_a_config_are_good_as_they_are() {
    let (text, code) = said("--toml --purpose school-safety --model tiny --user viewer", &cameras());
    assert_eq!(text, BLOCKS);
    assert_eq!(code, Ok(ExitCode::SUCCESS));
    let (kept, _) = said("--toml --purpose x --user viewer --password-file /etc/karaul/cams", &cameras());
    assert!(kept.contains("password = \"file:/etc/karaul/cams\"\nmodel = \"yard-nano\"\n"), "{kept}");

    // Cameras of one name, names without letters, and names that are not meant well.
    let names = ["Front gate", "Front gate", "Ворота 3", "\" # [[camera]]", &"very-long-name-of-a-camera-".repeat(2)];
    let many: Vec<_> = names
        .iter()
        .enumerate()
        .flat_map(|(n, name)| {
            let mut camera = cameras()[0].clone();
            camera.host = format!("192.0.2.{n}");
            camera.introduction.name = Some((*name).to_owned());
            [camera.clone(), camera]
        })
        .collect();
    let (text, _) = said("--toml --purpose a\"b --model tiny --user o'brien", &many);
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("models/tiny")).unwrap();
    fs::write(path("models/tiny/model.toml"), MANIFEST).unwrap();
    fs::write(path("site.toml"), format!("{SITE}{text}")).unwrap();
    let outcome = Config::read(&path("site.toml"), Secrets::Tried);
    let config = outcome.config.unwrap_or_else(|| panic!("{}\n{text}", outcome.problems));
    let ids: Vec<_> = config.cameras.iter().map(|camera| camera.id.to_string()).collect();
    assert_eq!(
        ids,
        [
            "front-gate",
            "front-gate-2",
            "front-gate-3",
            "front-gate-4",
            "camera-192-0-2-2",
            "camera-192-0-2-2-2",
            "camera",
            "camera-2",
            "very-long-name-of-a-camera-very",
            "very-long-name-of-a-camera-ver-2"
        ]
    );
    assert_eq!(config.cameras[0].purpose, "a\"b");
}

#[test]
fn nobody_there_is_said_with_what_to_do() {
    let (text, result) = said("--wait 500ms", &[]);
    assert_eq!(text, "");
    assert_eq!(
        result,
        Err("no camera answered within 0.5 s: see that this machine is in the cameras' subnet, that ONVIF is switched on in \
             their settings (its users are often kept apart from the others), and that no switch or access point holds \
             multicast back; a camera whose address is known is asked with --host ADDRESS"
            .to_owned())
    );
}

#[test]
fn a_password_comes_from_a_file_or_the_surroundings() {
    let password = |line: &str, variable: Option<&str>| {
        let found = login(&parse(line).unwrap(), variable.map(str::to_owned));
        found.map(|login| login.map(|login| login.password.reveal().to_owned())).map_err(|error| error.to_string())
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cams");
    fs::write(&file, "swordfish\n").unwrap();
    assert_eq!(password("", Some("unasked")), Ok(None));
    let both = format!("--user viewer --password-file {}", file.display());
    assert_eq!(password(&both, Some("other")), Ok(Some("swordfish".to_owned())));
    assert_eq!(password("--user viewer", Some("other")), Ok(Some("other".to_owned())));
    assert_eq!(
        password("--username viewer", None),
        Err("--user needs a password: give --password-file, or set KARAUL_CAMERA_PASSWORD".to_owned())
    );
    let gone = password("--user viewer --password-file /nowhere/x", None).unwrap_err();
    assert_eq!(gone, "--password-file /nowhere/x: the file cannot be read: No such file or directory (os error 2)");
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    <Line as clap::CommandFactory>::command().debug_assert();
    let wrong = [
        ("--toml", "--purpose <TEXT>"),
        ("--json --toml --purpose x", "cannot be used with"),
        ("--wait 0s", "write a time from 100ms to 60s, as 3s"),
        ("--wait 2h", "write a time from 100ms to 60s, as 3s"),
        ("--user a:b", "a user name is not empty and has no ':'"),
        ("--host http://a:b@c", "write HOST, HOST:PORT or http://HOST:PORT/PATH"),
        ("--password-file x", "--user <NAME>"),
    ];
    for (line, words) in wrong {
        let error = parse(line).unwrap_err();
        assert!(error.contains(words), "{line}: {error}");
    }
}

const TABLE: &str = "\
Front gate  192.0.2.7  ACME X1, firmware 1.2, Almaty
  PROFILE  CODEC  SIZE       PICTURES/S  KBIT/S  FOR        STREAM
  main     H.265  2560x1440  25          4096    evidence   rtsp://192.0.2.7:554/1
  sub      H.264  640x360    12.5        512     detection  rtsp://192.0.2.7:554/2
  odd      ?      ?          ?           ?                  gives no address that could be used: it is empty
  its clock is 3 years behind this machine's: set the wrong one, best by NTP on both
  it says that its streams are at 10.1.1.1; the address at which it answers is put there

192.0.2.9
  tells its streams only with a login: add --user and --password-file; many cameras keep ONVIF users apart

2 cameras, 2 streams
";

const BLOCKS: &str = "\
# Front gate  192.0.2.7  ACME X1, firmware 1.2, Almaty
# Profile sub, 640x360.
# Its largest stream, for clips: evidence_url = \"rtsp://192.0.2.7:554/1\"
[[camera]]
id = \"front-gate\"
url = \"rtsp://192.0.2.7:554/2\"
username = \"viewer\"
password = \"file:front-gate.password\"
model = \"tiny\"
purpose = \"school-safety\"

# 192.0.2.9
# left out: tells its streams only with a login: add --user and --password-file; many cameras keep ONVIF users apart
";

const SITE: &str = r#"[site]
region = "almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "Asia/Almaty"
languages = ["kk"]
[broker]
url = "mqtt://127.0.0.1"
[inference]
models = "models"
"#;

const MANIFEST: &str = r#"id = "tiny"
version = "1"
file = "absent.onnx"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
licence = "Apache-2.0"
source = "made for this test"
labels = ["person"]
input = { name = "i", size = [32, 32], colour = "rgb", mean = [0, 0, 0], std = [1, 1, 1], resize = "stretch" }
head = { kind = "yolox", strides = [8], outputs = ["o"], nms_iou = 0.5, score_threshold = 0.1 }
"#;
