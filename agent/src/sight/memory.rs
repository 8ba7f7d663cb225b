use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{
    reference::{COLUMNS, Cell, ROWS, Reference},
    stillness::Quiet,
};

/// More kinds of light are not read, nor larger pictures: nobody wrote them.
const MOST_REFERENCES: usize = 8;
const MOST_PIXELS: usize = 1 << 17;

/// Steps of a direction's length in a byte.
const STEPS: f32 = 127.0;

/// What was learnt of a view, to outlast a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    pub(super) references: Vec<Reference>,
    pub(super) quiet: Quiet,
}

#[derive(Serialize, Deserialize)]
struct Content {
    references: Vec<Kept>,
    quiet: Quiet,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    width: usize,
    height: usize,
    looks: u32,
    colour: f32,
    /// Directions, a signed byte each, Base64.
    re: String,
    im: String,
    /// Luma, fine, coarse and all energy of each cell.
    cells: Vec<[f32; 4]>,
}

impl Memory {
    /// As one line of JSON, some hundred kilobytes.
    #[must_use]
    pub fn to_json(&self) -> String {
        let content = Content { references: self.references.iter().map(Kept::of).collect(), quiet: self.quiet };
        serde_json::to_string(&content).unwrap_or_default()
    }

    /// Reads it; `None` if it is none, or does not fit together.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let Content { references, quiet } = serde_json::from_str(text).ok()?;
        if references.len() > MOST_REFERENCES {
            return None;
        }
        let references = references.into_iter().map(Kept::reference).collect::<Option<Vec<_>>>()?;
        Some(Self { references, quiet })
    }
}

impl Kept {
    fn of(reference: &Reference) -> Self {
        let bytes = |field: &[f32]| {
            BASE64
                .encode(&field.iter().map(|v| (v * STEPS).round().clamp(-STEPS, STEPS) as i8 as u8).collect::<Vec<_>>())
        };
        Self {
            width: reference.width,
            height: reference.height,
            looks: reference.looks,
            colour: reference.colour,
            re: bytes(&reference.re),
            im: bytes(&reference.im),
            cells: reference.cells.iter().map(|cell| [cell.luma, cell.fine, cell.coarse, cell.all]).collect(),
        }
    }

    fn reference(self) -> Option<Reference> {
        let pixels = self.width.checked_mul(self.height)?;
        let field = |text: &str| {
            let bytes = BASE64.decode(text.as_bytes()).ok()?;
            let fits = bytes.len() == pixels && pixels <= MOST_PIXELS;
            fits.then(|| bytes.into_iter().map(|byte| f32::from(byte as i8) / STEPS).collect::<Vec<_>>())
        };
        let (re, im) = (field(&self.re)?, field(&self.im)?);
        let numbers = self.cells.iter().flatten().chain([&self.colour]);
        if self.cells.len() != COLUMNS * ROWS || !{ numbers }.all(|number| number.is_finite()) {
            return None;
        }
        let cell = |[luma, fine, coarse, all]: [f32; 4]| Cell { luma, fine, coarse, all };
        let cells = self.cells.into_iter().map(cell).collect();
        Some(Reference {
            width: self.width,
            height: self.height,
            looks: self.looks,
            re,
            im,
            cells,
            colour: self.colour,
        })
    }
}
