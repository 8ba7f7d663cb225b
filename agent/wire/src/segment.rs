use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One level of a topic and, at the same time, the id of a region, site, box,
/// camera, zone or rule: `[a-z0-9-]{1,32}`.
///
/// The alphabet keeps ids free of MQTT's `/`, `+`, `#` and of anything that a
/// file name, a URL or a shell would have to quote.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[a-z0-9-]{1,32}$"))]
pub struct Segment(String);

/// Why a text is not a [`Segment`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SegmentError {
    /// Nothing at all.
    #[error("an id cannot be empty: use 1 to 32 of a-z, 0-9 and '-'")]
    Empty,
    /// Longer than 32 characters.
    #[error("'{0}' is {1} characters long: an id has at most 32")]
    TooLong(String, usize),
    /// A character outside the alphabet.
    #[error("'{0}' contains '{1}': an id has only a-z, 0-9 and '-'")]
    BadCharacter(String, char),
}

impl Segment {
    /// Longest segment, in characters.
    pub const MAX_LEN: usize = 32;

    /// The text itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The nearest valid id to any text, for "did you mean": lower case, other
    /// characters become single hyphens, cut at 32. `None` if nothing remains.
    #[must_use]
    pub fn suggest(text: &str) -> Option<Self> {
        let mut id = String::new();
        for c in text.chars().flat_map(char::to_lowercase) {
            if c.is_ascii_lowercase() || c.is_ascii_digit() {
                id.push(c);
            } else if !id.is_empty() && !id.ends_with('-') {
                id.push('-');
            }
            if id.len() == Self::MAX_LEN {
                break;
            }
        }
        let id = id.trim_end_matches('-');
        id.parse().ok()
    }
}

impl FromStr for Segment {
    type Err = SegmentError;

    fn from_str(text: &str) -> Result<Self, SegmentError> {
        if text.is_empty() {
            return Err(SegmentError::Empty);
        }
        if let Some(bad) = text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-')) {
            return Err(SegmentError::BadCharacter(text.to_owned(), bad));
        }
        if text.len() > Self::MAX_LEN {
            return Err(SegmentError::TooLong(text.to_owned(), text.len()));
        }
        Ok(Self(text.to_owned()))
    }
}

impl TryFrom<String> for Segment {
    type Error = SegmentError;

    fn try_from(text: String) -> Result<Self, SegmentError> {
        text.parse()
    }
}

impl From<Segment> for String {
    fn from(segment: Segment) -> Self {
        segment.0
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refusals_say_what_is_wrong() {
        let says = |text: &str| text.parse::<Segment>().unwrap_err().to_string();
        assert_eq!(says(""), "an id cannot be empty: use 1 to 32 of a-z, 0-9 and '-'");
        assert_eq!(says("Gate"), "'Gate' contains 'G': an id has only a-z, 0-9 and '-'");
        assert_eq!(says("a/b"), "'a/b' contains '/': an id has only a-z, 0-9 and '-'");
        assert!(says(&"x".repeat(33)).ends_with("is 33 characters long: an id has at most 32"));
    }

    proptest! {
        #[test]
        fn a_suggestion_is_always_valid(text in ".{0,60}") {
            if let Some(id) = Segment::suggest(&text) {
                prop_assert_eq!(id.as_str().parse::<Segment>().unwrap(), id);
            }
        }
    }
}
