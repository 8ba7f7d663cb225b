use karaul_wire::{CloseReason, Order, ReplyCode};

use super::stage::{Stage, camera, id};

const DAY_NIGHT: &str = r#"modes = ["day", "night"]"#;

fn mode(name: &str) -> Order {
    Order::Mode { mode: id(name) }
}

/// A camera whose rule is armed only at night, and one whose rule is always armed.
fn site(modes: &str) -> String {
    let night = camera("gate").replace("kind = \"intrusion\"", "kind = \"intrusion\"\nmodes = [\"night\"]");
    format!("{modes}\n{night}{}", camera("yard"))
}

#[test]
fn a_rule_that_is_not_of_the_mode_closes_its_incident_and_opens_none() {
    let stage = Stage::new(&site(DAY_NIGHT));
    stage.somebody_comes("yard", 0);
    assert_eq!(
        stage.order(mode("day")),
        (ReplyCode::Done, "the site is in mode day already; rules armed in it: 1 of 2".to_owned())
    );
    assert_eq!(
        stage.order(mode("nihgt")),
        (ReplyCode::NotFound, "there is no mode \"nihgt\"; the site has \"day\", \"night\"".to_owned())
    );
    assert_eq!(
        stage.order(Order::Arm { camera: Some(id("gate")), rule: None }),
        (
            ReplyCode::Done,
            "rule any of camera gate is armed: nobody had disarmed it; not in the present mode day, though".to_owned()
        )
    );
    assert_eq!(
        stage.order(mode("night")),
        (ReplyCode::Done, "the site is in mode night; rules armed in it: 2 of 2".to_owned())
    );
    let incident = stage.somebody_comes("gate", 1);
    assert_eq!(stage.order(mode("day")).0, ReplyCode::Done);
    let closed =
        || stage.alerts().into_iter().map(|alert| alert.data.incident).find(|i| i.id == incident && i.closed.is_some());
    assert_eq!(stage.wait("its end", closed).close_reason, Some(CloseReason::Disarmed));
    assert!(stage.status("gate").disarmed.is_empty(), "no command has disarmed it");
}

#[test]
fn it_outlasts_a_restart_and_a_config_without_it_ends_it() {
    let stage = Stage::new(&site(DAY_NIGHT));
    assert_eq!(stage.order(mode("night")).0, ReplyCode::Done);
    let folder = stage.stop();
    let stage = Stage::again(folder, &site(DAY_NIGHT));
    assert_eq!(stage.orders.standing.modes().1, Some(id("night")));
    stage.rewrite(&site(DAY_NIGHT).replace("\"night\"", "\"evening\""));
    let (code, detail) = stage.order(Order::Reload {});
    assert_eq!(code, ReplyCode::Done);
    assert!(
        detail.ends_with(
            "forgotten with what it lacks: mode night was ordered; the site was in mode night and is in mode day now"
        ),
        "{detail}"
    );
    assert_eq!(stage.orders.standing.out_of_mode(&id("gate")), [id("any")].into());
}

#[test]
fn a_site_without_modes_says_so() {
    let stage = Stage::new(&camera("gate"));
    assert_eq!(
        stage.order(mode("night")),
        (
            ReplyCode::NotFound,
            "there is no mode \"night\": the site has none; add modes = [\"day\", \"night\"] to [site]".to_owned()
        )
    );
}
