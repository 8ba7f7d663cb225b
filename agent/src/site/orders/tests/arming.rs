use std::sync::atomic::Ordering::SeqCst;

use karaul_wire::{CameraState, CloseReason, Phase};

use super::{
    stage::{Stage, camera, id},
    *,
};

fn disarm(camera: Option<&str>, rule: Option<&str>, seconds: u32) -> Order {
    Order::Disarm { camera: camera.map(id), rule: rule.map(id), seconds }
}

fn arm(camera: Option<&str>) -> Order {
    Order::Arm { camera: camera.map(id), rule: None }
}

#[test]
fn a_rule_that_is_disarmed_closes_its_incident_and_opens_none_until_it_is_armed() {
    let stage = Stage::new(&format!("{}{}", camera("gate"), camera("yard")));
    let incident = stage.somebody_comes("gate", 0);
    let (code, detail) = stage.order(disarm(Some("gate"), Some("any"), 3600));
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.starts_with("rule any of camera gate is disarmed until 20"), "{detail}");
    assert!(detail.ends_with(" +05:00"), "{detail}");
    assert_eq!(stage.status("gate").disarmed.keys().collect::<Vec<_>>(), [&id("any")]);
    assert!(stage.status("yard").disarmed.is_empty());
    stage.wait("its end", || (stage.alerts().len() == 2).then_some(()));
    let closed = stage.alerts().pop().unwrap().data.incident;
    assert_eq!((closed.id, closed.close_reason), (incident, Some(CloseReason::Disarmed)));
    stage.pictures("gate", 50);
    assert_eq!(stage.alerts().len(), 2);
    // The other camera is not concerned.
    stage.somebody_comes("yard", 1);

    assert_eq!(stage.order(arm(Some("gate"))), (ReplyCode::Done, "rule any of camera gate is armed again".to_owned()));
    assert!(stage.status("gate").disarmed.is_empty());
    stage.somebody_comes("gate", 2);
    assert_eq!(
        stage.order(arm(Some("gate"))),
        (ReplyCode::Done, "rule any of camera gate is armed: nobody had disarmed it".to_owned())
    );
}

#[test]
fn it_ends_by_itself_and_outlasts_a_restart() {
    let cameras = format!("{}{}", camera("gate"), camera("yard"));
    let stage = Stage::new(&cameras);
    let (code, detail) = stage.order(disarm(None, None, 604_800));
    assert_eq!(code, ReplyCode::Done);
    assert!(detail.starts_with("2 rules of 2 cameras are disarmed until "), "{detail}");
    assert_eq!(stage.order(disarm(Some("yard"), None, 1)).0, ReplyCode::Done);
    stage.wait("the end", || {
        stage.orders.posts.tend();
        stage.status("yard").disarmed.is_empty().then_some(())
    });
    stage.somebody_comes("yard", 0);
    let stage = Stage::again(stage.stop(), &cameras);
    assert_eq!(stage.status("gate").disarmed.len(), 1);
    stage.scene("gate").person.store(true, SeqCst);
    stage.pictures("gate", 20);
    assert_eq!(stage.alerts().iter().filter(|a| a.data.location.camera == id("gate")).count(), 0);
    assert_eq!(
        stage.order(arm(None)),
        (ReplyCode::Done, "2 rules of 2 cameras are armed again: 1 had been disarmed".to_owned())
    );
}

#[test]
fn a_disabled_camera_shows_it_too() {
    let stage = Stage::new(&camera("gate").replace("purpose", "enabled = false\npurpose"));
    stage.order(disarm(None, Some("any"), 60));
    let status = stage.status("gate");
    assert_eq!((status.state, status.disarmed.len()), (CameraState::Disabled, 1));
}

#[test]
fn wrong_arguments_are_told() {
    let stage = Stage::new(&camera("gate"));
    let invalid = |text: &str| (ReplyCode::Invalid, text.to_owned());
    let nowhere = |text: &str| (ReplyCode::NotFound, text.to_owned());
    assert_eq!(stage.order(disarm(None, None, 0)), invalid("seconds is 0; say for how long, 1 to 604800 seconds"));
    assert_eq!(
        stage.order(disarm(None, None, 604_801)),
        invalid(
            "604801 seconds is longer than seven days (604800 seconds); change the schedule in the config for that"
        )
    );
    assert_eq!(
        stage.order(disarm(Some("gat"), None, 60)),
        nowhere("there is no camera \"gat\"; did you mean \"gate\"?")
    );
    assert_eq!(stage.order(disarm(None, Some("night"), 60)), nowhere("no camera has rule \"night\"; there is \"any\""));
    assert_eq!(
        stage.order(disarm(Some("gate"), Some("an"), 60)),
        nowhere("camera gate has no rule \"an\"; did you mean \"any\"?")
    );
    assert!(stage.status("gate").disarmed.is_empty());
}

#[test]
fn what_a_restart_would_forget_is_not_disarmed() {
    let stage = Stage::new(&camera("gate"));
    std::fs::create_dir(stage.folder.path().join("state/standing.partial")).unwrap();
    let (code, detail) = stage.order(disarm(None, None, 60));
    assert_eq!(code, ReplyCode::Failed);
    let begins = "nothing is disarmed, because a restart would forget it: the standing orders cannot be written to ";
    assert!(detail.starts_with(begins), "{detail}");
    let (code, detail) = stage.order(Order::CameraEnable { camera: id("gate"), enabled: false });
    assert_eq!(code, ReplyCode::Failed);
    assert!(detail.starts_with("camera gate stays on, because a restart would forget that it is off: "), "{detail}");
    assert_eq!(stage.status("gate").state, CameraState::Seeing);
}

#[test]
fn a_camera_is_switched_off_and_on_over_restarts() {
    let switch = |stage: &Stage, enabled| stage.order(Order::CameraEnable { camera: id("gate"), enabled });
    let stage = Stage::new(&camera("gate"));
    stage.somebody_comes("gate", 0);
    let counted = stage.scene("gate");
    assert_eq!(
        switch(&stage, false),
        (ReplyCode::Done, "camera gate is off, though the config says on; that holds until another command".to_owned())
    );
    assert_eq!(stage.status("gate").state, CameraState::Disabled);
    let last = stage.alerts().pop().unwrap().data.incident;
    assert_eq!((last.phase, last.close_reason), (Phase::Close, Some(CloseReason::Disarmed)));
    assert_eq!(switch(&stage, false), (ReplyCode::Done, "camera gate is off already".to_owned()));
    let post = stage.orders.posts.of(&id("gate")).unwrap();
    let inferred = post.shared.tally.inferred.load(SeqCst);
    assert!(inferred > 0, "the counters of the box's life go on");
    assert_eq!(counted.starts.load(SeqCst), 1);

    let stage = Stage::again(stage.stop(), &camera("gate"));
    assert_eq!(stage.status("gate").state, CameraState::Disabled);
    assert_eq!(switch(&stage, true), (ReplyCode::Done, "camera gate is on, as the config says".to_owned()));
    stage.wait_for_state("gate", CameraState::Seeing);
    let stage = Stage::again(stage.stop(), &camera("gate"));
    assert_eq!(stage.status("gate").state, CameraState::Seeing);
}

#[test]
fn a_camera_that_the_config_disables_can_be_switched_on() {
    let stage = Stage::new(&camera("gate").replace("purpose", "enabled = false\npurpose"));
    assert_eq!(
        stage.order(Order::CameraEnable { camera: id("gate"), enabled: true }),
        (ReplyCode::Done, "camera gate is on, though the config says off; that holds until another command".to_owned())
    );
    stage.wait_for_state("gate", CameraState::Seeing);
    stage.somebody_comes("gate", 0);
}

#[test]
fn a_switch_that_says_what_the_config_says_by_now_is_forgotten() {
    let off = camera("gate").replace("purpose", "enabled = false\npurpose");
    let stage = Stage::new(&camera("gate"));
    stage.order(Order::CameraEnable { camera: id("gate"), enabled: false });
    for (config, state) in [(&off, CameraState::Disabled), (&camera("gate"), CameraState::Seeing)] {
        stage.rewrite(config);
        assert_eq!(stage.order(Order::Reload {}).0, ReplyCode::Done);
        stage.wait_for_state("gate", state);
    }
}
