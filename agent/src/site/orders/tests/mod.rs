//! Orders carried out on cameras that see what a script says.

mod arming;
mod incidents;
mod ledger;
mod modes;
mod pictures;
mod reload;
mod sight;
mod stage;

use karaul_wire::{GapRange, Sequence};

use super::*;
use stage::{Stage, camera, id};

fn range(first: u64, last: u64) -> GapRange {
    GapRange { first: Sequence(first), last: Sequence(last) }
}

#[test]
fn what_is_to_be_sent_again_is_checked() {
    let stage = Stage::new(&camera("gate"));
    assert_eq!(
        stage.order(Order::Replay { ranges: Vec::new() }),
        (ReplyCode::Invalid, "no range is given; give the first and the last number of at least one".to_owned())
    );
    assert_eq!(
        stage.order(Order::Replay { ranges: vec![range(1, 2), range(9, 3)] }),
        (ReplyCode::Invalid, format!("the range from {} to {} ends before it begins", Sequence(9), Sequence(3)))
    );
}

#[test]
fn what_is_sent_again_and_what_is_gone_is_told() {
    let mut outbox_says = stage::nothing_gone();
    outbox_says.again = 1;
    assert_eq!(resent(&outbox_says), "1 alert is sent again");
    let stage = Stage::new(&camera("gate"));
    // Far above every number that there is.
    let ranges: Vec<_> = (0..9).map(|i| range(1_000_000 + 10 * i, 1_000_000 + 10 * i + i % 2)).collect();
    let mut gone = stage.orders.delivery.outbox.replay(&ranges).unwrap();
    gone.again = 3;
    gone.under_way = 2;
    assert_eq!(
        resent(&gone),
        "3 alerts are sent again; 2 had not been delivered and go out anyway; not on the box (any more): 1000000, \
         1000010 to 1000011, 1000020, 1000030 to 1000031, 1000040, 1000050 to 1000051, 1000060, 1000070 to 1000071, \
         1 more ranges"
    );
}

#[test]
fn a_camera_that_there_is_not_is_answered_with_the_likeliest() {
    let stage = Stage::new(&format!("{}{}", camera("gate"), camera("yard")));
    let test = |name| stage.order(Order::TestIncident { camera: id(name), rule: None });
    assert_eq!(test("gaet"), (ReplyCode::NotFound, "there is no camera \"gaet\"; did you mean \"gate\"?".to_owned()));
    assert_eq!(
        test("entrance-7"),
        (ReplyCode::NotFound, "there is no camera \"entrance-7\"; there is \"gate\", \"yard\"".to_owned())
    );
}

#[test]
fn the_camera_of_an_incident_or_a_picture_is_told() {
    let cameras = format!("{}{}", camera("gate"), camera("yard"));
    let stage = Stage::new(&cameras);
    let incident = stage.somebody_comes("yard", 0);
    let evidence = Some(stage.alerts()[0].data.evidence[0].id);
    let picture = |stage: &Stage, evidence| {
        stage.orders.camera_of(&Order::Snapshot { camera: None, evidence, purpose: "theft".to_owned() })
    };
    assert_eq!(stage.orders.camera_of(&Order::Resolve { incident }), Some(id("yard")));
    stage.order(Order::Resolve { incident });
    assert_eq!(stage.orders.camera_of(&Order::Acknowledge { incident }), Some(id("yard")), "also when it is over");
    assert_eq!(stage.orders.camera_of(&Order::Acknowledge { incident: Uuid::nil() }), None);
    assert_eq!(picture(&stage, evidence), Some(id("yard")));
    assert_eq!(picture(&stage, Some(Uuid::nil())), None);
    assert_eq!(picture(&Stage::again(stage.stop(), &cameras), evidence), Some(id("yard")), "after a restart as well");
}
