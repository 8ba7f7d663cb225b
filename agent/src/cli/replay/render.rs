//! A recording with what was seen in it drawn in.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use super::{draw::Picture, journal::Journal, overlay::Overlay};
use crate::{
    camera::{Film, FilmError, Frame},
    config::Camera,
    sight::Condition,
    track::Track,
    vision::Planes,
};

/// Makes a film of one recording.
pub(super) struct Render {
    path: PathBuf,
    overlay: Overlay,
    /// Begun with the first picture, whose size and colours it has.
    film: Option<Film>,
    /// A glimpse: the pictures before it may follow.
    held: Option<(Duration, Picture)>,
    /// Time of the latest picture in the film.
    last: Option<Duration>,
    /// Pictures of another size than the first.
    left_out: u64,
}

impl Render {
    pub(super) fn new(path: &Path, camera: &Camera) -> Self {
        let overlay = Overlay { rules: camera.rules.clone(), labels: camera.model.labels.clone() };
        Self { path: path.to_owned(), overlay, film: None, held: None, last: None, left_out: 0 }
    }

    /// Draws into the next picture and adds it to the film.
    pub(super) fn take(
        &mut self,
        frame: Frame,
        tracks: &[Track],
        trouble: Option<Condition>,
        journal: &Journal,
    ) -> Result<(), FilmError> {
        let (at, glimpse) = (frame.stamp.mono, frame.glimpse);
        // The decoder has few pictures; this is a copy.
        let Some(mut picture) = Picture::of(&frame.planes()) else { return Ok(()) };
        drop(frame);
        self.overlay.draw(&mut picture, at, tracks, trouble, journal);
        // What comes before the glimpse takes its place.
        if let Some((then, held)) = self.held.take()
            && then < at
        {
            self.add(then, &held)?;
        }
        if glimpse {
            self.held = Some((at, picture));
            Ok(())
        } else {
            self.add(at, &picture)
        }
    }

    /// Ends the film; a word if not all of the recording is in it.
    pub(super) fn finish(mut self) -> Result<Option<String>, FilmError> {
        if let Some((at, held)) = self.held.take() {
            self.add(at, &held)?;
        }
        let path = self.path.display();
        let Some(film) = self.film else { return Ok(Some(format!("{path}: there is no picture to draw into"))) };
        film.finish()?;
        let left_out = self.left_out;
        Ok((left_out > 0)
            .then(|| format!("{path}: {left_out} pictures are of another size than the first and left out")))
    }

    fn add(&mut self, at: Duration, picture: &Picture) -> Result<(), FilmError> {
        let planes: Planes<'_> = picture.planes();
        let film = match &mut self.film {
            Some(film) => film,
            none => none.insert(Film::begin(&self.path, &planes)?),
        };
        if self.last.is_some_and(|last| at <= last) {
            return Ok(());
        }
        if !film.fits(&planes) {
            self.left_out += 1;
            return Ok(());
        }
        self.last = Some(at);
        film.add(at, &planes)
    }
}
