//! The pages of `docs/rules` say what the catalogue of keys says, and their examples can be used.

use std::collections::BTreeSet;

use karaul_wire::RuleKind;

use super::{
    examples::{checkout, load, workspace},
    *,
};
use crate::config::{
    keys::{Key, Need, ROOT, Takes},
    units::{self, show_duration},
};

/// The example of a page goes below these lines.
const CAMERA: &str = r#"[site]
region = "almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "Asia/Almaty"

[broker]
url = "mqtts://ops.example.org"

[inference]
models = "../models"

[[camera]]
id = "gate"
url = "rtsp://192.0.2.11/stream2"
model = "yolox-nano"
purpose = "school-safety"

"#;

/// What each page has, in this order.
const PARTS: [&str; 7] =
    ["## What fires", "## What does not", "## Example", "## Evidence", "## Placing", "## Proved on", "## Fields"];

fn page(name: &str) -> String {
    let path = workspace().join("docs/rules").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// The keys of a table, by the names on the way to it.
fn keys_at(path: &[&str]) -> &'static [Key] {
    path.iter().fold(ROOT, |keys, name| keys.iter().find(|key| key.name == *name).unwrap().inner())
}

fn words(words: &[&str]) -> String {
    words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ")
}

/// What a key takes, with its unit and its range.
fn takes(key: &Key) -> String {
    let names = |keys: &[Key]| keys.iter().map(|key| format!("`{}`", key.name)).collect::<Vec<_>>().join(", ");
    match &key.takes {
        Takes::Id => "id: 1 to 32 of `a-z`, `0-9`, `-`".to_owned(),
        Takes::Text => "name".to_owned(),
        // Each page is about one of them.
        Takes::Word(_) if key.name == "kind" => "the kind's name".to_owned(),
        Takes::Word(choice) => words(choice),
        Takes::Words(choice) => format!("list of {}", words(choice)),
        Takes::Texts => "list of names".to_owned(),
        Takes::Ids => "list of ids".to_owned(),
        Takes::Number(least, most) => format!("{least} to {most}"),
        Takes::Whole(least, most) => format!("whole number, {least} to {most}"),
        Takes::Duration(least, most) => format!("time, {} to {}", show_duration(*least), show_duration(*most)),
        Takes::Pair => "`[width, height]`, 0 to 1 each".to_owned(),
        Takes::OutOf(most) => format!("`[n, m]`, 1 to {most} each"),
        Takes::Points(least, most) if least == most => format!("{least} points `[x, y]`, 0 to 1"),
        Takes::Points(least, most) => format!("{least} to {most} points `[x, y]`, 0 to 1"),
        Takes::Metres(count, most) => format!("{count} points `[x, y]` in metres, -{most} to {most}"),
        Takes::Distance => {
            let (m, h) = (units::METRES, units::HEIGHTS);
            format!("`\"2m\"`, {} to {}, or `\"1.5heights\"`, {} to {}", m.start(), m.end(), h.start(), h.end())
        }
        Takes::Pace => {
            let (k, h) = (units::KM_PER_HOUR, units::HEIGHTS_PER_SECOND);
            format!("`\"20km/h\"`, {} to {}, or `\"1.8heights/s\"`, {} to {}", k.start(), k.end(), h.start(), h.end())
        }
        Takes::TimeOfDay => "time of day, `00:00` to `23:59`".to_owned(),
        Takes::Spans(least) => {
            let least = if *least == 0 { ", may be empty" } else { "" };
            format!("list of `\"HH:MM-HH:MM\"`{least}")
        }
        Takes::Holidays => "list of days, spans of days and `every` day of a year".to_owned(),
        Takes::Table(keys) => format!("table with {}", names(keys)),
        other => panic!("{}: no words for {other:?}", key.name),
    }
}

fn usual(key: &Key) -> String {
    match key.need {
        Need::Required(_) => "must be there".to_owned(),
        Need::Default(value) => format!("`{value}`"),
        Need::Optional(_) => "none".to_owned(),
    }
}

fn row(key: &Key, usual: &str) -> String {
    format!("| `{}` | {} | {usual} | {} |\n", key.name, takes(key), key.says)
}

const HEAD: &str = "| field | unit and range | default | what it is |\n| --- | --- | --- | --- |\n";

fn table<'k>(keys: impl Iterator<Item = &'k Key>) -> String {
    keys.fold(HEAD.to_owned(), |text, key| text + &row(key, &usual(key)))
}

/// The fields of a rule of one kind: what makes it this kind, and then what others have as well.
fn fields(kind: RuleKind) -> String {
    let keys = || keys_at(&["camera", "rule"]).iter().filter(move |key| key.is_for(Some(kind)));
    let is_common = |key: &Key| key.kinds.is_empty() || common().any(|other| other.name == key.name);
    let mut text = String::new();
    if keys().any(|key| !is_common(key)) {
        text += &table(keys().filter(|key| !is_common(key)));
        text += "\n";
    }
    text += "As in [every kind](README.md#fields-of-every-rule):\n\n";
    text + &table(keys().filter(|key| is_common(key)))
}

/// What no kind has for itself, in the form that most kinds have.
fn common() -> impl Iterator<Item = &'static Key> {
    let keys = keys_at(&["camera", "rule"]).iter().filter(|key| key.is_for(Some(RuleKind::Intrusion)));
    keys.filter(|key| !["zone", "dwell"].contains(&key.name))
}

/// The fields of every rule, and of what rules refer to.
fn overview() -> String {
    let mut text = HEAD.to_owned();
    for key in common() {
        let others = keys_at(&["camera", "rule"]).iter().filter(|k| k.name == key.name && k.kinds != key.kinds);
        let others = others.map(|other| {
            let kinds: Vec<&str> = other.kinds.iter().map(|kind| kind.as_str()).collect();
            format!("; {} for {}", usual(other), kinds.join(", "))
        });
        text += &row(key, &others.fold(usual(key), |all, other| all + &other));
    }
    let tables: [(&str, &[&str]); 5] = [
        ("escalate = { … }", &["camera", "rule", "escalate"]),
        ("[camera.zone.<id>]", &["camera", "zone"]),
        ("[camera.line.<id>]", &["camera", "line"]),
        ("[camera.ground]", &["camera", "ground"]),
        ("[schedule.<id>]", &["schedule"]),
    ];
    for (header, path) in tables {
        text += &format!("\n`{header}`\n\n{}", table(keys_at(path).iter()));
    }
    let of_site = keys_at(&["site"]).iter().filter(|key| ["modes", "holidays"].contains(&key.name));
    text + &format!("\n`[site]`, besides what every site has\n\n{}", table(of_site))
}

/// The text with the part below a heading replaced; that part goes on to the end.
fn with_part(text: &str, heading: &str, part: &str) -> String {
    let (before, _) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading}"));
    format!("{before}\n{heading}\n\n{part}")
}

/// The first block of TOML.
fn example(text: &str) -> &str {
    let (_, rest) = text.split_once("\n```toml\n").expect("an example");
    rest.split_once("```").unwrap().0
}

/// Run with `KARAUL_WRITE_REFERENCE=1` to write the tables anew after a deliberate change.
#[test]
fn the_tables_of_the_pages_are_those_of_the_catalogue() {
    let pages = RuleKind::ALL.map(|kind| (format!("{}.md", kind.as_str()), "## Fields", fields(kind)));
    let overview = ("README.md".to_owned(), "## Fields of every rule", overview());
    for (name, heading, part) in pages.into_iter().chain([overview]) {
        let before = page(&name);
        let now = with_part(&before, heading, &part);
        if std::env::var_os("KARAUL_WRITE_REFERENCE").is_some() {
            fs::write(workspace().join("docs/rules").join(&name), &now).unwrap();
        } else {
            assert_eq!(now, before, "docs/rules/{name} differs: see the comment of this test");
        }
    }
}

#[test]
fn there_is_a_page_with_a_picture_for_every_kind_and_none_besides() {
    let folder = fs::read_dir(workspace().join("docs/rules")).unwrap();
    let found: BTreeSet<String> = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let kinds = RuleKind::ALL.iter().flat_map(|kind| ["md", "svg"].map(|end| format!("{}.{end}", kind.as_str())));
    assert_eq!(found, kinds.chain(["README.md".to_owned()]).collect());
    let overview = page("README.md");
    for kind in RuleKind::ALL.map(RuleKind::as_str) {
        let text = page(&format!("{kind}.md"));
        assert!(text.starts_with(&format!("# `{kind}`: ")), "{kind}");
        assert!(text.contains(&format!("]({kind}.svg)\n")), "{kind} shows its picture");
        assert!(overview.contains(&format!("]({kind}.md)")), "the overview names {kind}");
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, PARTS, "{kind}");
        let picture = fs::metadata(workspace().join(format!("docs/rules/{kind}.svg"))).unwrap();
        assert!(picture.len() < 6 * 1024, "{kind}.svg has {} bytes", picture.len());
    }
}

#[test]
fn every_example_of_the_pages_is_flawless() {
    let folder = checkout();
    let config = load(&folder, example(&page("README.md")));
    assert!(config.cameras.iter().any(|camera| !camera.rules.is_empty()));
    for kind in RuleKind::ALL {
        let text = page(&format!("{}.md", kind.as_str()));
        let config = load(&folder, &format!("{CAMERA}{}", example(&text)));
        let kinds: Vec<RuleKind> = config.cameras[0].rules.iter().map(|rule| rule.kind.wire()).collect();
        assert!(kinds.contains(&kind), "{}: {kinds:?}", kind.as_str());
    }
}

#[test]
fn what_proves_a_kind_is_there() {
    let stories = fs::read_to_string(workspace().join("tools/scene/src/story/mod.rs")).unwrap();
    for kind in RuleKind::ALL.map(RuleKind::as_str) {
        let text = page(&format!("{kind}.md"));
        let proof = text.split_once("\n## Proved on\n").unwrap().1.split_once("\n## ").unwrap().0;
        let files: Vec<&str> = proof.split('`').skip(1).step_by(2).filter(|word| word.ends_with(".rs")).collect();
        assert!(!files.is_empty(), "{kind} is proved on nothing");
        for file in files {
            assert!(workspace().join(file).is_file(), "{kind}: there is no {file}");
        }
        for (_, rest) in proof.match_indices("story `").map(|(at, found)| proof.split_at(at + found.len())) {
            let story = rest.split('`').next().unwrap();
            assert!(stories.contains(&format!("=> \"{story}\",")), "{kind}: there is no story {story}");
        }
    }
}
