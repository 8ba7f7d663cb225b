//! `karaul check`.

use std::{
    io::{self, IsTerminal, Write},
    path::PathBuf,
    process::ExitCode,
};

use crate::config::{Config, Level, Outcome, Secrets};

/// Exit code for a bad configuration (`EX_USAGE` of sysexits.h). A systemd unit names it in
/// `RestartPreventExitStatus`, as trying again does not help.
pub const BAD_CONFIG: u8 = 64;

/// `karaul check`: every problem of a config at once. Touches no network and no camera.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The config to check
    config: PathBuf,
    /// How problems are shown; without it fancy on a terminal, otherwise plain
    #[arg(long, value_enum)]
    format: Option<Format>,
}

/// How problems are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// One line each: file, line, place, value, what is wrong, remedy
    Plain,
    /// With an excerpt of the file and an arrow
    Fancy,
}

/// Checks the config and says what came of it on standard output.
///
/// The exit code is 0 if it can be used, even with warnings, and [`BAD_CONFIG`] otherwise.
///
/// # Errors
/// If standard output cannot be written.
pub fn run(args: &Args) -> io::Result<ExitCode> {
    let out = io::stdout();
    let terminal = out.is_terminal();
    let colour = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
    let format = args.format.unwrap_or(if terminal { Format::Fancy } else { Format::Plain });
    let (good, text) = check(args, format, colour);
    writeln!(out.lock(), "{text}")?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::from(BAD_CONFIG) })
}

/// Whether the config can be used, and what is to be said about it.
fn check(args: &Args, format: Format, colour: bool) -> (bool, String) {
    /// Lines that are too long for the terminal are broken; this fits nearly all of them.
    const COLUMNS: usize = 100;
    let Outcome { config, problems } = Config::read(&args.config, Secrets::Tried);
    let mut text = match format {
        _ if problems.list().is_empty() => String::new(),
        Format::Plain => problems.to_string() + "\n",
        Format::Fancy => problems.fancy(colour, COLUMNS) + "\n",
    };
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let (errors, warnings) = (problems.count(Level::Error), problems.count(Level::Warning));
    text += &format!("{}: ", args.config.display());
    text += &match &config {
        Some(config) => {
            let rules = config.cameras.iter().map(|camera| camera.rules.len()).sum();
            format!("well, {}, {}", count(config.cameras.len(), "camera"), count(rules, "rule"))
        }
        None => count(errors, "error"),
    };
    if warnings > 0 {
        text += &format!(", {}", count(warnings, "warning"));
    }
    (config.is_some(), text)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn checked(text: &str, format: Format) -> (bool, String) {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        fs::create_dir_all(path("models/tiny")).unwrap();
        fs::write(path("models/tiny/model.toml"), MANIFEST).unwrap();
        fs::write(path("site.toml"), text).unwrap();
        let (good, said) = check(&Args { config: path("site.toml"), format: None }, format, false);
        (good, said.replace(&format!("{}/", folder.path().display()), ""))
    }

    #[test]
    fn a_good_config_is_one_line() {
        assert_eq!(checked(SITE, Format::Plain), (true, "site.toml: well, 1 camera, 1 rule".to_owned()));
        assert_eq!(checked(SITE, Format::Fancy), (true, "site.toml: well, 1 camera, 1 rule".to_owned()));
    }

    #[test]
    fn a_password_that_only_the_daemon_may_see_is_a_warning() {
        let text = SITE.replace("model =", "username = \"viewer\"\npassword = \"file:gone\"\nmodel =");
        let (good, said) = checked(&text, Format::Plain);
        assert!(good);
        let (problem, end) = said.split_once('\n').unwrap();
        assert!(problem.starts_with("site.toml:17: warning: camera \"gate\": password = \"file:gone\": "), "{problem}");
        assert_eq!(end, "site.toml: well, 1 camera, 1 rule, 1 warning");
    }

    #[test]
    fn a_bad_config_is_all_its_problems_and_their_number() {
        let text = SITE.replace("\"kk\"", "\"kz\"").replace("[\"person\"]", "[\"persn\"]");
        let (good, said) = checked(&text, Format::Plain);
        assert!(!good);
        assert_eq!(
            said,
            "site.toml:7: [site]: \"kz\" in languages: one of \"kk\", \"ru\", \"en\" is wanted; did you mean \"kk\"?\n\
             site.toml:24: camera \"gate\", rule \"inside\": \"persn\" in classes: the model tiny has no such class; \
             did you mean \"person\"?\n\
             site.toml: 2 errors"
        );
        let (good, fancy) = checked(&text, Format::Fancy);
        assert!(!good && fancy.contains(" 24 │ classes = [\"persn\"]\n    ·            ───────"), "{fancy}");
    }

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

[[camera]]
id = "gate"
url = "rtsp://192.0.2.11/stream2"
model = "tiny"
purpose = "school-safety"
[camera.zone.yard]
points = [[0.1, 0.4], [0.9, 0.4], [0.95, 0.98]]
[[camera.rule]]
id = "inside"
kind = "intrusion"
zone = "yard"
classes = ["person"]
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
}
