use std::{path::PathBuf, str::FromStr};

use karaul_scene::{Effect, Light, SceneOptions, Script, Weather};

/// One camera: where it is served, what it shows and how that is encoded.
///
/// Written `/PATH=CONTENT[,OPTION…]`, for example `/yard=scene:yard,size=1280x720,fps=15,timecode`.
///
/// Contents: `scene:yard`, `scene:empty`, `scene:creep`, `scene:STORY` (the kind of a rule, as in `scene:loitering`),
/// `scene:NUMBER` (another place for each number), `file:PATH`, `still:PATH` (the first picture of a file, with the noise of
/// a sensor), `pattern`.
///
/// Options: `size=WxH`, `fps=N`, `codec=h264|h265|mjpeg`, `bitrate=KBIT_PER_SECOND`, `gop=PICTURES`, `timecode`, `once`
/// (stand still after the last picture of a file instead of starting again), `copy` (do not encode a file anew),
/// `light=day|night|cycle`, `weather=NAME` (of a scene: rain, snow, …), `effect=NAME` (what happens to the picture from its
/// beginning on: rain, wind, …).
#[derive(Clone, Debug, PartialEq)]
pub struct Mount {
    /// Path in the URL, with the leading slash.
    pub path: String,
    /// What is shown.
    pub content: Content,
    /// Width and height; otherwise the file's own, or 640x360.
    pub size: Option<(usize, usize)>,
    /// Pictures a second; otherwise the file's own, or 15.
    pub fps: Option<u32>,
    /// The codec.
    pub codec: Codec,
    /// Kilobits a second; otherwise by size and rate.
    pub bitrate: Option<u32>,
    /// Pictures from one keyframe to the next; otherwise two seconds.
    pub gop: Option<u32>,
    /// What the weather does in a scene.
    pub weather: Option<Weather>,
    /// What happens to the picture from its beginning on.
    pub effect: Option<Effect>,
    /// Burn the time into each picture.
    pub timecode: bool,
    /// Stand still at the end instead of starting again.
    pub once: bool,
    /// Pass the file's video through as it is.
    pub copy: bool,
}

/// What a camera shows.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// A rendered scene.
    Scene(Script, Light),
    /// A file.
    File(PathBuf),
    /// The first picture of a file, with the noise of a sensor.
    Still(PathBuf),
    /// A bar that moves over a gradient.
    Pattern,
}

/// Codecs a camera can use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// H.264.
    H264,
    /// H.265.
    H265,
    /// Motion JPEG; sides are multiples of 8, and at most 2040.
    Mjpeg,
}

/// Why a mount cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// No `=` or no leading slash.
    #[error("write a mount as /PATH=CONTENT, for example /yard=scene:yard")]
    Shape,
    /// An unknown content.
    #[error(
        "{0:?} cannot be shown: write scene:yard, scene:empty, scene:creep, scene:STORY, scene:NUMBER, file:PATH, still:PATH or pattern"
    )]
    Content(String),
    /// An unknown option.
    #[error(
        "there is no option {0:?}: size, fps, codec, bitrate, gop, light, weather, effect, timecode, once and copy exist"
    )]
    Option(String),
    /// A value that an option does not take.
    #[error("{option}={value}: {wanted}")]
    Value {
        /// The option.
        option: String,
        /// Its value.
        value: String,
        /// What it takes.
        wanted: &'static str,
    },
    /// Options that exclude each other.
    #[error("copy passes a file on untouched: it goes with file: and once only, not with {0}")]
    Copy(&'static str),
}

impl Mount {
    /// A camera with default options.
    #[must_use]
    pub fn new(path: &str, content: Content) -> Self {
        Self {
            path: path.to_owned(),
            content,
            size: None,
            fps: None,
            codec: Codec::H264,
            bitrate: None,
            gop: None,
            weather: None,
            effect: None,
            timecode: false,
            once: false,
            copy: false,
        }
    }

    fn set(&mut self, option: &str) -> Result<(), MountError> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let bad = |wanted| MountError::Value { option: name.to_owned(), value: value.to_owned(), wanted };
        let number = |low: u32, high: u32, wanted| {
            value.parse().ok().filter(|number| (low..=high).contains(number)).map(Some).ok_or_else(|| bad(wanted))
        };
        match name {
            "size" => {
                self.size = Some(size(value).ok_or_else(|| bad("give even sides from 64 to 4096, as in 640x360"))?)
            }
            "fps" => self.fps = number(1, 60, "give whole pictures a second from 1 to 60")?,
            "bitrate" => self.bitrate = number(16, 100_000, "give kilobits a second from 16 to 100000")?,
            "gop" => self.gop = number(1, 6000, "give pictures from one keyframe to the next, 1 to 6000")?,
            "codec" => {
                self.codec = match value {
                    "h264" => Codec::H264,
                    "h265" => Codec::H265,
                    "mjpeg" => Codec::Mjpeg,
                    _ => return Err(bad("give h264, h265 or mjpeg")),
                }
            }
            "light" => match (&mut self.content, light(value)) {
                (Content::Scene(_, of_scene), Some(light)) => *of_scene = light,
                _ => return Err(bad("give day, night or cycle, to a scene")),
            },
            "weather" => {
                let weather = Weather::ALL.into_iter().find(|weather| weather.name() == value);
                let of_scene = matches!(self.content, Content::Scene(..));
                self.weather = Some(weather.filter(|_| of_scene).ok_or_else(|| {
                    bad("give rain, snow, clouds, fog, trees, insects, headlights or web, to a scene")
                })?);
            }
            "effect" => {
                let effect = Effect::ALL.into_iter().find(|effect| effect.name() == value);
                self.effect = Some(effect.ok_or_else(|| bad("give rain, wind, fog, lightning, light-switch, bus, cover, spray, blur, darkness, dazzle or dirt"))?);
            }
            "timecode" if value.is_empty() => self.timecode = true,
            "once" if value.is_empty() => self.once = true,
            "copy" if value.is_empty() => self.copy = true,
            _ => return Err(MountError::Option(name.to_owned())),
        }
        Ok(())
    }

    fn checked(self) -> Result<Self, MountError> {
        if self.copy {
            let conflict = [
                ("another content", !matches!(self.content, Content::File(_))),
                ("size", self.size.is_some()),
                ("fps", self.fps.is_some()),
                ("bitrate", self.bitrate.is_some()),
                ("gop", self.gop.is_some()),
                ("effect", self.effect.is_some()),
                ("timecode", self.timecode),
            ];
            if let Some((name, _)) = conflict.into_iter().find(|(_, there)| *there) {
                return Err(MountError::Copy(name));
            }
        }
        Ok(self)
    }
}

impl FromStr for Mount {
    type Err = MountError;

    fn from_str(text: &str) -> Result<Self, MountError> {
        let (path, rest) = text.split_once('=').ok_or(MountError::Shape)?;
        if !path.starts_with('/') || path.len() < 2 {
            return Err(MountError::Shape);
        }
        let mut parts = rest.split(',');
        let mut mount = Self::new(path, content(parts.next().unwrap_or_default())?);
        for option in parts {
            mount.set(option)?;
        }
        mount.checked()
    }
}

fn content(text: &str) -> Result<Content, MountError> {
    let unknown = || MountError::Content(text.to_owned());
    let light = SceneOptions::default().light;
    match text.split_once(':') {
        None if text == "pattern" => Ok(Content::Pattern),
        Some(("file", path)) if !path.is_empty() => Ok(Content::File(path.into())),
        Some(("still", path)) if !path.is_empty() => Ok(Content::Still(path.into())),
        Some(("scene", "yard")) => Ok(Content::Scene(Script::Yard, light)),
        Some(("scene", "empty")) => Ok(Content::Scene(Script::Empty, light)),
        Some(("scene", "creep")) => Ok(Content::Scene(Script::Creep, light)),
        Some(("scene", other)) => {
            let story = other.parse().ok().map(Script::Story);
            let number = || other.parse().ok().map(Script::Random);
            Ok(Content::Scene(story.or_else(number).ok_or_else(unknown)?, light))
        }
        _ => Err(unknown()),
    }
}

fn light(text: &str) -> Option<Light> {
    match text {
        "day" => Some(Light::Day),
        "night" => Some(Light::Night),
        "cycle" => Some(SceneOptions::default().light),
        _ => None,
    }
}

fn size(text: &str) -> Option<(usize, usize)> {
    let (width, height) = text.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|side| (64..=4096).contains(side) && side % 2 == 0);
    Some((side(width)?, side(height)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        text.parse::<Mount>().unwrap_err().to_string()
    }

    #[test]
    fn a_mount_says_what_is_served_where() {
        let mount: Mount =
            "/gate=file:clips/a b.mp4,size=768x432,fps=10,codec=h265,bitrate=400,gop=50,effect=rain,timecode,once"
                .parse()
                .unwrap();
        let expected = Mount {
            size: Some((768, 432)),
            fps: Some(10),
            codec: Codec::H265,
            bitrate: Some(400),
            gop: Some(50),
            effect: Some(Effect::Rain),
            timecode: true,
            once: true,
            ..Mount::new("/gate", Content::File("clips/a b.mp4".into()))
        };
        assert_eq!(mount, expected);
        let night = "/y=scene:yard,light=night".parse::<Mount>().unwrap();
        assert_eq!(night.content, Content::Scene(Script::Yard, Light::Night));
        let story = "/y=scene:wrong_way,weather=snow".parse::<Mount>().unwrap();
        assert_eq!(
            story.content,
            Content::Scene(Script::Story(karaul_scene::Story::WrongWay), SceneOptions::default().light)
        );
        assert_eq!(story.weather, Some(Weather::Snow));
        assert_eq!("/y=still:a.png".parse::<Mount>().unwrap().content, Content::Still("a.png".into()));
        assert!("/y=file:a.mp4,copy,once".parse::<Mount>().unwrap().copy);
    }

    #[test]
    fn what_is_wrong_is_said_with_the_remedy() {
        assert_eq!(refused("yard"), "write a mount as /PATH=CONTENT, for example /yard=scene:yard");
        assert_eq!(refused("yard=pattern"), "write a mount as /PATH=CONTENT, for example /yard=scene:yard");
        assert_eq!(
            refused("/a=movie.mp4"),
            "\"movie.mp4\" cannot be shown: write scene:yard, scene:empty, scene:creep, scene:STORY, scene:NUMBER, file:PATH, still:PATH or pattern"
        );
        assert_eq!(refused("/a=pattern,size=641x360"), "size=641x360: give even sides from 64 to 4096, as in 640x360");
        assert_eq!(refused("/a=pattern,fps=0"), "fps=0: give whole pictures a second from 1 to 60");
        assert_eq!(refused("/a=pattern,codec=av1"), "codec=av1: give h264, h265 or mjpeg");
        assert_eq!(refused("/a=pattern,light=day"), "light=day: give day, night or cycle, to a scene");
        assert_eq!(
            refused("/a=pattern,effect=snow"),
            "effect=snow: give rain, wind, fog, lightning, light-switch, bus, cover, spray, blur, darkness, dazzle or dirt"
        );
        let weather = "weather=snow: give rain, snow, clouds, fog, trees, insects, headlights or web, to a scene";
        assert_eq!(refused("/a=pattern,weather=snow"), weather);
        for name in Weather::ALL.map(Weather::name) {
            assert!(weather.contains(name), "{name}");
        }
        for effect in Effect::ALL {
            assert!(refused("/a=pattern,effect=snow").contains(effect.name()), "{}", effect.name());
        }
        assert_eq!(
            refused("/a=pattern,timecodes"),
            "there is no option \"timecodes\": size, fps, codec, bitrate, gop, light, weather, effect, timecode, once and copy exist"
        );
        assert_eq!(
            refused("/a=file:x.mp4,copy,timecode"),
            "copy passes a file on untouched: it goes with file: and once only, not with timecode"
        );
    }
}
