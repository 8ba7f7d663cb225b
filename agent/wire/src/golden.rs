//! The messages in `golden/` must be understood for ever; see the README there. Only tests.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use crate::{
    Alert, AlertEvent, AuditHead, BoxBirth, BoxGap, BoxHealth, BoxLedger, BoxStatus, CONTRACT, CameraStatus, Command,
    Receipt, Reply,
};

/// Fields that are maps: their keys are ids, languages or words, so nothing can be added to them.
const MAPS: [&str; 8] = ["label", "text", "libraries", "schemas", "disarmed", "commands", "cameras", "blind"];

pub(crate) struct Golden {
    pub(crate) name: String,
    version: String,
    /// The name of its schema.
    pub(crate) kind: String,
    pub(crate) json: Value,
}

pub(crate) fn all() -> Vec<Golden> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden");
    let folders = |folder: PathBuf| {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut entries: Vec<PathBuf> = entries.filter(|path| path.extension().is_none_or(|e| e != "md")).collect();
        entries.sort();
        entries
    };
    let name = |path: &PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
    let mut found = Vec::new();
    for version in folders(root) {
        for kind in folders(version.clone()) {
            for file in folders(kind.clone()) {
                let text = fs::read_to_string(&file).unwrap();
                let json = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
                let (version, kind) = (name(&version), name(&kind));
                found.push(Golden { name: format!("{version}/{kind}/{}", name(&file)), version, kind, json });
            }
        }
    }
    assert!(found.len() > 50, "only {} files", found.len());
    found
}

/// Reads the JSON as the type of this kind and writes it again.
fn through_the_type(kind: &str, json: &Value) -> Result<Value, serde_json::Error> {
    fn through<T: Serialize + DeserializeOwned>(json: &Value) -> Result<Value, serde_json::Error> {
        let value: T = serde_json::from_str(&json.to_string())?;
        // As text: a number of 32 bits would get more digits on its way into a `Value`.
        serde_json::from_str(&serde_json::to_string(&value)?)
    }
    match kind {
        "alert" => through::<Alert>(json),
        "alert-event" => through::<AlertEvent>(json),
        "box-status" => through::<BoxStatus>(json),
        "camera-status" => through::<CameraStatus>(json),
        "birth" => through::<BoxBirth>(json),
        "health" => through::<BoxHealth>(json),
        "gap" => through::<BoxGap>(json),
        "receipt" => through::<Receipt>(json),
        "command" => through::<Command>(json),
        "reply" => through::<Reply>(json),
        "ledger" => through::<BoxLedger>(json),
        "audit-head" => through::<AuditHead>(json),
        _ => panic!("golden messages of an unknown kind: {kind}"),
    }
}

fn validators() -> BTreeMap<&'static str, jsonschema::Validator> {
    let validator = |schema: schemars::Schema| jsonschema::validator_for(&schema.to_value()).unwrap();
    crate::schemas().into_iter().map(|(name, schema)| (name, validator(schema))).collect()
}

/// A field that nobody knows, in every object that is not a map.
fn with_news(json: &Value) -> Value {
    match json {
        Value::Object(fields) => {
            let inner = |(key, value): (&String, &Value)| match value {
                Value::Object(map) if MAPS.contains(&key.as_str()) => {
                    (key.clone(), map.iter().map(|(id, value)| (id.clone(), with_news(value))).collect())
                }
                // The arguments of an order: one that is not known there is an error.
                value if key == "args" => (key.clone(), value.clone()),
                value => (key.clone(), with_news(value)),
            };
            let news = ("added_later".to_owned(), json!({ "a": [1, null, "b"] }));
            fields.iter().map(inner).chain([news]).collect()
        }
        Value::Array(items) => items.iter().map(with_news).collect(),
        other => other.clone(),
    }
}

#[test]
fn they_are_read_and_written_as_they_were() {
    for Golden { name, kind, json, .. } in all() {
        let written = through_the_type(&kind, &json).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(written, json, "{name}");
    }
}

#[test]
fn they_satisfy_the_present_schemas() {
    let validators = validators();
    for Golden { name, kind, json, .. } in all() {
        let wrong: Vec<String> = validators[kind.as_str()].iter_errors(&json).map(|error| error.to_string()).collect();
        assert!(wrong.is_empty(), "{name}: {wrong:?}");
    }
}

#[test]
fn what_a_later_version_adds_disturbs_nobody() {
    let validators = validators();
    for Golden { name, kind, json, .. } in all() {
        let later = with_news(&json);
        assert_ne!(later, json, "{name}");
        let read = through_the_type(&kind, &later).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(read, json, "{name}");
        assert!(validators[kind.as_str()].is_valid(&later), "{name}");
    }
}

/// All names of fields and all words of enumerations below a part of a schema.
fn said_by(schema: &Value, words: &mut BTreeSet<String>) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value) {
                    ("properties", Value::Object(properties)) => words.extend(properties.keys().cloned()),
                    ("const", Value::String(word)) => _ = words.insert(word.clone()),
                    ("enum", Value::Array(several)) => {
                        words.extend(several.iter().filter_map(|word| word.as_str().map(str::to_owned)));
                    }
                    _ => {}
                }
                said_by(value, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| said_by(item, words)),
        _ => {}
    }
}

/// All keys and texts of a message.
fn said_in(json: &Value, words: &mut BTreeSet<String>) {
    match json {
        Value::Object(fields) => {
            for (key, value) in fields {
                words.insert(key.clone());
                said_in(value, words);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| said_in(item, words)),
        Value::String(text) => _ = words.insert(text.clone()),
        _ => {}
    }
}

#[test]
fn together_they_show_every_field_and_every_word() {
    let golden = all();
    assert!(golden.iter().any(|g| g.version == format!("v{CONTRACT}")), "there is none of the present version");
    for (name, schema) in crate::schemas() {
        // The payload of an event is the same thing.
        if name == "alert" {
            continue;
        }
        let (mut defined, mut shown) = (BTreeSet::new(), BTreeSet::new());
        said_by(schema.as_value(), &mut defined);
        golden.iter().filter(|golden| golden.kind == name).for_each(|golden| said_in(&golden.json, &mut shown));
        let missing: Vec<_> = defined.difference(&shown).collect();
        assert!(missing.is_empty(), "no golden message of kind {name} has {missing:?}");
    }
}
