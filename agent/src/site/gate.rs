//! Whether a picture is worth the model, and which parts of it: nothing is looked for where nothing moves.

use std::time::Duration;

use crate::{
    config::Detection,
    vision::{
        Planes, Rect, Window,
        motion::{Change, Motion},
        windows,
    },
};

/// Pictures are never in time to the microsecond.
const SLACK: Duration = Duration::from_millis(20);

/// Judges the pictures of one camera, in their order.
pub(super) struct Gate {
    /// `None` if every picture is looked at.
    motion: Option<Motion>,
    /// The longest time between two looks at the whole picture.
    every: Duration,
    whole: Option<Duration>,
}

/// What is to be done with a picture.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Look {
    /// Nothing.
    Not,
    /// Look at all of it.
    Whole,
    /// Look at these parts.
    Pieces(Vec<Window>),
}

impl Gate {
    pub(super) fn new(detection: Detection, every: Duration) -> Self {
        let motion = (detection == Detection::OnMotion).then(Motion::default);
        Self { motion, every, whole: None }
    }

    /// `input` is the size (width, height) of the model's input if it can look at parts; `followed` are the places of
    /// what is followed, and `stirred` says whether anything of it is not at rest. What is at rest is reason for no look, but
    /// looked at with the rest: it would count as gone.
    pub(super) fn judge(
        &mut self,
        at: Duration,
        picture: &Planes<'_>,
        input: Option<(usize, usize)>,
        stirred: bool,
        followed: impl Iterator<Item = Rect>,
    ) -> Look {
        let Some(motion) = &mut self.motion else { return Look::Whole };
        let change = motion.look(at, picture);
        let due = self.whole.is_none_or(|last| at.saturating_sub(last) + SLACK >= self.every);
        if !due && change != Change::All {
            if change == Change::None && !stirred {
                return Look::Not;
            }
            let mut places: Vec<Rect> = followed.collect();
            if let Change::Somewhere(moved) = change {
                places.extend(moved);
            }
            if let Some(pieces) = input.and_then(|input| windows((picture.width, picture.height), input, &places)) {
                return Look::Pieces(pieces);
            }
        }
        self.whole = Some(at);
        Look::Whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vision::{Layout, Matrix, Range};

    const INPUT: Option<(usize, usize)> = Some((320, 192));

    /// A grey picture with a bright square at a place.
    fn look(gate: &mut Gate, at_ms: u64, square: Option<usize>, followed: &[Rect]) -> Look {
        judge(gate, at_ms, square, !followed.is_empty(), followed)
    }

    fn judge(gate: &mut Gate, at_ms: u64, square: Option<usize>, stirred: bool, followed: &[Rect]) -> Look {
        let mut y = vec![90_u8; 1280 * 720];
        if let Some(left) = square {
            (300..340).for_each(|row| y[row * 1280 + left..][..24].fill(200));
        }
        let layout = Layout::Nv12 { y: &y, uv: &[], y_stride: 1280, uv_stride: 1280 };
        let picture = Planes { width: 1280, height: 720, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        gate.judge(Duration::from_millis(at_ms), &picture, INPUT, stirred, followed.iter().copied())
    }

    #[test]
    fn a_still_scene_is_looked_at_now_and_then() {
        let mut gate = Gate::new(Detection::OnMotion, Duration::from_secs(2));
        let looks: Vec<u64> =
            (0..50).map(|n| n * 200).filter(|at| look(&mut gate, *at, None, &[]) == Look::Whole).collect();
        assert_eq!(looks, [0, 2000, 4000, 6000, 8000]);
    }

    #[test]
    fn what_moves_is_looked_at_at_once_and_close_up() {
        let mut gate = Gate::new(Detection::OnMotion, Duration::from_secs(2));
        (0..10).for_each(|n| _ = look(&mut gate, n * 100, None, &[]));
        let Look::Pieces(pieces) = look(&mut gate, 1000, Some(640), &[]) else { panic!("it moves") };
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].x < 640 && pieces[0].x + pieces[0].width > 664 && pieces[0].width == 320, "{pieces:?}");
        assert_eq!(look(&mut gate, 2000, Some(660), &[]), Look::Whole, "and all of it as often as without motion");
    }

    #[test]
    fn what_is_followed_is_looked_at_though_it_stands_still() {
        let mut gate = Gate::new(Detection::OnMotion, Duration::from_secs(2));
        look(&mut gate, 0, None, &[]);
        let person = Rect { x: 0.1, y: 0.5, w: 0.03, h: 0.12 };
        assert!(matches!(look(&mut gate, 200, None, &[person]), Look::Pieces(_)));
        let large = Rect { x: 0.1, y: 0.1, w: 0.7, h: 0.8 };
        assert_eq!(look(&mut gate, 400, None, &[large]), Look::Whole);
    }

    #[test]
    fn what_is_at_rest_is_looked_at_only_with_something_else() {
        let mut gate = Gate::new(Detection::OnMotion, Duration::from_secs(2));
        (0..10).for_each(|n| _ = look(&mut gate, n * 100, None, &[]));
        let parked = Rect { x: 0.05, y: 0.1, w: 0.03, h: 0.05 };
        assert_eq!(judge(&mut gate, 1000, None, false, &[parked]), Look::Not);
        let Look::Pieces(pieces) = judge(&mut gate, 1100, Some(1000), false, &[parked]) else { panic!("it moves") };
        assert!(pieces.iter().any(|piece| piece.x < 64) && pieces.len() == 2, "{pieces:?}");
    }

    #[test]
    fn without_the_gate_every_picture_is_looked_at() {
        let mut gate = Gate::new(Detection::Always, Duration::from_secs(2));
        assert!((0..5).all(|n| look(&mut gate, n * 200, None, &[]) == Look::Whole));
    }
}
