use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A stream of 25 pictures a second with a keyframe every `gop`; sizes by time.
struct Stream {
    demand: Demand,
    gop: usize,
    count: usize,
}

impl Stream {
    fn new(mode: Decoding, gop: usize) -> Self {
        Self { demand: Demand::new(mode, 2 * SECOND), gop, count: 0 }
    }

    fn next(&mut self, size: usize, attentive: bool) -> Verdict {
        let keyframe = self.count.is_multiple_of(self.gop);
        let at = Duration::from_millis(40 * self.count as u64);
        self.count += 1;
        let size = if keyframe { 20 * size } else { size };
        self.demand.decide(Glance { at, size, keyframe, disposable: false }, attentive)
    }

    fn run(&mut self, pictures: usize, size: usize, attentive: bool) -> Vec<Verdict> {
        (0..pictures).map(|_| self.next(size, attentive)).collect()
    }

    /// Until only keyframes are decoded.
    fn asleep(gop: usize) -> Self {
        let mut stream = Self::new(Decoding::OnDemand, gop);
        stream.run(8 * 25, 1000, false);
        assert!(!stream.demand.awake);
        stream
    }
}

#[test]
fn a_still_scene_costs_its_keyframes() {
    let mut stream = Stream::asleep(50);
    let verdicts = stream.run(100, 1000, false);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Glimpse).count(), 2);
    assert_eq!(verdicts.iter().filter(|verdict| **verdict == Verdict::Keep).count(), 98);
}

#[test]
fn it_begins_awake_and_goes_to_sleep_at_a_keyframe_only() {
    let mut stream = Stream::new(Decoding::OnDemand, 50);
    let verdicts = stream.run(200, 1000, false);
    // 50 sizes have to be known, then LINGER has to pass, and then comes the next keyframe.
    let first = verdicts.iter().position(|verdict| *verdict != Verdict::Decode).unwrap();
    assert_eq!((first, verdicts[first]), (150, Verdict::Glimpse));
}

#[test]
fn growing_pictures_wake_it_from_the_last_keyframe_on() {
    let mut stream = Stream::asleep(50);
    stream.run(30, 1000, false);
    assert_eq!(stream.run(4, 3000, false), [Verdict::Keep, Verdict::FromLast, Verdict::Decode, Verdict::Decode]);
    // Quiet again: a while later it sleeps, from a keyframe on.
    let verdicts = stream.run(150, 1000, false);
    let end = verdicts.iter().position(|verdict| *verdict != Verdict::Decode).unwrap();
    assert_eq!(verdicts[end], Verdict::Glimpse);
    assert!((75..125).contains(&end), "{end}");
}

#[test]
fn what_a_keyframe_shows_is_not_lost_when_pictures_grow_as_well() {
    let mut stream = Stream::asleep(50);
    while stream.next(1000, false) != Verdict::Glimpse {}
    assert_eq!(stream.next(5000, true), Verdict::FromBefore);
    // Before anybody has said what is in it.
    let mut stream = Stream::asleep(50);
    while stream.next(1000, false) != Verdict::Glimpse {}
    stream.run(10, 1000, false);
    assert_eq!(stream.next(5000, false), Verdict::FromBefore);
}

#[test]
fn what_a_keyframe_shows_wakes_it_from_the_keyframe_before_on() {
    let mut stream = Stream::asleep(50);
    while stream.next(1000, false) != Verdict::Glimpse {}
    assert_eq!(stream.next(1000, true), Verdict::FromBefore);
    assert_eq!(stream.run(500, 1000, true), vec![Verdict::Decode; 500]);
}

#[test]
fn rare_keyframes_are_decoded_in_full_and_it_says_so() {
    let mut stream = Stream::new(Decoding::OnDemand, 250);
    assert_eq!(stream.run(1000, 1000, false), vec![Verdict::Decode; 1000]);
    assert_eq!(stream.demand.useless(), Some(FullDecodingCause::RareKeyframes));
    // The camera's setting is corrected, and that is believed after a while.
    stream.gop = 50;
    stream.run(25 * 30, 1000, false);
    assert_eq!(stream.demand.useless(), Some(FullDecodingCause::RareKeyframes));
    stream.run(200, 1000, false);
    assert_eq!(stream.demand.useless(), None);
    assert!(!stream.demand.awake);
}

#[test]
fn when_no_keyframe_comes_in_time_what_is_kept_is_looked_at_all_the_same() {
    let mut stream = Stream::asleep(50);
    while stream.next(1000, false) != Verdict::Glimpse {}
    stream.gop = 1_000_000;
    // 2.5 s at 25 pictures a second.
    let verdicts = stream.run(100, 1000, false);
    let woken = verdicts.iter().position(|verdict| *verdict != Verdict::Keep).unwrap();
    assert_eq!((woken, verdicts[woken]), (62, Verdict::FromLast));
    assert!(verdicts[63..].iter().all(|verdict| *verdict == Verdict::Decode));
    assert_eq!(stream.demand.useless(), Some(FullDecodingCause::RareKeyframes));
}

#[test]
fn an_interval_that_is_stretched_now_and_then_is_not_relied_on_in_between() {
    let mut stream = Stream::new(Decoding::OnDemand, 50);
    for round in 0..20 {
        stream.gop = 50;
        stream.run(250, 1000, false);
        stream.gop = 125;
        let verdicts = stream.run(250, 1000, false);
        assert!(round == 0 || verdicts.iter().all(|verdict| *verdict == Verdict::Decode), "{round}");
    }
}

#[test]
fn a_pause_of_the_network_is_not_put_down_to_the_encoder() {
    let mut stream = Stream::asleep(50);
    stream.count += 3000;
    stream.run(100, 1000, false);
    assert_eq!(stream.demand.useless(), None);
}

#[test]
fn a_slow_stream_is_no_pause_of_the_network() {
    let mut demand = Demand::new(Decoding::OnDemand, SECOND / 2);
    for n in 0..200 {
        let at = n * 5 * SECOND;
        demand.decide(Glance { at, size: 1000, keyframe: n % 50 == 0, disposable: false }, false);
    }
    assert_eq!(demand.useless(), Some(FullDecodingCause::RareKeyframes));
}

#[test]
fn a_stream_of_keyframes_only_is_decoded_in_full_and_it_says_so() {
    let mut stream = Stream::new(Decoding::OnDemand, 1);
    stream.run(ALL_KEYFRAMES as usize, 1000, false);
    assert_eq!(stream.demand.useless(), Some(FullDecodingCause::OnlyKeyframes));
    assert_eq!(stream.run(100, 1000, false), vec![Verdict::Decode; 100]);
    stream.gop = 50;
    stream.run(100, 1000, false);
    assert_eq!(stream.demand.useless(), None);
}

#[test]
fn somebody_who_watches_keeps_it_awake() {
    let mut stream = Stream::asleep(50);
    stream.run(10, 1000, true);
    assert_eq!(stream.run(25 * 600, 1000, true), vec![Verdict::Decode; 25 * 600]);
}

#[test]
fn sizes_that_say_nothing_are_found_out() {
    let mut stream = Stream::asleep(50);
    for _ in 0..MISSED_SIGNS {
        while stream.next(1000, false) != Verdict::Glimpse {}
        stream.next(1000, true);
        stream.run(200, 1000, false);
    }
    assert_eq!(stream.demand.useless(), Some(FullDecodingCause::FlatSizes));
    assert_eq!(stream.run(500, 1000, false), vec![Verdict::Decode; 500]);
    // After an hour it is tried again.
    stream.count += 3600 * 25;
    stream.run(300, 1000, false);
    assert_eq!(stream.demand.useless(), None);
}

#[test]
fn the_other_modes_do_as_they_say() {
    assert_eq!(Stream::new(Decoding::Full, 50).run(200, 1000, false), vec![Verdict::Decode; 200]);
    let verdicts = Stream::new(Decoding::Keyframes, 50).run(200, 9000, true);
    assert!(
        verdicts
            .iter()
            .enumerate()
            .all(|(n, verdict)| { *verdict == if n % 50 == 0 { Verdict::Alone } else { Verdict::LeaveOut } })
    );
}

proptest! {
    /// Whatever a stream does, each verdict can be carried out by a decoder: a picture that needs others is decoded
    /// only after them.
    #[test]
    fn nothing_is_decoded_without_what_it_needs(
        pictures in proptest::collection::vec((0usize..100_000, 0u8..20, any::<bool>(), 1u64..400), 1..2000),
    ) {
        let mut demand = Demand::new(Decoding::OnDemand, 2 * SECOND);
        let mut at = Duration::ZERO;
        // Whether the decoder has all pictures since the last keyframe.
        let mut whole = true;
        for (n, (size, kind, attentive, step)) in pictures.into_iter().enumerate() {
            at += Duration::from_millis(step);
            let keyframe = n == 0 || kind == 0;
            let verdict = demand.decide(Glance { at, size, keyframe, disposable: kind > 15 }, attentive);
            match verdict {
                Verdict::Keep | Verdict::LeaveOut => {
                    prop_assert!(!keyframe);
                    whole = false;
                }
                Verdict::Alone | Verdict::Glimpse => {
                    prop_assert!(keyframe);
                    // Drained afterwards: the next one cannot follow.
                    whole = false;
                }
                Verdict::Decode => prop_assert!(whole || keyframe),
                Verdict::FromLast | Verdict::FromBefore => whole = true,
            }
            whole |= keyframe && verdict == Verdict::Decode;
            if demand.useless().is_some() {
                prop_assert!(demand.awake);
            }
        }
    }
}
