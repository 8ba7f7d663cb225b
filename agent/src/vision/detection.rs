/// An axis-aligned box. Its unit is the caller's: the agent uses shares of the
/// picture (0..1), the `track` command pixels. Origin top left, y down.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, not negative.
    pub w: f32,
    /// Height, not negative.
    pub h: f32,
}

impl Rect {
    /// A box from its left, top, right and bottom edges.
    #[must_use]
    pub fn from_edges(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self { x: left, y: top, w: (right - left).max(0.0), h: (bottom - top).max(0.0) }
    }

    /// Right edge.
    #[must_use]
    pub fn right(&self) -> f32 {
        self.x + self.w
    }

    /// Bottom edge.
    #[must_use]
    pub fn bottom(&self) -> f32 {
        self.y + self.h
    }

    /// Area.
    #[must_use]
    pub fn area(&self) -> f32 {
        self.w * self.h
    }

    /// Intersection over union, 0 to 1; 0 if both are empty.
    #[must_use]
    pub fn iou(&self, other: &Self) -> f32 {
        let w = self.right().min(other.right()) - self.x.max(other.x);
        let h = self.bottom().min(other.bottom()) - self.y.max(other.y);
        if w <= 0.0 || h <= 0.0 {
            return 0.0;
        }
        let both = w * h;
        both / (self.area() + other.area() - both)
    }

    /// The part of this box inside `[0, width] x [0, height]`.
    #[must_use]
    pub fn clip(&self, width: f32, height: f32) -> Self {
        Self::from_edges(
            self.x.clamp(0.0, width),
            self.y.clamp(0.0, height),
            self.right().clamp(0.0, width),
            self.bottom().clamp(0.0, height),
        )
    }
}

/// Length of a vector. Each step is rounded alike on every machine, which the `hypot` of a C library is not, and nothing that
/// a picture holds overflows.
pub(crate) fn length(x: f64, y: f64) -> f64 {
    (x * x + y * y).sqrt()
}

/// One object that a model saw in one picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Detection {
    /// Where, in shares of the picture (0..1).
    pub bbox: Rect,
    /// How sure, 0 to 1.
    pub score: f32,
    /// Index into the model's labels.
    pub class: u16,
}
