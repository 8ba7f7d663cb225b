use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use super::{
    Condition,
    bank::MOST,
    reference::{COLUMNS, Cell, ROWS, Reference},
    stillness::Quiet,
};

/// Larger pictures are not read: nobody wrote them.
const MOST_PIXELS: usize = 1 << 17;

/// Steps of a direction's length in a byte.
const STEPS: f32 = 127.0;

/// What was learnt of a view, to outlast a restart.
#[derive(Clone, Debug, PartialEq)]
pub struct Memory {
    pub(super) references: Vec<Reference>,
    pub(super) quiet: Quiet,
    /// What was wrong, if only the learnt view can disprove it.
    pub(super) doubt: Option<Condition>,
}

#[derive(Serialize, Deserialize)]
struct Content {
    references: Vec<Kept>,
    quiet: Quiet,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Condition>,
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
        let references = self.references.iter().map(Kept::of).collect();
        let content = Content { references, quiet: self.quiet, doubt: self.doubt };
        serde_json::to_string(&content).unwrap_or_default()
    }

    /// Reads it; `None` if it is none, or does not fit together.
    #[must_use]
    pub fn from_json(text: &str) -> Option<Self> {
        let Content { references, quiet, doubt } = serde_json::from_str(text).ok()?;
        if references.len() > MOST {
            return None;
        }
        let references = references.into_iter().map(Kept::reference).collect::<Option<Vec<_>>>()?;
        Some(Self { references, quiet, doubt })
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
