/// A rectangle of cells; `right` and `bottom` are the first ones outside.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Area {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

impl Area {
    pub(super) fn joined(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }

    /// Larger by so many cells on each side, inside the grid.
    pub(super) fn grown(self, by: usize, (columns, rows): (usize, usize)) -> Self {
        Self {
            left: self.left.saturating_sub(by),
            top: self.top.saturating_sub(by),
            right: (self.right + by).min(columns),
            bottom: (self.bottom + by).min(rows),
        }
    }

    pub(super) fn overlaps(self, other: Self) -> bool {
        self.left < other.right && other.left < self.right && self.top < other.bottom && other.top < self.bottom
    }

    /// Its cells in a grid of so many columns.
    pub(super) fn cells(self, columns: usize) -> impl Iterator<Item = usize> {
        (self.top..self.bottom).flat_map(move |y| (self.left..self.right).map(move |x| y * columns + x))
    }

    /// Cells along its border.
    pub(super) fn outline(self) -> usize {
        2 * (self.width() + self.height())
    }

    fn width(self) -> usize {
        self.right - self.left
    }

    fn height(self) -> usize {
        self.bottom - self.top
    }
}

/// Cells that lie together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blob {
    pub(super) area: Area,
    /// Its number among those found, from 1.
    number: u32,
    /// Its cells among those of all blobs.
    from: usize,
    to: usize,
}

/// Cells this close belong together: a bag has the colour of the floor here and there.
const REACH: usize = 2;
/// Fewer cells are noise.
const LEAST: usize = 4;
/// A thing fills at least this share of the rectangle around it, and is as thick as so many cells on average. What is
/// longer and thinner is the edge of a shadow, a cable, the border of something that moved a little.
const LEAST_FILL: f32 = 0.35;
const LEAST_THICKNESS: f32 = 2.0;

/// Finds what lies together. Its memory is kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Blobs {
    /// The number of its blob, for each cell; 0 is none.
    numbers: Vec<u32>,
    cells: Vec<u32>,
    found: Vec<Blob>,
    size: (usize, usize),
}

impl Blobs {
    /// Makes room for so many cells.
    pub(super) fn begin(&mut self, cells: usize) {
        self.numbers.clear();
        self.numbers.resize(cells, 0);
        self.cells.clear();
        self.cells.reserve(cells);
        self.found.clear();
        self.found.reserve(cells / LEAST);
    }

    /// Finds all among the cells that are set.
    pub(super) fn find(&mut self, set: &[bool], size: (usize, usize)) {
        // Only those numbered at the last time are not zero.
        for cell in self.cells.drain(..) {
            self.numbers[cell as usize] = 0;
        }
        self.found.clear();
        self.size = size;
        for start in 0..set.len() {
            if set[start] && self.numbers[start] == 0 {
                self.follow(start, set);
            }
        }
    }

    /// All that lies together with this cell. The list of cells is the queue as well.
    fn follow(&mut self, start: usize, set: &[bool]) {
        let columns = self.size.0;
        let (number, from) = (self.found.len() as u32 + 1, self.cells.len());
        let one = |cell: usize| {
            let (x, y) = (cell % columns, cell / columns);
            Area { left: x, top: y, right: x + 1, bottom: y + 1 }
        };
        let mut area = one(start);
        self.numbers[start] = number;
        self.cells.push(start as u32);
        let mut next = from;
        while let Some(cell) = self.cells.get(next).map(|cell| *cell as usize) {
            next += 1;
            area = area.joined(one(cell));
            for near in one(cell).grown(REACH, self.size).cells(columns) {
                if set[near] && self.numbers[near] == 0 {
                    self.numbers[near] = number;
                    self.cells.push(near as u32);
                }
            }
        }
        let to = self.cells.len();
        if to - from >= LEAST {
            self.found.push(Blob { area, number, from, to });
        } else {
            // Its number is given again; nothing asks for a blob that was not found.
            for cell in &self.cells[from..] {
                self.numbers[*cell as usize] = u32::MAX;
            }
        }
    }

    /// All that was found.
    pub(super) fn found(&self) -> &[Blob] {
        &self.found
    }

    /// The cells of one.
    pub(super) fn cells(&self, blob: &Blob) -> &[u32] {
        &self.cells[blob.from..blob.to]
    }

    /// Whether a cell belongs to it.
    pub(super) fn has(&self, blob: &Blob, cell: usize) -> bool {
        self.numbers[cell] == blob.number
    }
}

/// Whether it has the shape of a thing.
pub(super) fn is_compact(area: Area, cells: usize) -> bool {
    let (width, height, cells) = (area.width() as f32, area.height() as f32, cells as f32);
    cells >= LEAST_FILL * width * height && cells >= LEAST_THICKNESS * width.max(height)
}
