//! Maximum-weight assignment of rows to columns.
//!
//! The shortest augmenting path method of Jonker and Volgenant ("A shortest
//! augmenting path algorithm for dense and sparse linear assignment problems",
//! Computing 38, 1987), without their initialisation: the problems here are small,
//! tens of tracks by tens of detections.

/// Solves assignment problems one after the other in the same memory.
#[derive(Debug, Default)]
pub struct Assignment {
    /// Dual values of the rows.
    u: Vec<f64>,
    /// Dual values of the columns.
    v: Vec<f64>,
    /// The row that each column holds; 0 is none, so rows count from 1 here.
    row_of: Vec<usize>,
    /// The column before this one on the shortest path.
    before: Vec<usize>,
    /// Length of the shortest path so far to each column.
    length: Vec<f64>,
    /// Is the shortest path to this column final?
    settled: Vec<bool>,
    pairs: Vec<(usize, usize)>,
}

impl Assignment {
    /// The pairs `(row, column)`, each row and column at most once, whose gains have the greatest sum.
    ///
    /// `gain` is row-major, `rows x columns`, finite. A pair whose gain is not above zero is never made,
    /// so a gain counts from the worth of leaving both alone.
    ///
    /// # Panics
    /// If `gain` is not `rows * columns` long.
    pub fn solve(&mut self, rows: usize, columns: usize, gain: &[f64]) -> &[(usize, usize)] {
        assert_eq!(gain.len(), rows * columns, "one gain for each pair");
        self.pairs.clear();
        let tall = rows > columns;
        let (short, long) = if tall { (columns, rows) } else { (rows, columns) };
        if short == 0 {
            return &self.pairs;
        }
        // The method needs no more rows than columns. As no cost is above zero, giving every row some column
        // costs nothing: the pairs that gain nothing are dropped at the end.
        let cost = |i: usize, j: usize| {
            let g = if tall { gain[j * columns + i] } else { gain[i * columns + j] };
            -g.max(0.0)
        };
        self.reset(short, long);
        for row in 1..=short {
            let end = self.shortest_path(row, long, &cost);
            self.augment(end);
        }
        for j in 1..=long {
            let Some(i) = self.row_of[j].checked_sub(1) else { continue };
            if cost(i, j - 1) < 0.0 {
                self.pairs.push(if tall { (j - 1, i) } else { (i, j - 1) });
            }
        }
        &self.pairs
    }

    fn reset(&mut self, rows: usize, columns: usize) {
        fill(&mut self.u, rows + 1, 0.0);
        fill(&mut self.v, columns + 1, 0.0);
        fill(&mut self.row_of, columns + 1, 0);
        fill(&mut self.before, columns + 1, 0);
    }

    /// Dijkstra over reduced costs from a free row to the nearest free column.
    ///
    /// Column 0 stands for the start: it holds the free row while its path is sought.
    fn shortest_path(&mut self, row: usize, columns: usize, cost: &impl Fn(usize, usize) -> f64) -> usize {
        fill(&mut self.length, columns + 1, f64::INFINITY);
        fill(&mut self.settled, columns + 1, false);
        self.row_of[0] = row;
        let mut at = 0;
        loop {
            self.settled[at] = true;
            let i = self.row_of[at];
            let (mut nearest, mut shortest) = (0, f64::INFINITY);
            for j in 1..=columns {
                if self.settled[j] {
                    continue;
                }
                let reduced = cost(i - 1, j - 1) - self.u[i] - self.v[j];
                if reduced < self.length[j] {
                    self.length[j] = reduced;
                    self.before[j] = at;
                }
                if self.length[j] < shortest {
                    (nearest, shortest) = (j, self.length[j]);
                }
            }
            for j in 0..=columns {
                if self.settled[j] {
                    self.u[self.row_of[j]] += shortest;
                    self.v[j] -= shortest;
                } else {
                    self.length[j] -= shortest;
                }
            }
            at = nearest;
            if self.row_of[at] == 0 {
                return at;
            }
        }
    }

    /// Moves every row on the path that ends at this column one column on.
    fn augment(&mut self, mut at: usize) {
        while at != 0 {
            let before = self.before[at];
            self.row_of[at] = self.row_of[before];
            at = before;
        }
    }
}

fn fill<T: Copy>(buffer: &mut Vec<T>, len: usize, value: T) {
    buffer.clear();
    buffer.resize(len, value);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn total(pairs: &[(usize, usize)], columns: usize, gain: &[f64]) -> f64 {
        pairs.iter().map(|&(r, c)| gain[r * columns + c]).sum()
    }

    /// The best sum by trying everything.
    fn best(row: usize, rows: usize, columns: usize, gain: &[f64], taken: &mut [bool]) -> f64 {
        if row == rows {
            return 0.0;
        }
        let mut most = best(row + 1, rows, columns, gain, taken);
        for c in 0..columns {
            if !taken[c] {
                taken[c] = true;
                let with = gain[row * columns + c] + best(row + 1, rows, columns, gain, taken);
                taken[c] = false;
                most = most.max(with);
            }
        }
        most
    }

    fn problem() -> impl Strategy<Value = (usize, usize, Vec<f64>)> {
        (0..6_usize, 0..6_usize).prop_flat_map(|(r, c)| {
            // Few distinct values, so that ties are common.
            let value = prop_oneof![-1.0_f64..2.0, (-2_i8..5).prop_map(f64::from)];
            (Just(r), Just(c), prop::collection::vec(value, r * c))
        })
    }

    proptest! {
        #[test]
        fn is_optimal_and_a_matching((rows, columns, gain) in problem()) {
            let mut assignment = Assignment::default();
            let pairs = assignment.solve(rows, columns, &gain).to_vec();
            let expected = best(0, rows, columns, &gain, &mut [false; 6]);
            prop_assert!((total(&pairs, columns, &gain) - expected).abs() < 1e-9);
            for (n, &(r, c)) in pairs.iter().enumerate() {
                prop_assert!(gain[r * columns + c] > 0.0);
                prop_assert!(pairs[..n].iter().all(|&(r2, c2)| r2 != r && c2 != c));
            }
        }

        #[test]
        fn memory_of_earlier_problems_does_not_matter(first in problem(), second in problem()) {
            let mut used = Assignment::default();
            used.solve(first.0, first.1, &first.2);
            let again = used.solve(second.0, second.1, &second.2).to_vec();
            let mut fresh = Assignment::default();
            prop_assert_eq!(again, fresh.solve(second.0, second.1, &second.2));
        }
    }

    #[test]
    fn the_best_pair_gives_way_to_the_best_sum() {
        // Greedy would take (0, 0) for 9 and leave row 1 with 1.
        let gain = [9.0, 8.0, 8.0, 1.0];
        let mut assignment = Assignment::default();
        let mut pairs = assignment.solve(2, 2, &gain).to_vec();
        pairs.sort_unstable();
        assert_eq!(pairs, [(0, 1), (1, 0)]);
    }
}
