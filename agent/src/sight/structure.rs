use super::small::Small;

/// Steps of luma (0 to 255) between pixels two apart at which an edge counts half: far above what is left of a sensor's
/// noise in averages of blocks.
const SOFT: f32 = 6.0;

/// A field of complex numbers, one for each pixel of the picture at half the size of [`Small`].
#[derive(Clone, Debug, Default)]
pub(super) struct Field {
    pub(super) re: Vec<f32>,
    pub(super) im: Vec<f32>,
}

impl Field {
    pub(super) fn zero(pixels: usize) -> Self {
        Self { re: vec![0.0; pixels], im: vec![0.0; pixels] }
    }

    fn resize(&mut self, pixels: usize) {
        self.re.resize(pixels, 0.0);
        self.im.resize(pixels, 0.0);
    }
}

/// The edges of one picture.
///
/// A gradient is kept as the square of the complex number `gx + i·gy`: its angle is twice that of the edge, so that an
/// edge that turns from dark-on-light to light-on-dark, as many do when a camera goes over to infra-red, stays the same
/// edge (Bigün and Granlund, "Optimal orientation detection of linear symmetry", ICCV 1987). Noise has no direction: its
/// squares cancel out wherever many are added up.
#[derive(Debug, Default)]
pub(super) struct Structure {
    /// Half of that of [`Small`].
    pub(super) width: usize,
    /// Half of that of [`Small`].
    pub(super) height: usize,
    /// Luma at this size.
    pub(super) luma: Vec<f32>,
    /// Direction of the edge, of a length from 0 (no edge) to 1 (a strong one): the same in strong light and in weak, as
    /// in orientation correlation (Fitch, Kadyrov, Christmas and Kittler, BMVC 2002).
    pub(super) direction: Field,
    /// Squared gradients over four pixels of [`Small`].
    pub(super) coarse: Field,
    /// Squared gradients between neighbours in [`Small`], summed over the pixel.
    pub(super) fine: Field,
}

impl Structure {
    /// Finds the edges. The outermost pixels have none.
    pub(super) fn find(&mut self, small: &Small) {
        let (w, h) = (small.width / 2, small.height / 2);
        (self.width, self.height) = (w, h);
        for field in [&mut self.direction, &mut self.coarse, &mut self.fine] {
            field.resize(w * h);
        }
        self.luma.clear();
        for rows in small.luma.chunks_exact(2 * small.width) {
            let (upper, lower) = rows.split_at(small.width);
            let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
            self.luma.extend(pairs.map(|(a, b)| (a[0] + a[1] + b[0] + b[1]) * 0.25));
        }
        for y in 1..h - 1 {
            let here = y * w;
            let (above, row, below) =
                (&self.luma[here - w..here], &self.luma[here..here + w], &self.luma[here + w..][..w]);
            let coarse_re = &mut self.coarse.re[here..here + w];
            let coarse_im = &mut self.coarse.im[here..here + w];
            let direction_re = &mut self.direction.re[here..here + w];
            let direction_im = &mut self.direction.im[here..here + w];
            for x in 1..w - 1 {
                let (gx, gy) = (row[x + 1] - row[x - 1], below[x] - above[x]);
                let (re, im, size) = (gx * gx - gy * gy, 2.0 * gx * gy, gx * gx + gy * gy);
                let weight = 1.0 / (size + SOFT * SOFT);
                coarse_re[x] = re;
                coarse_im[x] = im;
                direction_re[x] = re * weight;
                direction_im[x] = im * weight;
            }
            self.find_fine(small, y);
        }
    }

    /// Roberts' crosses of neighbours: their diagonals are `a = gx + gy` and `b = gx - gy`.
    fn find_fine(&mut self, small: &Small, y: usize) {
        let (w, wide) = (self.width, small.width);
        let fine_re = &mut self.fine.re[y * w..][..w];
        let fine_im = &mut self.fine.im[y * w..][..w];
        let upper = &small.luma[2 * y * wide..][..wide];
        let lower = &small.luma[(2 * y + 1) * wide..][..wide];
        for x in 1..w - 1 {
            let (mut re, mut im) = (0.0, 0.0);
            for i in [2 * x - 1, 2 * x] {
                let (a, b) = (lower[i + 1] - upper[i], upper[i + 1] - lower[i]);
                re += a * b;
                im += 0.5 * (a * a - b * b);
            }
            fine_re[x] = re;
            fine_im[x] = im;
        }
    }
}
