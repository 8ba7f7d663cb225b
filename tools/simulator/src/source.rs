use std::time::Duration;

use karaul_scene::{Effect, Grain, I420Frame, Scene, SceneOptions};

use crate::{Content, Mount, SimulatorError, file::FileSource};

/// Pictures a second, as a fraction.
pub(crate) type Rate = (u32, u32);

/// Size of scenes and patterns if nothing else is said.
const SIZE: (usize, usize) = (640, 360);

/// Rate of scenes and patterns if nothing else is said.
const RATE: Rate = (15, 1);

/// Gives pictures, one after the other, for ever.
pub(crate) trait Source: Send {
    /// Width and height; both even.
    fn size(&self) -> (usize, usize);
    /// Pictures a second.
    fn rate(&self) -> Rate;
    /// Draws the next picture. `out` keeps what it held if the pictures stand still.
    fn next(&mut self, out: &mut I420Frame) -> Result<(), SimulatorError>;
}

/// The pictures of a mount, from the beginning.
pub(crate) fn open(mount: &Mount) -> Result<Box<dyn Source>, SimulatorError> {
    let source = untouched(mount)?;
    Ok(match mount.effect {
        Some(effect) => Box::new(Affected { source, effect, picture: I420Frame::default(), index: 0 }),
        None => source,
    })
}

fn untouched(mount: &Mount) -> Result<Box<dyn Source>, SimulatorError> {
    let size = mount.size.unwrap_or(SIZE);
    let rate = mount.fps.map_or(RATE, |fps| (fps, 1));
    Ok(match &mount.content {
        Content::File(path) => Box::new(FileSource::open(path, mount.size, mount.fps, mount.once)?),
        Content::Still(path) => {
            let (mut file, mut still) = (FileSource::open(path, mount.size, None, true)?, I420Frame::default());
            file.next(&mut still)?;
            Box::new(Still { still, grain: Grain::new(1), rate, index: 0 })
        }
        Content::Pattern => Box::new(Pattern { size, rate, index: 0 }),
        Content::Scene(script, light) => {
            let options = SceneOptions {
                width: size.0,
                height: size.1,
                script: *script,
                light: *light,
                weather: mount.weather,
                ..SceneOptions::default()
            };
            Box::new(Rendered { scene: Scene::new(options)?, size, rate, index: 0 })
        }
    })
}

/// When picture `index` is due, at a steady rate.
pub(crate) fn due(index: u64, (pictures, seconds): Rate) -> Duration {
    let nanos = u128::from(index) * 1_000_000_000 * u128::from(seconds) / u128::from(pictures.max(1));
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// A scene in its own time.
struct Rendered {
    scene: Scene,
    size: (usize, usize),
    rate: Rate,
    index: u64,
}

impl Source for Rendered {
    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn rate(&self) -> Rate {
        self.rate
    }

    fn next(&mut self, out: &mut I420Frame) -> Result<(), SimulatorError> {
        self.scene.render(due(self.index, self.rate), out);
        self.index += 1;
        Ok(())
    }
}

/// Something happens to the pictures.
struct Affected {
    source: Box<dyn Source>,
    effect: Effect,
    /// Without the effect: the next one may be the same.
    picture: I420Frame,
    index: u64,
}

impl Source for Affected {
    fn size(&self) -> (usize, usize) {
        self.source.size()
    }

    fn rate(&self) -> Rate {
        self.source.rate()
    }

    fn next(&mut self, out: &mut I420Frame) -> Result<(), SimulatorError> {
        self.source.next(&mut self.picture)?;
        out.clone_from(&self.picture);
        self.effect.apply(due(self.index, self.rate()), out);
        self.index += 1;
        Ok(())
    }
}

/// One picture, with the noise of a sensor.
struct Still {
    still: I420Frame,
    grain: Grain,
    rate: Rate,
    index: u64,
}

impl Source for Still {
    fn size(&self) -> (usize, usize) {
        (self.still.width, self.still.height)
    }

    fn rate(&self) -> Rate {
        self.rate
    }

    fn next(&mut self, out: &mut I420Frame) -> Result<(), SimulatorError> {
        out.clone_from(&self.still);
        self.grain.lay(self.index, out);
        self.index += 1;
        Ok(())
    }
}

/// A white bar that moves over a gradient, once across in four seconds.
struct Pattern {
    size: (usize, usize),
    rate: Rate,
    index: u64,
}

impl Source for Pattern {
    fn size(&self) -> (usize, usize) {
        self.size
    }

    fn rate(&self) -> Rate {
        self.rate
    }

    fn next(&mut self, out: &mut I420Frame) -> Result<(), SimulatorError> {
        let (width, height) = self.size;
        if (out.width, out.height) != self.size {
            *out = I420Frame::new(width, height);
        }
        let across = due(self.index, self.rate).as_secs_f64() / 4.0 % 1.0;
        let left = (across * width as f64) as usize;
        let bar = left..left + width / 16;
        let row: Vec<u8> =
            (0..width).map(|x| if bar.contains(&x) { 235 } else { (32 + x * 128 / width) as u8 }).collect();
        for line in out.data[..width * height].chunks_exact_mut(width) {
            line.copy_from_slice(&row);
        }
        self.index += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_due_at_a_steady_rate_without_drift() {
        assert_eq!(due(0, (30_000, 1001)), Duration::ZERO);
        assert_eq!(due(30_000, (30_000, 1001)), Duration::from_secs(1001));
        assert_eq!(due(3, (10, 1)), Duration::from_millis(300));
    }

    #[test]
    fn an_effect_lies_over_the_pictures() {
        let picture = |mount: &str| {
            let (mut source, mut picture) = (open(&mount.parse().unwrap()).unwrap(), I420Frame::default());
            (0..5).for_each(|_| source.next(&mut picture).unwrap());
            picture
        };
        assert_ne!(picture("/p=pattern,size=64x64"), picture("/p=pattern,size=64x64,effect=rain"));
    }

    #[test]
    fn the_pattern_moves() {
        let mut source = open(&"/p=pattern,size=64x64,fps=1".parse().unwrap()).unwrap();
        let (mut first, mut second) = (I420Frame::default(), I420Frame::default());
        source.next(&mut first).unwrap();
        source.next(&mut second).unwrap();
        assert_eq!((first.data[0], first.data[16]), (235, 64));
        assert_eq!((second.data[0], second.data[16]), (32, 235));
    }
}
