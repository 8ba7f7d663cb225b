//! Which camera took a picture, in the file itself: a JPEG comment, which viewers pass over and tools show.

use std::str::from_utf8;

use karaul_wire::Segment;

/// Begins a JPEG file (ITU-T T.81, annex B).
const START: [u8; 2] = [0xff, 0xd8];
const COMMENT: [u8; 2] = [0xff, 0xfe];
/// After it come the pixels.
const SCAN: [u8; 2] = [0xff, 0xda];

/// Writes it into a file that was just encoded, after the first segment: that one says which kind of JPEG it is.
pub(super) fn sign(jpeg: &mut Vec<u8>, camera: &Segment) {
    let text = format!("camera {camera}");
    let Ok(length) = u16::try_from(2 + text.len()) else { return };
    let Some((_, _, rest)) = segment(jpeg.get(START.len()..).unwrap_or_default()) else { return };
    let place = jpeg.len() - rest.len();
    let comment = [&COMMENT[..], &length.to_be_bytes(), text.as_bytes()].concat();
    jpeg.splice(place..place, comment);
}

/// What [`sign`] wrote.
pub(super) fn of(jpeg: &[u8]) -> Option<Segment> {
    let mut rest = jpeg.strip_prefix(&START)?;
    loop {
        let (marker, text, after) = segment(rest)?;
        if marker == SCAN {
            return None;
        }
        if marker == COMMENT
            && let Some(camera) = from_utf8(text).ok()?.strip_prefix("camera ")
        {
            return camera.parse().ok();
        }
        rest = after;
    }
}

/// The first segment's marker and content, and what comes after it.
fn segment(jpeg: &[u8]) -> Option<([u8; 2], &[u8], &[u8])> {
    let (marker, rest) = jpeg.split_first_chunk()?;
    let length = usize::from(u16::from_be_bytes(*rest.first_chunk()?));
    let (segment, after) = rest.split_at_checked(length)?;
    Some((*marker, segment.get(2..)?, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_after_the_first_segment_and_is_found_again() {
        let encoded = [0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xda, 0, 2, 9, 9];
        let camera = "north-gate".parse().unwrap();
        let mut signed = encoded.to_vec();
        sign(&mut signed, &camera);
        assert_eq!(signed[8..12], [0xff, 0xfe, 0, 19]);
        assert_eq!([&signed[..8], &signed[8 + 21..]].concat(), encoded);
        assert_eq!(of(&signed), Some(camera));
        assert_eq!(of(&encoded), None);
        for end in 0..signed.len() {
            assert!(of(&signed[..end]).is_none_or(|camera| camera.as_str() == "north-gate"), "cut off at {end}");
        }
    }
}
