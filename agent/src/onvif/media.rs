//! What a camera's profiles are, from either of the two media services.

use std::{fmt, net::IpAddr};

use roxmltree::Node;

use super::{Problem, shown, soap};
use crate::config::CameraUrl;

/// A recorder with many channels has some of each; more are not asked for.
pub(super) const MOST_PROFILES: usize = 32;

/// One set of settings under which a camera sends its picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The camera's key for it.
    pub(super) token: String,
    /// Name, as its settings show it.
    pub name: String,
    /// `None` if no encoder is told, as all below.
    pub codec: Option<Codec>,
    /// Width and height, in pixels.
    pub size: Option<[u32; 2]>,
    /// Pictures a second, at most.
    pub rate: Option<f64>,
    /// kbit/s, at most.
    pub bit_rate: Option<u32>,
    /// Where the stream is, or why that is not known.
    pub stream: Result<Stream, Problem>,
}

/// Where a stream is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its address, on the host that was asked.
    pub url: CameraUrl,
    /// The host that the camera named instead, if it is another.
    pub said: Option<String>,
}

/// How pictures are encoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// Single JPEG pictures.
    Jpeg,
    /// Anything else, in the camera's word.
    Other(String),
}

impl fmt::Display for Codec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "H.264",
            Self::H265 => "H.265",
            Self::Jpeg => "JPEG",
            Self::Other(word) => word,
        })
    }
}

impl Codec {
    fn read(word: &str) -> Option<Self> {
        let word = shown(word)?;
        Some(match word.to_ascii_uppercase().replace(['.', '-'], "").as_str() {
            "H264" => Self::H264,
            "H265" | "HEVC" => Self::H265,
            "JPEG" | "MJPEG" => Self::Jpeg,
            _ => Self::Other(word),
        })
    }
}

/// The profiles with a picture in `GetProfilesResponse` of Media ver10 or ver20. What has neither a source nor an
/// encoder of video holds metadata or sound.
pub(super) fn profiles(response: Node<'_, '_>) -> Vec<Profile> {
    let found = response.children().filter(|node| node.tag_name().name() == "Profiles");
    found.filter_map(profile).take(MOST_PROFILES).collect()
}

fn profile(node: Node<'_, '_>) -> Option<Profile> {
    // Media2 has everything in one element more, and shorter names.
    let (inside, source, encoder) = match soap::child(node, "Configurations") {
        Some(inside) => (inside, "VideoSource", "VideoEncoder"),
        None => (node, "VideoSourceConfiguration", "VideoEncoderConfiguration"),
    };
    let encoder = soap::child(inside, encoder);
    encoder.or_else(|| soap::child(inside, source))?;
    let token = node.attribute("token")?.to_owned();
    let name = soap::text(node, "Name").and_then(shown).or_else(|| shown(&token)).unwrap_or_default();
    let resolution = encoder.and_then(|encoder| soap::child(encoder, "Resolution"));
    let size = resolution.and_then(|r| Some([soap::number(r, "Width")?, soap::number(r, "Height")?]));
    let control = encoder.and_then(|encoder| soap::child(encoder, "RateControl"));
    // Of ver10: only each n-th picture is encoded.
    let interval = control.and_then(|control| soap::number(control, "EncodingInterval")).filter(|n| *n >= 1.0);
    let rate = control.and_then(|control| soap::number::<f64>(control, "FrameRateLimit"));
    Some(Profile {
        token,
        name,
        codec: encoder.and_then(|encoder| soap::text(encoder, "Encoding")).and_then(Codec::read),
        size: size.filter(|[width, height]| *width > 0 && *height > 0),
        rate: rate.map(|rate| rate / interval.unwrap_or(1.0)).filter(|rate| rate.is_finite() && *rate > 0.0),
        bit_rate: control.and_then(|control| soap::number(control, "BitrateLimit")).filter(|rate| *rate > 0),
        stream: Err(Problem::NoAddress("it was not asked for".to_owned())),
    })
}

/// The address in `GetStreamUriResponse` of Media ver10 or ver20.
pub(super) fn stream_uri(response: Node<'_, '_>) -> Option<String> {
    soap::all(response, "Uri").next()?.text().map(|uri| uri.trim().to_owned())
}

#[cfg(test)]
impl Profile {
    /// One that a camera might have told.
    pub(crate) fn new(
        name: &str,
        codec: Option<Codec>,
        size: Option<[u32; 2]>,
        rate: Option<f64>,
        bit_rate: Option<u32>,
        stream: Result<Stream, Problem>,
    ) -> Self {
        Self { token: name.to_owned(), name: name.to_owned(), codec, size, rate, bit_rate, stream }
    }
}

impl Stream {
    /// Takes the camera's word for everything but the host: behind some networks it does not know its own address.
    /// A login in it is left out.
    ///
    /// # Errors
    /// If it is no address of a stream, or cannot be had without a password in it.
    pub(super) fn read(uri: &str, host: &str, peer: Option<IpAddr>) -> Result<Self, Problem> {
        const LONGEST: usize = 1024;
        if uri.len() > LONGEST {
            return Err(Problem::NoAddress(format!("it is longer than {LONGEST} characters")));
        }
        let (scheme, rest) = uri.split_once("://").unwrap_or(("", uri));
        // To the last '@' before the path, as a password may hold one; one in the query is refused below.
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let place = authority.rsplit('@').next().unwrap_or_default();
        let url: CameraUrl =
            format!("{scheme}://{place}{path}").parse().map_err(|why| Problem::NoAddress(format!("{why}")))?;
        let known = url.host == host || url.host.parse().is_ok_and(|ip: IpAddr| Some(ip) == peer);
        let said = (!known).then(|| url.host.clone());
        Ok(Self { url: CameraUrl { host: host.to_owned(), ..url }, said })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str) -> Vec<String> {
        let text = format!("<R xmlns:tt='t'>{inside}</R>");
        let document = roxmltree::Document::parse(&text).unwrap();
        let line = |p: Profile| {
            let codec = p.codec.map(|codec| codec.to_string()).unwrap_or_default();
            format!("{} {} {codec} {:?} {:?} {:?}", p.token, p.name, p.size, p.rate, p.bit_rate)
        };
        profiles(document.root_element()).into_iter().map(line).collect()
    }

    #[test]
    fn profiles_of_both_services() {
        let first = "<Profiles token='a'><tt:Name>main</tt:Name><tt:VideoSourceConfiguration/><tt:VideoEncoderConfiguration>\
                     <tt:Encoding>H264</tt:Encoding><tt:Resolution><tt:Width>1920</tt:Width><tt:Height>1080</tt:Height></tt:Resolution>\
                     <tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit><tt:EncodingInterval>2</tt:EncodingInterval>\
                     <tt:BitrateLimit>4096</tt:BitrateLimit></tt:RateControl></tt:VideoEncoderConfiguration></Profiles>";
        assert_eq!(read(first), ["a main H.264 Some([1920, 1080]) Some(12.5) Some(4096)"]);
        let second = "<Profiles token='b' fixed='true'><Name>sub</Name><Configurations><VideoSource/><VideoEncoder><tt:Encoding>H265\
                      </tt:Encoding><tt:Resolution><tt:Width>640</tt:Width><tt:Height>360</tt:Height></tt:Resolution>\
                      <tt:RateControl ConstantBitRate='false'><tt:FrameRateLimit>15.0</tt:FrameRateLimit><tt:BitrateLimit>512\
                      </tt:BitrateLimit></tt:RateControl></VideoEncoder></Configurations></Profiles>";
        assert_eq!(read(second), ["b sub H.265 Some([640, 360]) Some(15.0) Some(512)"]);
    }

    #[test]
    fn what_is_missing_or_odd_is_left_out() {
        let only_source = "<Profiles token='c'><VideoSourceConfiguration/></Profiles>";
        assert_eq!(read(only_source), ["c c  None None None"]);
        let metadata = "<Profiles token='d'><Name>meta</Name><MetadataConfiguration/></Profiles>\
                        <Profiles token='e'><Configurations><Metadata/><AudioSource/></Configurations></Profiles>";
        assert_eq!(read(metadata), [""; 0]);
        assert_eq!(read("<Profiles><VideoEncoderConfiguration/></Profiles>"), [""; 0], "nothing to ask for");
        let odd = "<Profiles token='f'><VideoEncoderConfiguration><Encoding>MPV4-ES</Encoding><Resolution><Width>0</Width>\
                   <Height>-1</Height></Resolution><RateControl><FrameRateLimit>NaN</FrameRateLimit><EncodingInterval>0\
                   </EncodingInterval><BitrateLimit>99999999999</BitrateLimit></RateControl></VideoEncoderConfiguration></Profiles>";
        assert_eq!(read(odd), ["f f MPV4-ES None None None"]);
        assert_eq!(read(&only_source.repeat(100)).len(), MOST_PROFILES);
    }

    #[test]
    fn the_host_of_a_stream_is_the_one_that_was_asked() {
        let read = |uri: &str| Stream::read(uri, "192.0.2.7", None).map(|s| (s.url.to_string(), s.said));
        let at = |path: &str, said: Option<&str>| Ok((format!("rtsp://192.0.2.7:554{path}"), said.map(str::to_owned)));
        assert_eq!(read("rtsp://192.0.2.7:554/a?b=c"), at("/a?b=c", None));
        assert_eq!(read("rtsp://0.0.0.0/a"), at("/a", Some("0.0.0.0")));
        assert_eq!(read("RTSP://10.1.1.1:554"), at("", Some("10.1.1.1")));
        assert_eq!(read("rtsp://admin:p@ss@192.0.2.7/a"), at("/a", None));
        let by_name = Stream::read("rtsp://192.0.2.7/a", "gate.lan", "192.0.2.7".parse().ok()).unwrap();
        assert_eq!((by_name.url.to_string().as_str(), by_name.said), ("rtsp://gate.lan:554/a", None));
    }

    #[test]
    fn no_password_is_in_an_address_or_in_the_words_about_it() {
        let read = |uri: &str| Stream::read(uri, "192.0.2.7", None).unwrap_err().to_string();
        assert_eq!(
            read("rtsp://192.0.2.7/user=admin_password=tlJwpbo6_channel=1_stream=0.sdp"),
            "gives no address that could be used: a password does not belong into an address"
        );
        assert_eq!(read("http://192.0.2.7/a"), "gives no address that could be used: http:// cannot be used here");
        for odd in ["", "rtsp://", "rtsp://u:pw@", "/a", "rtsp://h/a b", "rtsp://h/u:pw@x"] {
            assert!(!read(odd).contains("pw"), "{odd}");
        }
    }
}
