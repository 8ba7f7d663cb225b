use std::fmt;

/// What a proof found, as a Markdown table.
#[derive(Debug)]
pub(crate) struct Report {
    title: String,
    rows: Vec<(String, String)>,
    tables: Vec<String>,
    broken: bool,
}

impl Report {
    /// An empty one.
    pub(crate) fn new(title: impl Into<String>) -> Self {
        Self { title: title.into(), rows: Vec::new(), tables: Vec::new(), broken: false }
    }

    /// Adds a figure.
    pub(crate) fn fact(&mut self, what: impl Into<String>, figure: impl fmt::Display) {
        self.rows.push((what.into(), figure.to_string()));
    }

    /// Adds a promise, with all that breaks it. None is what is wanted.
    pub(crate) fn promise(&mut self, what: impl Into<String>, breaches: &[String]) {
        /// So many are shown.
        const SHOWN: usize = 5;
        let text = if breaches.is_empty() {
            "kept".to_owned()
        } else {
            self.broken = true;
            format!("**broken** {} times: {}", breaches.len(), breaches[..breaches.len().min(SHOWN)].join("; "))
        };
        self.rows.push((what.into(), text));
    }

    /// Adds an aim, with the figure that was reached.
    pub(crate) fn aim(&mut self, what: impl Into<String>, figure: impl fmt::Display, reached: bool) {
        self.broken |= !reached;
        self.rows.push((what.into(), format!("{figure}{}", if reached { ", reached" } else { ", **missed**" })));
    }

    /// Adds a table of its own, in Markdown; it is shown below.
    pub(crate) fn table(&mut self, table: String) {
        self.tables.push(table);
    }

    /// Was every promise kept and every aim reached?
    pub(crate) const fn holds(&self) -> bool {
        !self.broken
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\n| {} | |\n| --- | --- |", self.title)?;
        self.rows.iter().try_for_each(|(what, figure)| writeln!(f, "| {what} | {figure} |"))?;
        self.tables.iter().try_for_each(|table| write!(f, "\n{table}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broken_promise_is_seen_at_the_end_and_in_the_table() {
        let mut report = Report::new("test");
        report.fact("alerts", 7);
        report.promise("none lost", &[]);
        assert!(report.holds());
        report.promise("in order", &["a".to_owned(), "b".to_owned()]);
        assert!(!report.holds());
        let expected = "\n| test | |\n| --- | --- |\n| alerts | 7 |\n| none lost | kept |\n| in order | **broken** 2 times: a; b |\n";
        assert_eq!(report.to_string(), expected);
    }
}
