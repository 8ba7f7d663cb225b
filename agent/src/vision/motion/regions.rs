/// A rectangle of blocks; `right` and `bottom` are the first ones outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
    /// Changed blocks in it.
    count: usize,
}

/// Blocks this close belong together: clothes have the colour of a wall here and there.
const REACH: usize = 2;
/// Fewer changed blocks are noise.
const LEAST: usize = 2;
/// No more are told apart; what is left joins the nearest.
const MOST: usize = 8;

impl Area {
    fn joined(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
            count: self.count + other.count,
        }
    }

    fn blocks(&self) -> usize {
        (self.right - self.left) * (self.bottom - self.top)
    }
}

/// Where changed blocks lie together, largest first. `changed` is row by row, `size` columns and rows.
pub(super) fn find(changed: &[bool], (columns, rows): (usize, usize)) -> Vec<Area> {
    let mut seen = vec![false; changed.len()];
    let (mut found, mut stack) = (Vec::new(), Vec::new());
    for start in 0..changed.len() {
        if !changed[start] || seen[start] {
            continue;
        }
        seen[start] = true;
        stack.push(start);
        let mut area: Option<Area> = None;
        while let Some(block) = stack.pop() {
            let (x, y) = (block % columns, block / columns);
            let one = Area { left: x, top: y, right: x + 1, bottom: y + 1, count: 1 };
            area = Some(area.map_or(one, |area| area.joined(one)));
            for near_y in y.saturating_sub(REACH)..(y + REACH + 1).min(rows) {
                for near_x in x.saturating_sub(REACH)..(x + REACH + 1).min(columns) {
                    let near = near_y * columns + near_x;
                    if changed[near] && !seen[near] {
                        seen[near] = true;
                        stack.push(near);
                    }
                }
            }
        }
        found.extend(area.filter(|area| area.count >= LEAST));
    }
    found.sort_by_key(|area| std::cmp::Reverse(area.count));
    while found.len() > MOST
        && let Some(last) = found.pop()
    {
        let grown = |area: &Area| area.joined(last).blocks() - area.blocks();
        if let Some(nearest) = found.iter_mut().min_by_key(|area| grown(area)) {
            *nearest = nearest.joined(last);
        }
    }
    found
}
