use std::{fs, path::PathBuf};

use super::*;
use crate::golden;

/// Run with `KARAUL_WRITE_SCHEMAS=1` to write it anew after a deliberate change.
#[test]
fn the_committed_document_is_that_of_the_contract() {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: 110 };
    let now = serde_saphyr::to_string_with_options(&document(), options).unwrap();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../configs/asyncapi.yaml");
    if std::env::var_os("KARAUL_WRITE_SCHEMAS").is_some() {
        fs::write(&path, &now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    assert!(now == before, "{} differs: see the comment of this test", path.display());
}

#[test]
fn every_reference_leads_somewhere_and_nothing_is_left_out() {
    let document = serde_json::to_value(document()).unwrap();
    let (mut open, mut found) = (vec![&document], 0);
    while let Some(value) = open.pop() {
        match value {
            Value::Object(map) => {
                if let Some(Value::String(target)) = map.get("$ref") {
                    assert!(document.pointer(&target[1..]).is_some(), "{target}");
                    found += 1;
                }
                open.extend(map.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(found > 50, "{found}");
    let text = document["components"].to_string();
    for (name, schema) in crate::schemas() {
        // The schema of the envelope holds that of the alert.
        let title = schema.as_value()["title"].as_str().unwrap();
        assert!(text.contains(&format!("#/components/schemas/{title}\"")), "{name}");
    }
}

#[test]
fn the_golden_messages_satisfy_it() {
    let document = serde_json::to_value(document()).unwrap();
    for (kind, schema) in crate::schemas() {
        let title = schema.as_value()["title"].as_str().unwrap();
        let one = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "allOf": [reference("components/schemas", title)],
            "components": document["components"],
        });
        let validator = jsonschema::validator_for(&one).unwrap();
        assert!(!validator.is_valid(&json!("no message")), "{title}");
        for golden in golden::all().iter().filter(|golden| golden.kind == kind) {
            let wrong: Vec<String> = validator.iter_errors(&golden.json).map(|error| error.to_string()).collect();
            assert!(wrong.is_empty(), "{}: {wrong:?}", golden.name);
        }
    }
}

#[test]
fn what_is_said_of_a_topic_is_how_it_is_published() {
    for topic in topics() {
        let said = doc_of(topic.function).to_lowercase();
        assert!(said.contains(&format!("qos {}", topic.qos)), "{said}");
        let retained = said.contains("retained") && !said.contains("not retained") && !said.contains("never retained");
        assert_eq!(retained, topic.retain, "{said}");
    }
}
