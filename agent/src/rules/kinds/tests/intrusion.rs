use std::time::Duration;

use super::track;
use crate::{
    config::{RuleKind, sample},
    rules::script::{Actor, Play},
};

fn right_half(dwell: u64) -> crate::config::Rule {
    let zone = sample::zone("yard", &[(0.5, 0.0), (1.0, 0.0), (1.0, 1.0), (0.5, 1.0)]);
    sample::rule("r", RuleKind::Intrusion { zone, dwell: Duration::from_secs(dwell) })
}

#[test]
fn a_stay_goes_on_behind_a_tree_and_begins_anew_after_a_loss() {
    let behind = Actor::standing(1, (0.7, 0.5), 0.0, 30.0).hidden(1.0, 2.6);
    assert_eq!(Play::new(vec![right_half(3)], vec![behind]).begun(5.0, 20.0), [(3.0, track(1))]);
    let lost = Actor::standing(1, (0.7, 0.5), 0.0, 30.0).hidden(1.0, 5.0);
    assert_eq!(Play::new(vec![right_half(3)], vec![lost]).begun(5.0, 20.0), [(8.0, track(1))]);
}
