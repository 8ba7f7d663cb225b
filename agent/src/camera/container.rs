//! How long a recording says it is. Demuxers take a file that was cut off for one that ends there, and say nothing.

use std::io::{self, Read, Seek, SeekFrom};

/// The length in bytes that the outermost headers of an MP4, AVI or Matroska file add up to; `None` for other
/// files, and for those that leave it open (written live). A whole file is at least that long.
pub(super) fn declared_length(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let length = file.seek(SeekFrom::End(0))?;
    let start = header(file, 0)?;
    match &start[..] {
        [0x1a, 0x45, 0xdf, 0xa3, ..] => matroska(file),
        [b'R', b'I', b'F', b'F', ..] => avi(file, length),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => mp4(file, length),
        _ => Ok(None),
    }
}

/// At most 16 bytes from `offset` on.
fn header(file: &mut (impl Read + Seek), offset: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))?;
    file.take(16).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Boxes one after the other (ISO/IEC 14496-12, 4.2): size, type, or size 1 and a large size behind the type.
fn mp4(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut offset = 0u64;
    while offset < length {
        let size = match &header(file, offset)?[..] {
            [0, 0, 0, 1, _, _, _, _, large @ ..] => match large.first_chunk() {
                Some(large) => u64::from_be_bytes(*large),
                None => 16,
            },
            [a, b, c, d, _, _, _, _, ..] => u64::from(u32::from_be_bytes([*a, *b, *c, *d])),
            _ => 8,
        };
        // 0 means to the end of the file; less than a header is none of the sizes that can be.
        if size < 8 {
            return Ok(None);
        }
        offset = offset.saturating_add(size);
    }
    Ok(Some(offset))
}

/// RIFF chunks one after the other (`OpenDML` has several); what follows them is padding.
fn avi(file: &mut (impl Read + Seek), length: u64) -> io::Result<Option<u64>> {
    let mut offset = 0u64;
    while offset < length {
        let bytes = header(file, offset)?;
        let [b'R', b'I', b'F', b'F', a, b, c, d, ..] = bytes[..] else { break };
        match u32::from_le_bytes([a, b, c, d]) {
            // Never filled in: the recorder was still writing.
            0 | u32::MAX => return Ok(None),
            // Chunks begin at even places.
            size => offset += 8 + u64::from(size),
        }
        offset += offset % 2;
    }
    // The last byte of padding may be left out. A file that ends within its first header says nothing.
    Ok(offset.checked_sub(1))
}

/// The EBML header and the segment (RFC 8794, RFC 9559).
fn matroska(file: &mut (impl Read + Seek)) -> io::Result<Option<u64>> {
    let bytes = header(file, 4)?;
    let Some((size, digits)) = vint(&bytes) else { return Ok(None) };
    let segment = (4 + digits).saturating_add(size);
    let bytes = header(file, segment)?;
    let [0x18, 0x53, 0x80, 0x67, size @ ..] = &bytes[..] else { return Ok(None) };
    Ok(vint(size).map(|(size, digits)| (segment + 4 + digits).saturating_add(size)))
}

/// A variable-size integer (RFC 8794, 4) and its length; `None` if it is not whole or says "unknown" (all ones).
fn vint(bytes: &[u8]) -> Option<(u64, u64)> {
    let digits = bytes.first()?.leading_zeros() + 1;
    let bytes = bytes.get(..digits as usize)?;
    let value = bytes.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    let ones = 1u64.checked_shl(7 * digits)? - 1;
    (value & ones != ones).then_some((value & ones, u64::from(digits)))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn declared(bytes: &[u8]) -> Option<u64> {
        declared_length(&mut Cursor::new(bytes)).unwrap()
    }

    #[test]
    fn boxes_of_an_mp4_add_up() {
        let mut file = b"\0\0\0\x0cftypmp42".to_vec();
        file.extend(b"\0\0\0\x01mdat\0\0\0\0\0\0\0\x20");
        assert_eq!(declared(&file), Some(12 + 32));
        file.extend([0; 16]);
        assert_eq!(declared(&file), Some(file.len() as u64));
        file.extend(b"\0\0");
        assert_eq!(declared(&file), Some(44 + 8));
        assert_eq!(declared(b"\0\0\0\x0cftypmp42\0\0\0\0mdat...."), None);
    }

    #[test]
    fn riffs_of_an_avi_add_up_and_padding_is_left_aside() {
        assert_eq!(declared(b"RIFF\x04\0\0\0AVI "), Some(11));
        assert_eq!(declared(b"RIFF\x04\0\0\0AVI RIFF\x40\0\0\0AVIX"), Some(83));
        assert_eq!(declared(b"RIFF\x04\0\0\0AVI \0\0\0\0"), Some(11));
        assert_eq!(declared(b"RIFF\0\0\0\0AVI "), None);
        assert_eq!(declared(b"RIFF"), None);
    }

    #[test]
    fn a_segment_of_unknown_size_says_nothing() {
        assert_eq!(declared(b"\x1a\x45\xdf\xa3\x81x\x18\x53\x80\x67\x84...."), Some(15));
        assert_eq!(declared(b"\x1a\x45\xdf\xa3\x81x\x18\x53\x80\x67\x40\x7f"), Some(139));
        assert_eq!(declared(b"\x1a\x45\xdf\xa3\x81x\x18\x53\x80\x67\xff...."), None);
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_do_no_harm(kind in 0usize..4, bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let start: &[u8] = [&b""[..], b"\x1a\x45\xdf\xa3", b"RIFF", b"\0\0\0\x08ftyp"][kind];
            let file = [start, &bytes].concat();
            prop_assert!(declared(&file).is_none_or(|length| length > 0));
        }
    }
}
