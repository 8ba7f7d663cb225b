use karaul::vision::{Layout, Planes};

/// A decoder's picture as NV12 without padding, which the reference sums of the clips are of.
///
/// # Panics
/// If it is not I420, which software decoders give.
#[must_use]
pub fn packed_nv12(picture: &Planes<'_>) -> Vec<u8> {
    let (width, height) = (picture.width, picture.height);
    let Layout::I420 { y, u, v, y_stride, u_stride, v_stride } = picture.layout else { panic!("not I420") };
    let mut bytes = Vec::with_capacity(width * height * 3 / 2);
    y.chunks(y_stride).take(height).for_each(|row| bytes.extend(&row[..width]));
    for (u, v) in u.chunks(u_stride).zip(v.chunks(v_stride)).take(height.div_ceil(2)) {
        bytes.extend(u.iter().zip(v).take(width.div_ceil(2)).flat_map(|(u, v)| [*u, *v]));
    }
    bytes
}
