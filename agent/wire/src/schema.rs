use schemars::{Schema, schema_for};

use crate::{
    Alert, AlertEvent, AuditHead, BoxBirth, BoxGap, BoxHealth, BoxLedger, BoxStatus, CameraStatus, Command, Receipt,
    Reply,
};

/// Version of the contract. A major version is the root of all topics; a minor one only adds optional fields.
pub const CONTRACT: &str = "1.0";

/// The JSON Schemas (draft 2020-12) of all messages, by file name without ending.
#[must_use]
pub fn schemas() -> Vec<(&'static str, Schema)> {
    vec![
        ("alert", schema_for!(Alert)),
        ("alert-event", schema_for!(AlertEvent)),
        ("box-status", schema_for!(BoxStatus)),
        ("camera-status", schema_for!(CameraStatus)),
        ("birth", schema_for!(BoxBirth)),
        ("health", schema_for!(BoxHealth)),
        ("gap", schema_for!(BoxGap)),
        ("receipt", schema_for!(Receipt)),
        ("command", schema_for!(Command)),
        ("reply", schema_for!(Reply)),
        ("ledger", schema_for!(BoxLedger)),
        ("audit-head", schema_for!(AuditHead)),
    ]
}

/// The address of a schema of [`schemas`]: a name, not a promise that a server answers there.
#[must_use]
pub fn schema_address(name: &str) -> String {
    format!("urn:karaul:schema:{name}:1")
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use jiff::Timestamp;
    use uuid::Uuid;

    use super::*;

    fn committed(name: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../configs/schema").join(format!("{name}.json"))
    }

    /// Run with `KARAUL_WRITE_SCHEMAS=1` to write them anew after a deliberate change.
    #[test]
    fn the_committed_schemas_are_those_of_the_types() {
        for (name, schema) in schemas() {
            let now = serde_json::to_string_pretty(&schema).unwrap() + "\n";
            let path = committed(name);
            if std::env::var_os("KARAUL_WRITE_SCHEMAS").is_some() {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, &now).unwrap();
            }
            let before = fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(now, before, "{} differs: see the comment of this test", path.display());
        }
    }

    #[test]
    fn an_alert_names_its_schema() {
        assert_eq!(AlertEvent::SCHEMA, schema_address("alert"));
    }

    #[test]
    fn an_alert_satisfies_its_schema_and_a_wrong_one_does_not() {
        let schema = serde_json::to_value(schema_for!(AlertEvent)).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let event = AlertEvent::alert(
            Uuid::nil(),
            "karaul1/a/b/c/d".into(),
            Timestamp::UNIX_EPOCH,
            Timestamp::UNIX_EPOCH,
            1,
            Alert::example(),
        );
        let mut json = serde_json::to_value(event).unwrap();
        assert!(validator.is_valid(&json), "{:?}", validator.validate(&json).err());
        json["data"]["incident"]["severity"] = "terrible".into();
        assert!(!validator.is_valid(&json));
    }
}
