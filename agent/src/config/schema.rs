//! The JSON Schema of the config, so that editors complete and check it while it is written.

use karaul_wire::RuleKind;
use serde_json::{Map, Value, json};
use toml::de::DeValue;

use super::keys::{Key, Need, ROOT, Takes};

const BROKER_URL: &str = "^[Mm][Qq][Tt][Tt][Ss]?://[^@]+$";

/// JSON Schema (draft 2020-12) of the config file, made from the catalogue of keys. It says less
/// than reading does: that names are defined and ranges of durations kept is not in it.
#[must_use]
pub fn schema() -> Value {
    let mut schema = table(ROOT.iter());
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Karaul site configuration".into();
    schema
}

fn table<'k>(keys: impl Iterator<Item = &'k Key> + Clone) -> Value {
    let properties: Map<String, Value> = keys.clone().map(|key| (key.name.to_owned(), property(key))).collect();
    let required: Vec<&str> = keys.filter(|k| matches!(k.need, Need::Required(_))).map(|k| k.name).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

/// Tables whose keys depend on `kind` are one of several.
fn table_of_kinds(keys: &'static [Key]) -> Value {
    if keys.iter().all(|key| key.kinds.is_empty()) {
        return table(keys.iter());
    }
    let of_kind = |kind: RuleKind| {
        let mut variant = table(keys.iter().filter(move |key| key.is_for(Some(kind))));
        variant["properties"]["kind"] = json!({ "const": kind.as_str() });
        variant
    };
    json!({ "oneOf": RuleKind::ALL.map(of_kind) })
}

fn property(key: &Key) -> Value {
    let text = |pattern: &str| json!({ "type": "string", "pattern": pattern });
    let share = || json!({ "type": "number", "minimum": 0, "maximum": 1 });
    let mut schema = match &key.takes {
        Takes::Id => text("^[a-z0-9-]{1,32}$"),
        Takes::Text | Takes::Path | Takes::TimeZone => json!({ "type": "string", "minLength": 1 }),
        Takes::Word(words) => json!({ "enum": words }),
        Takes::Words(words) => {
            json!({ "type": "array", "items": { "enum": words }, "minItems": 1, "uniqueItems": true })
        }
        Takes::Texts => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        Takes::Ids => {
            json!({ "type": "array", "items": text("^[a-z0-9-]{1,32}$"), "minItems": 1, "uniqueItems": true })
        }
        Takes::Flag => json!({ "type": "boolean" }),
        Takes::Number(min, max) => json!({ "type": "number", "minimum": min, "maximum": max }),
        Takes::Whole(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Takes::Duration(..) => text("^[0-9.]+ *(ms|s|m|min|h)$"),
        Takes::Size(..) => text("^[0-9.]+ *([KMGTkmgt]i?)?[Bb]$"),
        Takes::Pair => json!({ "type": "array", "items": share(), "minItems": 2, "maxItems": 2 }),
        Takes::OutOf(most) => {
            let count = json!({ "type": "integer", "minimum": 1, "maximum": most });
            json!({ "type": "array", "items": count, "minItems": 2, "maxItems": 2 })
        }
        Takes::Metres(count, most) => {
            let metres = json!({ "type": "number", "minimum": -most, "maximum": most });
            let place = json!({ "type": "array", "items": metres, "minItems": 2, "maxItems": 2 });
            json!({ "type": "array", "items": place, "minItems": count, "maxItems": count })
        }
        Takes::Distance => text("^[0-9.]+ *(m|heights?)$"),
        Takes::Pace => text("^[0-9.]+ *(km/h|heights?/s)$"),
        Takes::Points(min, max) => {
            let point = json!({ "type": "array", "items": share(), "minItems": 2, "maxItems": 2 });
            json!({ "type": "array", "items": point, "minItems": min, "maxItems": max })
        }
        Takes::Spans(least) => {
            let time = "([01][0-9]|2[0-4]):[0-5][0-9]";
            json!({ "type": "array", "items": text(&format!("^{time} *[-–] *{time}$")), "minItems": least })
        }
        Takes::Holidays => {
            let (day, yearly) = ("[0-9]{4}-[0-9]{2}-[0-9]{2}", "[0-9]{2}-[0-9]{2}");
            let one = format!("^({day}([.][.]{day})?|every {yearly}([.][.]{yearly})?)$");
            json!({ "type": "array", "items": text(&one), "minItems": 1 })
        }
        Takes::TimeOfDay => text("^([01][0-9]|2[0-3]):[0-5][0-9]$"),
        Takes::TopicPrefix => text("^[^#+$/][^#+]*$"),
        Takes::CameraUrl => text("^[Rr][Tt][Ss][Pp][Ss]?://[^@]+$"),
        Takes::BrokerUrl => text(BROKER_URL),
        Takes::BrokerUrls(max) => {
            json!({ "type": "array", "items": text(BROKER_URL), "minItems": 1, "maxItems": max })
        }
        Takes::PublicKey => text("^([A-Za-z0-9_-]{43}|file:.+)$"),
        Takes::Day => text("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"),
        Takes::Password => text("^(credential:[A-Za-z0-9_-][A-Za-z0-9._-]*|file:.+)$"),
        Takes::Table(keys) => table_of_kinds(keys),
        Takes::Tables(keys) => json!({ "type": "array", "items": table_of_kinds(keys) }),
        Takes::Named(keys) => {
            let ids = json!({ "pattern": "^[a-z0-9-]{1,32}$" });
            json!({ "type": "object", "propertyNames": ids, "additionalProperties": table_of_kinds(keys) })
        }
    };
    schema["description"] = key.says.into();
    if let Need::Default(text) = key.need {
        // That every default is TOML is proved by a test of the catalogue.
        if let Ok(value) = DeValue::parse(text) {
            schema["default"] = value_of(value.get_ref());
        }
    }
    schema
}

fn value_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(flag) => (*flag).into(),
        DeValue::Array(items) => items.iter().map(|item| value_of(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(name, value)| (name.get_ref().to_string(), value_of(value.get_ref()))).collect()
        }
        DeValue::Integer(number) => number.as_str().parse::<i64>().map_or(Value::Null, Into::into),
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Into::into),
        DeValue::Datetime(at) => at.to_string().into(),
    }
}
