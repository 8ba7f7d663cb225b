use std::{
    ops::Range,
    path::{Path, PathBuf},
};

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{Config, Outcome, Problems, Secrets, read_text};

/// The text of a config file, to be read with another value in one place than it has: each value is checked as if it
/// stood in the file.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    text: String,
}

/// Where the value of a key stands, or can be put.
#[derive(Debug)]
enum Place<'k> {
    /// It stands here.
    There(Range<usize>),
    /// A line with it can be put here, under this name.
    Line(usize, &'k str),
    /// It can be put here, in a table on one line, under this name.
    Inline(usize, &'k str),
}

impl Draft {
    /// Takes the text of a file as it is.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn of(path: &Path) -> Result<Self, Problems> {
        let text = read_text(path).map_err(|why| Problems::unreadable(path, &why))?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// Reads it as the config that it describes.
    pub(crate) fn read(&self, secrets: Secrets) -> Outcome {
        Config::parse(&self.path, &self.text, None, secrets)
    }

    /// What is written for a key of a rule, in TOML.
    pub(crate) fn written(&self, camera: &str, rule: &str, key: &str) -> Option<&str> {
        match self.place(camera, rule, key)? {
            Place::There(span) => self.text.get(span),
            Place::Line(..) | Place::Inline(..) => None,
        }
    }

    /// The same with this value, in TOML, for a key of a rule, whether it had one or not; `None` if there is no such
    /// rule. Whether the rule may have such a key is found out when it is read.
    pub(crate) fn with(&self, camera: &str, rule: &str, key: &str, value: &str) -> Option<Self> {
        let mut text = self.text.clone();
        match self.place(camera, rule, key)? {
            Place::There(span) => text.replace_range(span, value),
            Place::Line(at, name) => text.insert_str(at, &format!("\n{name} = {value}")),
            Place::Inline(at, name) => text.insert_str(at, &format!(", {name} = {value}")),
        }
        Some(Self { path: self.path.clone(), text })
    }

    fn place<'k>(&self, camera: &str, rule: &str, key: &'k str) -> Option<Place<'k>> {
        let root = DeTable::parse(&self.text).ok()?;
        let (_, camera) = find(root.get_ref(), "camera", camera)?;
        let (mut span, mut table) = find(camera, "rule", rule)?;
        let mut name = key;
        while let Some((first, rest)) = name.split_once('.') {
            let Some(value) = table.get(first) else { break };
            let DeValue::Table(inner) = value.get_ref() else { break };
            (span, table, name) = (value.span(), inner, rest);
        }
        if let Some(value) = table.get(name) {
            return Some(Place::There(value.span()));
        }
        // After the first value, which stands before any table within this one.
        let first = table.values().filter(|value| !matches!(value.get_ref(), DeValue::Table(_) | DeValue::Array(_)));
        let at = first.map(Spanned::span).min_by_key(|span| span.start)?.end;
        let inline = self.text.get(span)?.starts_with('{');
        Some(if inline { Place::Inline(at, name) } else { Place::Line(at, name) })
    }
}

/// The table with this id in a list of tables, and where it stands.
fn find<'a>(table: &'a DeTable<'a>, list: &str, id: &str) -> Option<(Range<usize>, &'a DeTable<'a>)> {
    let DeValue::Array(items) = table.get(list)?.get_ref() else { return None };
    items.iter().find_map(|item| match item.get_ref() {
        DeValue::Table(table) => {
            let found = matches!(table.get("id")?.get_ref(), DeValue::String(text) if text == id);
            found.then(|| (item.span(), table))
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::{RuleKind, sample};

    const CAMERA: &str = r#"
[[camera]]
id = "gate"
url = "rtsp://192.0.2.1/"
model = "yard-nano"
purpose = "test"
[camera.zone.yard]
points = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
[[camera.rule]]
classes = ["person"]
id = "stays" # who is here for long
kind = "intrusion"
zone = "yard"
dwell = "20s"
[[camera.rule]]
id = "any"
kind = "intrusion"
zone = "yard"
classes = ["person"]
"#;

    fn draft(cameras: &str) -> Draft {
        Draft { path: PathBuf::from("site.toml"), text: sample::head("Asia/Almaty", &["en"]) + cameras }
    }

    fn dwells(draft: &Draft) -> Vec<Duration> {
        let Outcome { config, problems } = draft.read(Secrets::Ignored);
        let config = config.unwrap_or_else(|| panic!("{problems}"));
        let dwell = |rule: &crate::config::Rule| match rule.kind {
            RuleKind::Intrusion { dwell, .. } => dwell,
            _ => panic!("another kind"),
        };
        config.cameras[0].rules.iter().map(dwell).collect()
    }

    #[test]
    fn a_value_is_put_in_the_place_of_another_or_in_a_line_of_its_own() {
        let seconds = Duration::from_secs;
        let site = draft(CAMERA);
        assert_eq!(dwells(&site), [seconds(20), seconds(1)]);
        assert_eq!(site.written("gate", "stays", "dwell"), Some("\"20s\""));
        assert_eq!(site.written("gate", "any", "dwell"), None);
        assert_eq!(dwells(&site.with("gate", "stays", "dwell", "\"3s\"").unwrap()), [seconds(3), seconds(1)]);
        let other = site.with("gate", "any", "dwell", "\"3s\"").unwrap();
        assert_eq!(dwells(&other), [seconds(20), seconds(3)]);
        let again = other.with("gate", "any", "dwell", "\"4s\"").unwrap();
        assert_eq!(dwells(&again), [seconds(20), seconds(4)]);
        let score = site.with("gate", "stays", "min_score", "0.7").unwrap();
        assert!(score.text.contains("id = \"stays\"\nmin_score = 0.7 # who is here for long\n"), "{}", score.text);
        assert!(site.with("gate", "nobody", "dwell", "\"3s\"").is_none());
        assert!(site.with("roof", "stays", "dwell", "\"3s\"").is_none());
    }

    #[test]
    fn tables_on_one_line_and_tables_in_a_rule_are_changed_as_well() {
        let text = "rule = [{ id = \"any\", kind = \"intrusion\", zone = \"yard\", classes = [\"person\"] }]";
        let begin = CAMERA.find("[camera.zone").unwrap();
        let end = CAMERA.find("[[camera.rule").unwrap();
        let site = draft(&format!("{}{text}\n{}", &CAMERA[..begin], &CAMERA[begin..end]));
        let changed = site.with("gate", "any", "dwell", "\"3s\"").unwrap();
        assert_eq!(dwells(&changed), [Duration::from_secs(3)]);
        let site = draft(&format!("{CAMERA}[camera.rule.night]\nmin_score = 0.4\n"));
        assert_eq!(site.written("gate", "any", "night.min_score"), Some("0.4"));
        let changed = site.with("gate", "any", "night.dwell", "\"3s\"").unwrap();
        assert!(changed.text.ends_with("[camera.rule.night]\nmin_score = 0.4\ndwell = \"3s\"\n"), "{}", changed.text);
        let changed = site.with("gate", "stays", "night.min_score", "0.3").unwrap();
        assert!(changed.text.contains("id = \"stays\"\nnight.min_score = 0.3 #"), "{}", changed.text);
    }

    #[test]
    fn a_value_that_does_not_fit_is_told_as_if_it_stood_in_the_file() {
        let says = |key, value| {
            let changed = draft(CAMERA).with("gate", "stays", key, value).unwrap();
            changed.read(Secrets::Ignored).problems.list()[0].message.clone()
        };
        assert_eq!(
            says("dwell", "\"2h\""),
            "camera \"gate\", rule \"stays\": dwell = \"2h\": a duration with its unit (ms, s, m, h) from 0s to 1h is wanted"
        );
        assert_eq!(says("dwel", "\"2s\""), "camera \"gate\", rule \"stays\": dwel: there is no such key");
    }
}
