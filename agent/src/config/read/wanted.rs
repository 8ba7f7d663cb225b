use toml::de::DeValue;

use crate::config::{keys::Takes, units};

/// What a key takes, as the subject of "… is wanted".
pub(super) fn wanted(takes: &Takes) -> String {
    match takes {
        Takes::Id => "an id of 1 to 32 of a-z, 0-9 and '-'".to_owned(),
        Takes::Text => "a text in quotes".to_owned(),
        Takes::Word(words) => format!("one of {}", quoted(words)),
        Takes::Words(words) => format!("a list of {}", quoted(words)),
        Takes::Texts => "a list of texts in quotes".to_owned(),
        Takes::Ids => "a list of ids in quotes".to_owned(),
        Takes::Flag => "true or false".to_owned(),
        Takes::Number(min, max) => format!("a number from {min} to {max}"),
        Takes::Whole(min, max) => format!("a whole number from {min} to {max}"),
        Takes::Duration(min, max) => {
            format!(
                "a duration with its unit (ms, s, m, h) from {} to {}",
                units::show_duration(*min),
                units::show_duration(*max)
            )
        }
        Takes::Size(min, max) => {
            format!(
                "a size with its unit (KiB, MiB, GiB) from {} to {}",
                units::show_size(*min),
                units::show_size(*max)
            )
        }
        Takes::Pair => "a list of width and height, both from 0 to 1,".to_owned(),
        Takes::OutOf(most) => format!("[n, m], two whole numbers with 1 <= n <= m <= {most},"),
        Takes::Metres(count, _) => format!("a list of {count} places [x, y] in metres"),
        Takes::Distance => {
            let (metres, heights) = (units::METRES, units::HEIGHTS);
            format!(
                "a distance, \"{}m\" to \"{}m\" or \"{}heights\" to \"{}heights\" of an object,",
                metres.start(),
                metres.end(),
                heights.start(),
                heights.end()
            )
        }
        Takes::Pace => {
            let (fast, heights) = (units::KM_PER_HOUR, units::HEIGHTS_PER_SECOND);
            format!(
                "a speed, \"{}km/h\" to \"{}km/h\" or \"{}heights/s\" to \"{}heights/s\" of an object,",
                fast.start(),
                fast.end(),
                heights.start(),
                heights.end()
            )
        }
        Takes::Points(min, max) if min == max => format!("a list of {min} points [x, y]"),
        Takes::Points(min, max) => format!("a list of {min} to {max} points [x, y]"),
        Takes::TimeOfDay => "a time of day in quotes, hours:minutes".to_owned(),
        Takes::Spans(_) => "a list of spans of a day".to_owned(),
        Takes::Holidays => "a list of days in quotes".to_owned(),
        Takes::TopicPrefix => "an MQTT topic in quotes".to_owned(),
        Takes::CameraUrl => "an rtsp:// or rtsps:// address".to_owned(),
        Takes::BrokerUrl => "an mqtt:// or mqtts:// address".to_owned(),
        Takes::BrokerUrls(max) => format!("a list of up to {max} mqtt:// or mqtts:// addresses"),
        Takes::Path => "a path in quotes".to_owned(),
        Takes::Password => "\"credential:NAME\" or \"file:PATH\"".to_owned(),
        Takes::PublicKey => "an Ed25519 public key in Base64url, or \"file:PATH\"".to_owned(),
        Takes::Day => "a day in quotes, year-month-day".to_owned(),
        Takes::TimeZone => "the IANA name of a time zone".to_owned(),
        Takes::Table(_) | Takes::Tables(_) | Takes::Named(_) => "a table".to_owned(),
    }
}

pub(super) fn quoted(words: &[&str]) -> String {
    words.iter().map(|w| format!("\"{w}\"")).collect::<Vec<_>>().join(", ")
}

/// What a value is, as the end of "… is wanted, not …".
pub(super) fn found(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time without quotes",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
