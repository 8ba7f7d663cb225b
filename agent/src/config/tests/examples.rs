//! What is shipped under `configs/` is right, and says all there is to say.

use std::collections::BTreeSet;

use toml::de::DeValue;

use super::*;
use crate::config::{
    keys::{Key, Need, ROOT},
    schema,
};

fn shipped(name: &str) -> String {
    let path = workspace().join("configs").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

pub(super) fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A checkout with the models that the examples name. Their manifests are the repository's; one that
/// has not been fetched is stood in for by one with the labels of COCO that the examples use.
pub(super) fn checkout() -> Folder {
    let folder = Folder::new();
    for name in ["yard-nano", "yolox-nano"] {
        let labels = r#"labels = ["person", "bicycle", "car", "motorcycle", "bus", "truck", "dog", "horse"]"#;
        let stand_in = MANIFEST.replace(r#"labels = ["person", "bicycle", "car"]"#, labels);
        let real = fs::read_to_string(workspace().join("models").join(name).join("model.toml"));
        folder.write(&format!("models/{name}/model.toml"), &real.unwrap_or(stand_in));
    }
    for name in ["police-ca.pem", "unit-ca.pem"] {
        folder.write(&format!("configs/{name}"), include_str!("authority.pem"));
    }
    folder
}

pub(super) fn load(folder: &Folder, text: &str) -> Config {
    let Outcome { config, problems } =
        Config::parse(&folder.path("configs/example.toml"), text, None, Secrets::Ignored);
    assert!(problems.list().is_empty(), "{problems}");
    config.unwrap()
}

#[test]
fn the_example_of_each_kind_of_site_is_flawless() {
    let folder = checkout();
    for (name, cameras, rules) in [("school.toml", 3, 4), ("police.toml", 3, 4), ("military.toml", 3, 5)] {
        let config = load(&folder, &shipped(name));
        let found = config.cameras.iter().map(|c| c.rules.len()).sum::<usize>();
        assert_eq!((config.cameras.len(), found), (cameras, rules), "{name}");
        for language in &config.site.languages {
            assert!(config.cameras.iter().all(|c| c.label[language] != c.id.to_string()), "{name}");
        }
    }
}

/// Setting of a line `#name = value`, which prose never has the form of.
fn commented(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.strip_prefix('#')?.split_once(" = ")?;
    name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_').then_some((name, value))
}

/// The keys of the table that a header opens.
fn keys_of(header: &str) -> &'static [Key] {
    let path = header.trim_matches(['[', ']']).split('.');
    let mut keys = ROOT;
    for word in path {
        // Words that are no keys are ids.
        if let Some(key) = keys.iter().find(|key| key.name == word) {
            keys = key.inner();
        }
    }
    keys
}

#[test]
fn the_commented_examples_equal_the_defaults_and_are_complete() {
    let mut seen = BTreeSet::new();
    equals_the_defaults("example.toml", &mut seen);
    equals_the_defaults("kinds.toml", &mut seen);
    let all = tables(ROOT).into_iter().flat_map(|keys| {
        let plain = keys.iter().filter(|key| key.inner().is_empty());
        plain.map(move |key| format!("{} {} {:?}", keys_name(keys), key.name, key.kinds))
    });
    // Languages and escalation stand within one inline table each.
    let inline = |name: &str| name.starts_with("kk,ru,en ") || name.starts_with("after,severity ");
    let missing: Vec<String> = all.filter(|name| !inline(name) && !seen.contains(name)).collect();
    assert!(missing.is_empty(), "example.toml and kinds.toml do not show {missing:?}");
}

/// Gathers the keys that an example shows, with their kinds of rule.
fn equals_the_defaults(name: &str, seen: &mut BTreeSet<String>) {
    let folder = checkout();
    let text = shipped(name);
    let minimal: String = text.lines().filter(|l| !l.starts_with('#')).flat_map(|l| [l, "\n"]).collect();
    let mut explicit = String::new();
    let (mut keys, mut header, mut kind) = (ROOT, String::new(), String::new());
    for line in text.lines() {
        let mut shown = line.to_owned();
        if line.starts_with('[') {
            (keys, header) = (keys_of(line), line.to_owned());
        } else if let Some((name, value)) = commented(line).or_else(|| line.split_once(" = ")) {
            if name == "kind" {
                kind = value.trim_matches('"').to_owned();
            }
            let of_kind =
                |key: &&Key| key.name == name && (key.kinds.is_empty() || key.kinds.iter().any(|k| k.as_str() == kind));
            let key = keys.iter().find(of_kind);
            // Lines of prose may have an equals sign in them.
            let Some(key) = key.filter(|_| commented(line).is_some() || !line.starts_with('#')) else {
                assert!(line.starts_with("# "), "{line} is no key of {header}");
                continue;
            };
            seen.insert(format!("{} {name} {:?}", keys_name(keys), key.kinds));
            if let (true, Need::Default(default)) = (line.starts_with('#'), &key.need) {
                assert_eq!(value, *default, "{line} below {header}");
                shown = format!("{name} = {value}");
            }
        }
        explicit.push_str(&shown);
        explicit.push('\n');
    }
    assert_eq!(load(&folder, &explicit), load(&folder, &minimal));
    assert_ne!(explicit, text, "nothing was uncommented");
}

fn keys_name(keys: &[Key]) -> String {
    keys.iter().map(|key| key.name).collect::<Vec<_>>().join(",")
}

fn tables(keys: &'static [Key]) -> Vec<&'static [Key]> {
    let inner = keys.iter().filter(|key| !key.inner().is_empty()).flat_map(|key| tables(key.inner()));
    std::iter::once(keys).chain(inner).collect()
}

#[test]
fn every_default_and_example_of_the_catalogue_is_toml() {
    for key in tables(ROOT).into_iter().flatten() {
        let (Need::Required(text) | Need::Default(text) | Need::Optional(text)) = key.need;
        assert!(!key.says.is_empty());
        if !text.is_empty() || key.inner().is_empty() {
            DeValue::parse(text).unwrap_or_else(|why| panic!("{}: {why}", key.name));
        }
    }
}

/// Run with `KARAUL_WRITE_SCHEMAS=1` to write it anew after a deliberate change.
#[test]
fn the_committed_schema_is_that_of_the_catalogue() {
    let now = serde_json::to_string_pretty(&schema()).unwrap() + "\n";
    let path = workspace().join("configs/schema/site.json");
    if std::env::var_os("KARAUL_WRITE_SCHEMAS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(now, before, "{} differs: see the comment of this test", path.display());
}

#[test]
fn the_schema_admits_the_examples_and_refuses_wrong_ones() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    let json = |text: &str| {
        let table: toml::Table = toml::from_str(text).unwrap();
        serde_json::to_value(table).unwrap()
    };
    for name in ["example.toml", "kinds.toml", "school.toml", "police.toml", "military.toml"] {
        let document = json(&shipped(name));
        let wrong: Vec<String> = validator.iter_errors(&document).map(|e| e.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
    assert!(validator.is_valid(&json(SITE)));
    for (old, new) in [
        ("kind = \"intrusion\"", "kind = \"fire\""),
        ("zone = \"yard\"", "line = \"fence\""),
        ("id = \"gate\"", "id = \"Gate\""),
        ("credential:gate", "swordfish"),
        ("[0.5, 0.0]]", "[0.5, 300]]"),
        ("19:00-07:30", "7pm-7am"),
        ("purpose", "purpos"),
    ] {
        assert!(!validator.is_valid(&json(&with(old, new))), "{new}");
    }
}
