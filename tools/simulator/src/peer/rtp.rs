//! Pictures in RTP packets (RFC 3550): H.264 as in RFC 6184, H.265 as in RFC 7798, single units and fragments only.

use super::Coding;

use super::Picture;

/// Largest payload: what fits into an Ethernet frame with all headers, and some for tunnels.
const LARGEST: usize = 1400;

/// Type of a fragment: FU-A, and FU.
const FRAGMENT: [u8; 2] = [28, 49];

/// Seconds from 1900, where NTP begins, to 1970 (RFC 5905).
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// One RTP stream.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) coding: Coding,
    pub(super) payload_type: u8,
    pub(super) ssrc: u32,
    /// Number of the next packet.
    pub(super) sequence: u16,
    packets: u32,
    octets: u32,
}

impl Stream {
    pub(super) const fn new(coding: Coding, payload_type: u8, ssrc: u32, sequence: u16) -> Self {
        Self { coding, payload_type, ssrc, sequence, packets: 0, octets: 0 }
    }

    /// The packets of a picture.
    pub(super) fn packets(&mut self, picture: &Picture, stamp: u32) -> Vec<Vec<u8>> {
        let mut payloads: Vec<Vec<u8>> = Vec::new();
        for unit in &picture.units {
            if unit.len() <= LARGEST {
                payloads.push(unit.clone());
            } else {
                payloads.extend(fragments(self.coding, unit));
            }
        }
        let last = payloads.len().saturating_sub(1);
        payloads.iter().enumerate().map(|(index, payload)| self.packet(payload, index == last, stamp)).collect()
    }

    fn packet(&mut self, payload: &[u8], marker: bool, stamp: u32) -> Vec<u8> {
        let mut packet = vec![0x80, u8::from(marker) << 7 | self.payload_type];
        packet.extend(self.sequence.to_be_bytes());
        packet.extend(stamp.to_be_bytes());
        packet.extend(self.ssrc.to_be_bytes());
        packet.extend(payload);
        self.sequence = self.sequence.wrapping_add(1);
        self.packets = self.packets.wrapping_add(1);
        self.octets = self.octets.wrapping_add(payload.len() as u32);
        packet
    }

    /// A sender report: the stamp that belongs to a time since 1970.
    pub(super) fn report(&self, since_1970: std::time::Duration, stamp: u32) -> Vec<u8> {
        let mut report = vec![0x80, 200, 0, 6];
        report.extend(self.ssrc.to_be_bytes());
        report.extend(((since_1970.as_secs() + NTP_TO_UNIX) as u32).to_be_bytes());
        report.extend((((u64::from(since_1970.subsec_nanos())) << 32) / 1_000_000_000).to_be_bytes()[4..].iter());
        for number in [stamp, self.packets, self.octets] {
            report.extend(number.to_be_bytes());
        }
        report
    }

    /// A goodbye. It has to stand behind a report.
    pub(super) fn goodbye(&self) -> Vec<u8> {
        let mut bye = vec![0x81, 203, 0, 1];
        bye.extend(self.ssrc.to_be_bytes());
        bye
    }
}

fn fragments(coding: Coding, unit: &[u8]) -> Vec<Vec<u8>> {
    let (header, kind, content) = match coding {
        Coding::H264 => (vec![unit[0] & 0xe0 | FRAGMENT[0]], unit[0] & 0x1f, &unit[1..]),
        Coding::H265 => (vec![unit[0] & 0x81 | FRAGMENT[1] << 1, unit[1]], unit[0] >> 1 & 0x3f, &unit[2..]),
    };
    let parts: Vec<&[u8]> = content.chunks(LARGEST - 3).collect();
    let last = parts.len() - 1;
    let fragment = |(index, part): (usize, &&[u8])| {
        let mark = u8::from(index == 0) << 7 | u8::from(index == last) << 6 | kind;
        [&header, &[mark][..], part].concat()
    };
    parts.iter().enumerate().map(fragment).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_picture_ends_with_a_marker_and_large_units_are_cut() {
        let mut stream = Stream::new(Coding::H264, 96, 0x0102_0304, 65_535);
        let unit = [vec![0x65], vec![7; 2000]].concat();
        let picture = Picture { key: true, units: vec![vec![0x67, 1, 2], unit] };
        let packets = stream.packets(&picture, 90_000);
        let heads: Vec<&[u8]> = packets.iter().map(|packet| &packet[..14]).collect();
        let head = |marker: u8, sequence: [u8; 2], payload: [u8; 2]| {
            [&[0x80, marker | 96][..], &sequence, &[0, 1, 0x5f, 0x90, 1, 2, 3, 4], &payload].concat()
        };
        assert_eq!(
            heads,
            [&head(0, [255, 255], [0x67, 1])[..], &head(0, [0, 0], [0x7c, 0x85]), &head(0x80, [0, 1], [0x7c, 0x45]),]
        );
        assert_eq!(packets[1].len() + packets[2].len(), 2 * 14 + 2000);
    }

    #[test]
    fn h265_fragments_keep_both_bytes_of_the_header() {
        let unit = [vec![0x26, 0x01], vec![7; 1500]].concat();
        let parts = fragments(Coding::H265, &unit);
        assert_eq!(parts.iter().map(|part| part[..3].to_vec()).collect::<Vec<_>>(), [[0x62, 1, 0x93], [0x62, 1, 0x53]]);
    }

    #[test]
    fn a_report_gives_the_time_of_a_stamp() {
        let stream = Stream::new(Coding::H264, 96, 1, 0);
        let report = stream.report(Duration::from_millis(1500), 7);
        assert_eq!(report[8..20], [0x83, 0xaa, 0x7e, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 7]);
        assert_eq!((report.len(), stream.goodbye().len()), (28, 8));
    }
}
