//! Tables for people.

use super::compare::{Counts, Tally};

/// Columns of counts.
const COUNTS: [&str; 5] = ["hits", "misses", "false alarms", "precision", "recall"];

/// What came of each rule, and of all.
pub(super) fn by_rule(tally: &Tally) -> String {
    let mut rows = vec![[vec!["camera", "rule"], COUNTS.to_vec()].concat().into_iter().map(str::to_owned).collect()];
    for (camera, rule, counts) in tally.rules() {
        rows.push([vec![camera.to_owned(), rule.to_owned()], cells(counts)].concat());
    }
    rows.push([vec!["all".to_owned(), String::new()], cells(tally.sum(|_| true))].concat());
    columns(&rows, 2)
}

/// What came of each value of a sweep.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// The value.
    pub(super) value: String,
    /// It is the one in the config.
    pub(super) present: bool,
    /// Of the rule that has it.
    pub(super) own: Counts,
    /// Of all others.
    pub(super) others: Counts,
}

/// What came of each value; of other rules only if something is wrong with them.
pub(super) fn by_value(target: &str, rows: &[Row]) -> String {
    let others = rows.iter().any(|row| row.others.misses + row.others.false_alarms > 0);
    let mut head: Vec<String> = [&[target], &COUNTS[..]].concat().into_iter().map(str::to_owned).collect();
    if others {
        head.push("other rules".to_owned());
    }
    if rows.iter().any(|row| row.present) {
        head.push(String::new());
    }
    let mut table = vec![head];
    for row in rows {
        let mut line = [vec![row.value.clone()], cells(row.own)].concat();
        if others {
            line.push(format!("{} missed, {} false", row.others.misses, row.others.false_alarms));
        }
        if row.present {
            line.push("<- in the config".to_owned());
        }
        table.push(line);
    }
    columns(&table, 1)
}

fn cells(counts: Counts) -> Vec<String> {
    let share = |share: Option<usize>| share.map_or_else(|| "-".to_owned(), |share| format!("{share} %"));
    vec![
        counts.hits.to_string(),
        counts.misses.to_string(),
        counts.false_alarms.to_string(),
        share(counts.precision()),
        share(counts.recall()),
    ]
}

/// Rows as lines, the first `words` columns to the left and the others to the right.
fn columns(rows: &[Vec<String>], words: usize) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let length = |cell: &String| cell.chars().count();
    let widths: Vec<usize> =
        (0..count).map(|n| rows.iter().filter_map(|row| row.get(n)).map(length).max().unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells =
            row.iter().zip(&widths).enumerate().map(|(n, (cell, width))| {
                if n < words { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{
        super::{
            compare::{Found, compare},
            expected::{Event, When},
        },
        *,
    };

    #[test]
    fn rules_have_a_line_each_and_all_have_one() {
        let mut tally = Tally::default();
        tally.expect("gate", ["quiet"].into_iter());
        let expected = [1.0, 50.0].map(|at| Event { rule: "fence".to_owned(), when: When::At(at, 1.0) });
        let found = [1.0, 9.0].map(|at| Found { rule: "fence".to_owned(), at });
        tally.count("gate", &compare(&expected, &found));
        insta::assert_snapshot!(by_rule(&tally), @r"
        camera  rule   hits  misses  false alarms  precision  recall
        gate    fence     1       1             1       50 %    50 %
        gate    quiet     0       0             0          -       -
        all               1       1             1       50 %    50 %
        ");
    }

    #[test]
    fn values_have_a_line_each() {
        let counts = |hits, misses, false_alarms| Counts { hits, misses, false_alarms };
        let row = |value: &str, own, others| Row { value: value.to_owned(), present: value == "10s", own, others };
        let rows = [row("1s", counts(6, 0, 3), counts(2, 0, 0)), row("10s", counts(5, 1, 0), counts(2, 0, 0))];
        insta::assert_snapshot!(by_value("fence.dwell", &rows), @r"
        fence.dwell  hits  misses  false alarms  precision  recall
        1s              6       0             3       66 %   100 %
        10s             5       1             0      100 %    83 %  <- in the config
        ");
        let rows = [row("1s", counts(0, 0, 0), counts(2, 1, 0)), row("2s", counts(5, 1, 0), counts(2, 0, 3))];
        insta::assert_snapshot!(by_value("fence.dwell", &rows), @r"
        fence.dwell  hits  misses  false alarms  precision  recall        other rules
        1s              0       0             0          -       -  1 missed, 0 false
        2s              5       1             0      100 %    83 %  0 missed, 3 false
        ");
    }
}
