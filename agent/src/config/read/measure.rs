use toml::{Spanned, de::DeValue};

use super::value::{Checked, Wrong};
use crate::config::{
    Distance, Pace,
    keys::{Key, Takes},
    units,
};

pub(super) fn distance(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Distance> {
    measure(key, value, units::distance, &["m", "heights"])
}

pub(super) fn pace(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Pace> {
    measure(key, value, units::pace, &["km/h", "heights/s"])
}

/// A number with its unit; what people write without one is asked back.
fn measure<T>(
    key: &'static Key,
    value: &Spanned<DeValue<'_>>,
    read: impl Fn(&str) -> Option<T>,
    units: &[&str; 2],
) -> Checked<T> {
    let number = match value.get_ref() {
        DeValue::String(text) => return read(text).map_or_else(|| Wrong::unfit(key, value.get_ref()), Ok),
        DeValue::Integer(number) => number.to_string(),
        DeValue::Float(number) => number.to_string(),
        other => return Wrong::unfit(key, other),
    };
    let [ours, theirs] = units;
    let remedy = format!("write {} = \"{number}{ours}\" or \"{number}{theirs}\"", key.name);
    Wrong::new("a number tells nothing without its unit", remedy)
}

/// `[n, m]`.
pub(super) fn out_of(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<[u32; 2]> {
    let (Takes::OutOf(most), DeValue::Array(items)) = (&key.takes, value.get_ref()) else {
        return Wrong::unfit(key, value.get_ref());
    };
    let whole = |item: &Spanned<DeValue<'_>>| match item.get_ref() {
        DeValue::Integer(number) => u32::from_str_radix(number.as_str(), number.radix()).ok(),
        _ => None,
    };
    match items.iter().map(whole).collect::<Vec<_>>()[..] {
        [Some(n), Some(m)] if 1 <= n && n <= m && m <= *most => Ok([n, m]),
        [Some(n), Some(m)] if m < n && 1 <= m && n <= *most => {
            Wrong::new(format!("nothing is seen {n} times in {m} looks"), format!("write {} = [{m}, {n}]", key.name))
        }
        _ => Wrong::unfit(key, value.get_ref()),
    }
}
