use super::*;
use crate::vision::{Layout, Matrix, Range};

const LOOK: Duration = Duration::from_millis(200);

/// A scene with light that can be set, sensor noise, and things in it.
struct Scene {
    width: usize,
    height: usize,
    luma: Vec<u8>,
    random: fastrand::Rng,
    motion: Motion,
    now: Duration,
    /// Deviation of the noise, in steps of luma.
    noise: f32,
    /// What is added everywhere.
    light: f32,
}

impl Scene {
    fn new(width: usize, height: usize, noise: f32) -> Self {
        Self {
            width,
            height,
            luma: Vec::new(),
            random: fastrand::Rng::with_seed(7),
            motion: Motion::default(),
            now: Duration::ZERO,
            noise,
            light: 0.0,
        }
    }

    /// One look at the scene with things of a brightness of 40 more in these places: left, top, width, height in pixels.
    fn look(&mut self, things: &[(usize, usize, usize, usize)]) -> Change {
        let Self { width, height, random, noise, light, .. } = self;
        // Twelve uniform numbers make a nearly normal one, four do here.
        let mut normal = || (0..4).map(|_| random.f32() - 0.5).sum::<f32>() * 3.0_f32.sqrt();
        self.luma = (0..*width * *height)
            .map(|at| {
                let (x, y) = (at % *width, at / *width);
                let wall = 60 + (x / 40 + y / 30) % 5 * 20;
                let inside = |(left, top, w, h): &(usize, usize, usize, usize)| {
                    (*left..left + w).contains(&x) && (*top..top + h).contains(&y)
                };
                let thing = if things.iter().any(inside) { 40.0 } else { 0.0 };
                (wall as f32 + thing + *light + *noise * normal()).clamp(0.0, 255.0) as u8
            })
            .collect();
        self.now += LOOK;
        let (y, stride) = (self.luma.as_slice(), self.width);
        let layout = Layout::Nv12 { y, uv: &[], y_stride: stride, uv_stride: stride };
        let picture =
            Planes { width: self.width, height: self.height, layout, range: Range::Limited, matrix: Matrix::Bt601 };
        self.motion.look(self.now, &picture)
    }

    /// So many looks at nothing; how many of them told a change.
    fn still(&mut self, looks: usize) -> usize {
        (0..looks).filter(|_| self.look(&[]) != Change::None).count()
    }
}

#[test]
fn noise_is_no_motion_by_day_or_night() {
    for noise in [0.0, 2.0, 6.0, 12.0] {
        let mut scene = Scene::new(640, 360, noise);
        assert_eq!(scene.look(&[]), Change::All, "nothing is known yet");
        scene.still(50);
        assert_eq!(scene.still(200), 0, "noise {noise}");
    }
}

#[test]
fn a_person_far_away_is_seen_where_he_is() {
    // 1.7 m at 40 m, seen by a lens of 90 degrees.
    for (size, person) in [((640, 360), (5, 14)), ((1280, 720), (10, 28))] {
        let mut scene = Scene::new(size.0, size.1, 3.0);
        scene.still(50);
        let mut seen = 0;
        for step in 0..40 {
            let (x, y) = (size.0 / 4 + step * person.0 / 3, size.1 / 2);
            if let Change::Somewhere(places) = scene.look(&[(x, y, person.0, person.1)]) {
                let (cx, cy) = ((x + person.0 / 2) as f32 / size.0 as f32, (y + person.1 / 2) as f32 / size.1 as f32);
                let holds =
                    |place: &Rect| (place.x..=place.right()).contains(&cx) && (place.y..=place.bottom()).contains(&cy);
                seen += usize::from(places.iter().any(holds));
            }
        }
        assert!(seen >= 38, "{seen} of 40 at {size:?}");
    }
}

#[test]
fn a_light_that_is_switched_on_is_one_look_and_no_more() {
    let mut scene = Scene::new(640, 360, 3.0);
    scene.still(50);
    scene.light = 60.0;
    // As a whole it is only lighter.
    assert!(scene.still(20) <= 1);
    // An infrared filter changes everything differently.
    let mut other = Scene::new(640, 360, 3.0);
    other.still(50);
    other
        .motion
        .background
        .begin(&vec![0.0; 160 * 90].iter().enumerate().map(|(n, _)| (n % 200) as f32).collect::<Vec<_>>());
    assert_eq!(other.look(&[]), Change::All);
    assert_eq!(other.still(20), 0);
}

#[test]
fn a_camera_that_follows_the_light_is_no_motion() {
    let mut scene = Scene::new(640, 360, 3.0);
    scene.still(50);
    let dusk = (0..300).filter(|step| {
        scene.light = -(*step as f32) * 0.15;
        scene.look(&[]) != Change::None
    });
    assert_eq!(dusk.count(), 0);
}

#[test]
fn a_tree_becomes_usual_and_somebody_before_it_is_seen() {
    let mut scene = Scene::new(640, 360, 3.0);
    let tree = |step: usize| [(100 + step % 3 * 4, 100, 24, 40), (400, 60 + step % 2 * 5, 30, 30)];
    for step in 0..600 {
        scene.look(&tree(step));
    }
    let told = (0..100).filter(|step| scene.look(&tree(*step)) != Change::None).count();
    let seen = (0..20).filter(|step| {
        let [a, b] = tree(*step);
        scene.look(&[a, b, (200 + step * 6, 200, 12, 40)]) != Change::None
    });
    assert_eq!(seen.count(), 20);
    assert!(told <= 60, "{told} of 100");
}

#[test]
fn another_size_or_a_long_pause_begins_anew() {
    let mut scene = Scene::new(640, 360, 2.0);
    scene.still(50);
    scene.now += LONGEST_PAUSE;
    assert_eq!(scene.look(&[]), Change::All);
    assert_eq!(scene.look(&[]), Change::None);
    (scene.width, scene.height) = (320, 180);
    assert_eq!(scene.look(&[]), Change::All);
    (scene.width, scene.height) = (3, 3);
    assert_eq!(scene.look(&[]), Change::All, "less than a block");
    assert_eq!(scene.look(&[]), Change::None);
}
