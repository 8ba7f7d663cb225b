use karaul_wire::{BlindReason, CameraState};

use super::{
    stage::{Stage, camera, id},
    *,
};
use crate::sight::wall::Wall;

/// Its view is learnt soon.
fn gate(rules: &str) -> String {
    format!("{}{rules}[camera.sight]\nlearn = \"20s\"\n", camera("gate"))
}

const ANOTHER: &str =
    "[[camera.rule]]\nid = \"other\"\nkind = \"intrusion\"\nzone = \"all\"\nclasses = [\"person\"]\ndwell = \"0s\"\n";

fn shows(stage: &Stage, right: usize) {
    let mut wall = Wall::new(1);
    wall.right = right;
    *stage.scene("gate").wall.lock().unwrap() = Some(wall);
}

fn is_moved(stage: &Stage, rules: &[&str]) {
    let rules: Vec<_> = rules.iter().copied().map(id).collect();
    stage.wait("the camera is moved, and its rules are told", || {
        let status = stage.status("gate");
        (status.reason == Some(BlindReason::Moved) && status.view?.rules == rules).then_some(())
    });
}

#[test]
fn a_moved_camera_is_moved_until_its_zone_is_drawn_anew() {
    let stage = Stage::new(&gate(""));
    shows(&stage, 0);
    stage.pictures("gate", 60);
    assert_eq!(stage.status("gate").state, CameraState::Seeing);
    shows(&stage, 90);
    is_moved(&stage, &["any"]);

    // Another process, and another rule in the same zone.
    let stage = Stage::again(stage.stop(), &gate(""));
    shows(&stage, 90);
    is_moved(&stage, &["any"]);
    stage.rewrite(&gate(ANOTHER));
    assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Done);
    is_moved(&stage, &["any", "other"]);

    stage.rewrite(&gate(ANOTHER).replace("[[0.0, 0.0],", "[[0.1, 0.1],"));
    assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Done);
    stage.pictures("gate", 60);
    let status = stage.status("gate");
    assert_eq!((status.state, status.view), (CameraState::Seeing, None));
}
