//! Light, weather, noise and people are no things.

use super::{
    stage::{BAG, Stage, Thing},
    with_bag,
};

#[test]
fn somebody_who_stands_for_a_minute_leaves_no_trace() {
    for noise in [2.0, 6.0] {
        let mut stage = Stage::new();
        stage.noise = noise;
        stage.learn();
        // He walks in, stands with his shadow beside him, and walks out.
        let still = stage.walk((100, 120), (300, 140), 4.0);
        stage.things.push(Thing { place: (318, 200, 40, 14), luma: 0.0, gain: 0.6 });
        stage.persons.push(still);
        stage.run(60.0);
        (stage.persons, stage.things) = (Vec::new(), Vec::new());
        stage.walk(still, (100, 120), 4.0);
        stage.run(10.0);
        assert_eq!(stage.most(), 0, "noise {noise}");
    }
}

#[test]
fn a_lamp_that_lights_a_part_of_the_room_puts_nothing_there() {
    let mut stage = Stage::new();
    stage.learn();
    stage.lamp = Some((200.0, 180.0, 90.0, 70.0));
    stage.run(40.0);
    assert_eq!(stage.most(), 0);
    stage.lamp = None;
    stage.run(40.0);
    assert_eq!(stage.most(), 0);
}

#[test]
fn the_shadow_of_something_on_textured_ground_is_none() {
    let mut stage = Stage::new();
    stage.texture = 25.0;
    stage.learn();
    stage.things.push(Thing { place: (200, 150, 60, 40), luma: 0.0, gain: 0.6 });
    stage.run(20.0);
    assert_eq!(stage.most(), 0);
}

#[test]
fn headlights_that_sweep_over_the_ground_are_nothing() {
    let mut stage = Stage::new();
    stage.learn();
    for _ in 0..4 {
        for step in 0..40 {
            stage.lamp = Some((16.0 * step as f32, 220.0, 120.0, 40.0));
            stage.look();
        }
        // And stand on it for a while.
        stage.run(6.0);
        stage.lamp = None;
        stage.run(6.0);
    }
    assert_eq!(stage.most(), 0);
}

#[test]
fn a_swaying_tree_is_nothing() {
    let mut stage = Stage::new();
    for look in 0..900 {
        let t = look as f32 / stage.rate;
        // Gusts, and calm between them.
        let by = 12.0 * (t * 2.1).sin() * (0.5 + 0.5 * (t * 0.13).sin());
        stage.things.clear();
        for leaf in 0..12 {
            let x = (200.0 + (leaf * 37 % 120) as f32 + by) as usize;
            stage.things.push(Thing { place: (x, 110 + leaf * 53 % 90, 14, 12), luma: 60.0, ..BAG });
        }
        stage.look();
    }
    assert_eq!(stage.most(), 0);
}

#[test]
fn rain_is_nothing() {
    let mut stage = Stage::new();
    stage.learn();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..600 {
        stage.things.clear();
        for _ in 0..60 {
            let place = (random.usize(0..630), random.usize(0..330), 3, 24);
            stage.things.push(Thing { place, luma: 220.0, ..BAG });
        }
        stage.look();
    }
    assert_eq!(stage.most(), 0);
    stage.things = vec![BAG];
    stage.run(4.0);
    assert_eq!(stage.patches().len(), 1);
    stage.things.clear();
    stage.run(4.0);
    // A bag and a chest are found through it.
    for large in [1, 3] {
        let [x, y, w, h] = [200, 150, 20 * large, 20 * large];
        let thing = Thing { place: (x, y, w, h), ..BAG };
        for _ in 0..6 * 5 {
            stage.things = vec![thing];
            for _ in 0..60 {
                let place = (random.usize(0..630), random.usize(0..330), 3, 24);
                stage.things.push(Thing { place, luma: 220.0, ..BAG });
            }
            stage.look();
        }
        assert_eq!(stage.patches().len(), 1, "{large}");
        stage.things.clear();
        stage.run(4.0);
        assert_eq!(stage.patches().len(), 0, "{large}");
    }
}

#[test]
fn a_shadow_that_creeps_with_the_sun_is_nothing() {
    let mut stage = Stage::new();
    stage.rate = 2.0;
    stage.shadow = Some((150.0, 110.0, 60.0));
    stage.learn();
    // A pixel a minute is a fast one; a quarter of an hour of it.
    for _ in 0..900 * 2 {
        if let Some((left, ..)) = &mut stage.shadow {
            *left += 1.0 / 120.0;
        }
        stage.look();
    }
    assert_eq!(stage.most(), 0);
}

#[test]
fn noise_is_nothing_and_hides_no_bag() {
    for noise in [0.0, 2.0, 6.0, 10.0] {
        let mut stage = Stage::new();
        stage.noise = noise;
        stage.learn();
        stage.run(60.0);
        assert_eq!(stage.most(), 0, "noise {noise}");
        stage.things.push(BAG);
        stage.run(4.0);
        assert_eq!(stage.patches().len(), 1, "noise {noise}");
    }
}

#[test]
fn the_light_may_change_by_a_third_at_once() {
    for gain in [0.7, 1.3] {
        let mut stage = Stage::new();
        stage.learn();
        stage.gain = gain;
        stage.run(30.0);
        assert_eq!(stage.most(), 0, "gain {gain}");
        // And what is listed stays, and goes, under the other light.
        let mut stage = Stage::new();
        let id = with_bag(&mut stage);
        stage.gain = gain;
        stage.run(30.0);
        assert_eq!(stage.patches().iter().map(|patch| patch.id).collect::<Vec<_>>(), [id], "gain {gain}");
        stage.things.clear();
        stage.run(4.0);
        assert_eq!((stage.patches(), stage.most()), (vec![], 1), "gain {gain}");
    }
}

#[test]
fn fog_that_comes_and_goes_takes_nothing_away_and_brings_nothing() {
    for luma in [60.0, 90.0, 190.0] {
        let mut stage = Stage::new();
        stage.things.push(Thing { luma, ..BAG });
        stage.learn();
        for (target, seconds) in [(0.6, 20.0), (0.6, 30.0), (0.0, 20.0), (0.0, 30.0), (0.5, 3.0), (0.5, 90.0)] {
            let (from, looks) = (stage.veil, (seconds * stage.rate) as usize);
            for look in 1..=looks {
                stage.veil = from + (target - from) * look as f32 / looks as f32;
                stage.look();
            }
            assert_eq!(stage.most(), 0, "luma {luma}, fog {target}: {:?}", stage.patches());
        }
        // What is really taken in the fog is told.
        stage.things.clear();
        stage.run(5.0);
        assert_eq!(stage.patches().len(), 1, "luma {luma}");
        assert_eq!(stage.patches()[0].appeared, Some(false), "luma {luma}");
    }
}

#[test]
fn light_that_creeps_over_the_ground_is_learnt_and_leaves_no_steps() {
    for noise in [0.5, 2.0] {
        let mut stage = Stage::new();
        stage.noise = noise;
        stage.learn();
        // As fast as drifting fog: the memory lags behind by more than what counts for a change.
        for look in 0..20 * 5 {
            stage.lamp = Some((200.0, 180.0, 120.0, 0.3 * look as f32));
            stage.look();
            assert_eq!(stage.still(), 0, "noise {noise}, look {look}");
        }
        stage.run(20.0);
        assert!(stage.most_off() < 7.0, "noise {noise}: {}", stage.most_off());
        stage.things.push(BAG);
        stage.run(4.0);
        assert_eq!(stage.patches().len(), 1, "noise {noise}");
    }
}

#[test]
fn a_bank_of_fog_that_slowly_comes_over_bare_ground_and_goes_takes_nothing_away() {
    let mut stage = Stage::new();
    stage.learn();
    for (from, to, seconds) in [(0.0, 25.0, 60.0), (25.0, 25.0, 20.0), (25.0, 0.0, 60.0)] {
        let looks = (seconds * stage.rate) as usize;
        for look in 1..=looks {
            let bright = from + (to - from) * look as f32 / looks as f32;
            stage.lamp = Some((330.0, 200.0, 110.0, bright));
            stage.look();
            assert_eq!(stage.most(), 0, "{bright}: {:?}", stage.patches());
        }
    }
}
