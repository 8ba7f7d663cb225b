//! Which of a camera's streams is for what.

use std::cmp::Reverse;

use super::{Codec, Profile};

/// Detectors work on 416 to 640 pixels; a smaller picture has less than they could use.
const WIDE_ENOUGH: u32 = 640;

/// As often as the detector looks by default; a track cannot be followed with less.
const OFTEN_ENOUGH: f64 = 5.0;

/// Places of profiles in the list of a camera; `None` if none will do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Choice {
    /// For the detector: the cheapest to decode that shows enough.
    pub detection: Option<usize>,
    /// For evidence: the one that shows most.
    pub evidence: Option<usize>,
}

impl Choice {
    /// Chooses among those with a stream: H.264 and H.265 before JPEG, which is dear to send, before what says nothing
    /// of itself. Other codecs cannot be decoded.
    #[must_use]
    pub fn of(profiles: &[Profile]) -> Self {
        let rank = |profile: &Profile| match (&profile.codec, profile.size) {
            (Some(Codec::H264 | Codec::H265), Some(_)) => Some(0),
            (Some(Codec::Jpeg), Some(_)) => Some(1),
            (Some(Codec::Other(_)), _) => None,
            _ => Some(2),
        };
        let usable = profiles.iter().enumerate().filter(|(_, profile)| profile.stream.is_ok());
        let ranked: Vec<_> = usable.filter_map(|(n, profile)| Some((rank(profile)?, n, profile))).collect();
        let best = ranked.iter().map(|(rank, ..)| *rank).min();
        let equals: Vec<_> =
            ranked.into_iter().filter(|(rank, ..)| Some(*rank) == best).map(|(_, n, p)| (n, p)).collect();

        let often = |profile: &Profile| profile.rate.is_none_or(|rate| rate >= OFTEN_ENOUGH);
        let lively: Vec<_> = equals.iter().copied().filter(|(_, profile)| often(profile)).collect();
        let lively = if lively.is_empty() { &equals } else { &lively };
        let wide = |(_, profile): &&(usize, &Profile)| long_side(profile) >= WIDE_ENOUGH;
        let smallest = lively.iter().filter(wide).min_by_key(|(_, profile)| (area(profile), profile.bit_rate));
        // The first of equals, where `max_by_key` alone would take the last.
        let largest = |list: &[(usize, &Profile)]| list.iter().min_by_key(|(_, p)| Reverse(worth(p))).map(|(n, _)| *n);
        Self { detection: smallest.map(|(n, _)| *n).or_else(|| largest(lively)), evidence: largest(&equals) }
    }
}

/// The width, or the height of a picture turned upright.
fn long_side(profile: &Profile) -> u32 {
    profile.size.map_or(0, |[width, height]| width.max(height))
}

fn area(profile: &Profile) -> u64 {
    profile.size.map_or(0, |[width, height]| u64::from(width) * u64::from(height))
}

/// By size, then pictures a second, then bit rate.
fn worth(profile: &Profile) -> (u64, u64, u32) {
    // Thousandths, as floats have no order; the cast saturates.
    (area(profile), (profile.rate.unwrap_or_default() * 1e3) as u64, profile.bit_rate.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::onvif::{Problem, Stream};

    fn profile(codec: &str, [width, height]: [u32; 2], rate: f64, bit_rate: u32) -> Profile {
        let codec = match codec {
            "264" => Some(Codec::H264),
            "265" => Some(Codec::H265),
            "jpeg" => Some(Codec::Jpeg),
            "" => None,
            other => Some(Codec::Other(other.to_owned())),
        };
        Profile {
            token: "t".to_owned(),
            name: "n".to_owned(),
            codec,
            size: (width > 0).then_some([width, height]),
            rate: (rate > 0.0).then_some(rate),
            bit_rate: (bit_rate > 0).then_some(bit_rate),
            stream: Ok(Stream { url: "rtsp://192.0.2.7/a".parse().unwrap(), said: None }),
        }
    }

    fn chosen(profiles: &[Profile]) -> (Option<usize>, Option<usize>) {
        let choice = Choice::of(profiles);
        (choice.detection, choice.evidence)
    }

    #[test]
    fn small_enough_to_decode_and_large_enough_to_see() {
        let (main, third, sub) = (
            profile("265", [2560, 1440], 25.0, 4096),
            profile("264", [1280, 720], 25.0, 2048),
            profile("264", [640, 360], 15.0, 512),
        );
        let tiny = profile("264", [352, 288], 15.0, 256);
        assert_eq!(chosen(&[main.clone(), third.clone(), sub.clone(), tiny.clone()]), (Some(2), Some(0)));
        assert_eq!(chosen(&[tiny.clone(), main.clone()]), (Some(1), Some(1)));
        let tinier = profile("264", [176, 144], 15.0, 64);
        assert_eq!(chosen(&[tinier, tiny.clone()]), (Some(1), Some(1)), "the largest where all are small");
        assert_eq!(chosen(std::slice::from_ref(&main)), (Some(0), Some(0)));
        let upright = profile("264", [360, 640], 15.0, 512);
        assert_eq!(chosen(&[main.clone(), upright]), (Some(1), Some(0)));
        let lapse = profile("264", [640, 360], 1.0, 64);
        assert_eq!(
            chosen(&[main.clone(), lapse.clone(), third]),
            (Some(2), Some(0)),
            "nobody is followed at 1 a second"
        );
        assert_eq!(chosen(&[lapse]), (Some(0), Some(0)));
        let cheap = profile("265", [640, 360], 15.0, 256);
        assert_eq!(chosen(&[sub, cheap]), (Some(1), Some(0)), "the one with less bits decides between equals");
    }

    #[test]
    fn what_cannot_be_decoded_or_reached_is_not_chosen() {
        let (jpeg, mpeg4) = (profile("jpeg", [1280, 720], 10.0, 0), profile("MPV4-ES", [640, 480], 25.0, 1024));
        let (sub, silent) = (profile("264", [640, 360], 15.0, 512), profile("", [0, 0], 0.0, 0));
        assert_eq!(chosen(&[jpeg.clone(), mpeg4.clone(), sub.clone()]), (Some(2), Some(2)));
        assert_eq!(chosen(&[mpeg4.clone(), jpeg.clone()]), (Some(1), Some(1)));
        assert_eq!(
            chosen(&[mpeg4.clone(), silent.clone(), silent]),
            (Some(1), Some(1)),
            "the first is the main one mostly"
        );
        assert_eq!(chosen(&[mpeg4]), (None, None));
        assert_eq!(chosen(&[]), (None, None));
        let lost = Profile { stream: Err(Problem::NoMedia), ..sub };
        assert_eq!(chosen(&[lost]), (None, None));
    }
}
