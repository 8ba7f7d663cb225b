//! `--sweep fence.dwell=1s..10s`: which values a key of a rule is to have, one after the other.

use std::{str::FromStr, time::Duration};

use crate::config::{duration, show_duration};

/// A table of more values is read by nobody.
const MOST: usize = 50;

/// So many steps are made of a range if nobody says how many.
const STEPS: f64 = 10.0;

/// What is to be changed, and to what.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Sweep {
    pub(super) rule: String,
    pub(super) key: String,
    /// Rising, at least two.
    pub(super) values: Vec<Value>,
}

/// One value of the key.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Value {
    /// A number, or seconds.
    pub(super) number: f64,
    /// As it is shown.
    pub(super) shown: String,
    /// As it is written in the config.
    pub(super) toml: String,
}

/// Why it is no sweep.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SweepError {
    #[error(
        "write RULE.KEY=FROM..TO, for example fence.dwell=1s..10s; after it /5 for five values, or :500ms for steps of that size"
    )]
    Form,
    #[error("\"{0}\" is neither a number nor a time as 500ms, 2s, 5m or 1h")]
    Value(String),
    #[error("\"{0}\" and \"{1}\" do not go together: write two numbers or two times")]
    Mixed(String, String),
    #[error("{0} is not below {1}; write the lower value first")]
    Falling(String, String),
    #[error("\"{0}\" is no number of values: write 2 to {MOST}")]
    Count(String),
    #[error("that makes more than {MOST} values; take larger steps")]
    TooMany,
    #[error("steps have to be above 0")]
    NoStep,
}

/// What values count in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Number,
    /// Whole numbers, of which there is nothing in between unless somebody asks.
    Whole,
    Milliseconds,
}

impl FromStr for Sweep {
    type Err = SweepError;

    fn from_str(text: &str) -> Result<Self, SweepError> {
        let (target, range) = text.split_once('=').ok_or(SweepError::Form)?;
        let (rule, key) = target.split_once('.').ok_or(SweepError::Form)?;
        let (from, rest) = range.split_once("..").ok_or(SweepError::Form)?;
        let known = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
        let is_key = |part: &str| !part.is_empty() && part.chars().all(known);
        if !is_key(rule) || !key.split('.').all(is_key) {
            return Err(SweepError::Form);
        }
        let (to, how) = match rest.find(['/', ':']) {
            Some(at) => (&rest[..at], Some(rest.split_at(at).1)),
            None => (rest, None),
        };
        let (from, to) = (number(from)?, number(to).map_err(|_| SweepError::Value(to.to_owned()))?);
        let unit = match (from, to) {
            ((_, Unit::Milliseconds), (_, Unit::Milliseconds)) => Unit::Milliseconds,
            ((_, Unit::Milliseconds), _) | (_, (_, Unit::Milliseconds)) => {
                let (from, to) = range.split_once("..").ok_or(SweepError::Form)?;
                return Err(SweepError::Mixed(from.to_owned(), to.to_owned()));
            }
            ((_, Unit::Whole), (_, Unit::Whole)) => Unit::Whole,
            _ => Unit::Number,
        };
        let (from, to) = (from.0, to.0);
        let shown = |number| Value::new(number, unit).shown;
        if from >= to {
            return Err(SweepError::Falling(shown(from), shown(to)));
        }
        let numbers = match how.map(|how| how.split_at(1)) {
            None => stepped(from, to, fit_step(to - from, unit))?,
            Some(("/", count)) => {
                let wrong = || SweepError::Count(count.to_owned());
                let count = count.parse().ok().filter(|n| (2..=MOST).contains(n)).ok_or_else(wrong)?;
                (0..count).map(|n| from + (to - from) * n as f64 / (count - 1) as f64).collect()
            }
            Some((_, step)) => match number(step)? {
                (step, _) if step <= 0.0 => return Err(SweepError::NoStep),
                (step, of) if (of == Unit::Milliseconds) == (unit == Unit::Milliseconds) => stepped(from, to, step)?,
                _ => return Err(SweepError::Mixed(shown(from), step.to_owned())),
            },
        };
        let values = numbers.into_iter().map(|number| Value::new(number, unit)).collect();
        Ok(Self { rule: rule.to_owned(), key: key.to_owned(), values })
    }
}

impl Sweep {
    /// `fence.dwell`.
    pub(super) fn target(&self) -> String {
        format!("{}.{}", self.rule, self.key)
    }

    /// What a value that stands in the config is in numbers, if it is of this kind.
    pub(super) fn number_of(&self, toml: &str) -> Option<f64> {
        let quoted = toml.trim_matches(['"', '\'']);
        let (number, unit) = number(quoted).ok()?;
        Some(if unit == Unit::Milliseconds { number / 1e3 } else { number })
    }
}

impl Value {
    fn new(number: f64, unit: Unit) -> Self {
        if unit == Unit::Milliseconds {
            // Whole milliseconds, as the config counts; the cast saturates.
            let time = Duration::from_millis(number.round() as u64);
            let shown = show_duration(time);
            return Self { number: time.as_secs_f64(), toml: format!("\"{shown}\""), shown };
        }
        // What steps add up to is not to be shown with fifteen digits.
        let number = (number * 1e6).round() / 1e6;
        let shown = number.to_string();
        Self { number, toml: shown.clone(), shown }
    }
}

/// A number, or a time in milliseconds.
fn number(text: &str) -> Result<(f64, Unit), SweepError> {
    if let Some(time) = duration(text) {
        return Ok((time.as_secs_f64() * 1e3, Unit::Milliseconds));
    }
    let wrong = || SweepError::Value(text.to_owned());
    let number: f64 = text.parse().ok().filter(|n: &f64| n.is_finite()).ok_or_else(wrong)?;
    Ok((number, if text.contains('.') { Unit::Number } else { Unit::Whole }))
}

/// From the one to the other, which is there in any case.
fn stepped(from: f64, to: f64, step: f64) -> Result<Vec<f64>, SweepError> {
    /// What is this near to a whole number of steps is one.
    const SLACK: f64 = 1e-6;
    let steps = ((to - from) / step - SLACK).floor().max(0.0);
    if steps >= (MOST - 1) as f64 {
        return Err(SweepError::TooMany);
    }
    // Below MOST.
    let mut values: Vec<f64> = (0..=steps as usize).map(|n| from + step * n as f64).collect();
    values.push(to);
    Ok(values)
}

/// The smallest round step that makes few enough values.
fn fit_step(range: f64, unit: Unit) -> f64 {
    const CLOCK: [f64; 8] = [15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 1_800e3, 3_600e3];
    let least = range / STEPS;
    if unit == Unit::Milliseconds
        && least > 10e3
        && let Some(step) = CLOCK.into_iter().find(|step| *step >= least)
    {
        return step;
    }
    let decade = 10_f64.powf(least.log10().floor());
    let rounds = [1.0, 2.0, 5.0, 10.0].map(|n| n * decade);
    let step = rounds.into_iter().find(|step| *step >= least * (1.0 - 1e-9)).unwrap_or(least);
    if unit == Unit::Number { step } else { step.max(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(text: &str) -> String {
        let sweep: Sweep = text.parse().unwrap();
        sweep.values.iter().map(|value| value.toml.trim_matches('"')).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_range_has_round_steps_unless_others_are_asked_for() {
        for (range, expected) in [
            ("1s..10s", "1s 2s 3s 4s 5s 6s 7s 8s 9s 10s"),
            ("0s..2s", "0s 200ms 400ms 600ms 800ms 1s 1200ms 1400ms 1600ms 1800ms 2s"),
            ("10s..2m", "10s 25s 40s 55s 70s 85s 100s 115s 2m"),
            ("1s..10s/4", "1s 4s 7s 10s"),
            ("1s..2.2s:500ms", "1s 1500ms 2s 2200ms"),
            ("0.3..0.7", "0.3 0.35 0.4 0.45 0.5 0.55 0.6 0.65 0.7"),
            ("0..1.0", "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7 0.8 0.9 1"),
            ("0.3..0.7/3", "0.3 0.5 0.7"),
            ("2..5", "2 3 4 5"),
            ("1..100", "1 11 21 31 41 51 61 71 81 91 100"),
            ("0.1..0.4:0.15", "0.1 0.25 0.4"),
        ] {
            assert_eq!(values(&format!("fence.dwell={range}")), expected, "{range}");
        }
        let sweep: Sweep = "fence.night.dwell=1500ms..2s/2".parse().unwrap();
        assert_eq!(
            (&*sweep.rule, &*sweep.key, sweep.target()),
            ("fence", "night.dwell", "fence.night.dwell".to_owned())
        );
        let first = Value { number: 1.5, shown: "1500ms".to_owned(), toml: "\"1500ms\"".to_owned() };
        assert_eq!(sweep.values[0], first);
        assert_eq!(
            (sweep.number_of("'1.5s'"), sweep.number_of("0.25"), sweep.number_of("[1]")),
            (Some(1.5), Some(0.25), None)
        );
    }

    #[test]
    fn what_is_no_sweep_is_refused_with_the_form() {
        let says = |text: &str| text.parse::<Sweep>().unwrap_err().to_string();
        for text in
            ["", "fence", "fence.dwell", "fence=1s..2s", "fence.dwell=2s", ".dwell=1s..2s", "a.b c=1..2", "a.=1..2"]
        {
            assert_eq!(
                says(text),
                "write RULE.KEY=FROM..TO, for example fence.dwell=1s..10s; after it /5 for five values, or :500ms for steps of \
                 that size",
                "{text}"
            );
        }
        assert_eq!(says("a.b=1x..2s"), "\"1x\" is neither a number nor a time as 500ms, 2s, 5m or 1h");
        assert_eq!(says("a.b=1..2s"), "\"1\" and \"2s\" do not go together: write two numbers or two times");
        assert_eq!(says("a.b=1s..2s:1"), "\"1s\" and \"1\" do not go together: write two numbers or two times");
        assert_eq!(says("a.b=10s..1s"), "10s is not below 1s; write the lower value first");
        assert_eq!(says("a.b=1..2/1"), "\"1\" is no number of values: write 2 to 50");
        assert_eq!(says("a.b=1..2/many"), "\"many\" is no number of values: write 2 to 50");
        assert_eq!(says("a.b=1s..1h:1s"), "that makes more than 50 values; take larger steps");
        assert_eq!(says("a.b=1..2:0"), "steps have to be above 0");
        assert_eq!(says("a.b=nan..2"), "\"nan\" is neither a number nor a time as 500ms, 2s, 5m or 1h");
    }
}
