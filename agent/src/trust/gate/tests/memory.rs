//! What is known of commands that were here is lost, and none of them comes again.

use super::*;

const CAREFUL: &str = "wrong_session: the box has lost its memory of commands and is careful for a while, so a command has to \
                       name the session, now ";

#[test]
fn a_lost_memory_makes_it_careful_for_a_while() {
    let mut post = Post::new();
    let command = post.command(disarm(None));
    assert_eq!(post.said(&command), "admitted");
    for name in ["trust.sqlite", "trust.sqlite-wal"] {
        let _ = std::fs::remove_file(post.dir.path().join(name));
    }
    let mut post = post.restart();
    assert_eq!(post.said(&command), format!("{CAREFUL}18 (see status/box)"));
    assert_eq!(post.said(&post.named()), "admitted");
    // The clock is as good as before.
    let named = post.named();
    let late = Command { iat: named.iat - 90, exp: named.exp - 90, ..post.named() };
    assert_eq!(post.said(&late), "expired: it expired 30 s ago by the box's clock");
    // Starting it anew does not make it careless.
    let mut post = post.restart();
    assert_eq!(post.said(&command), format!("{CAREFUL}19 (see status/box)"));
    post.pass(600 + 1200);
    assert!(post.said(&command).starts_with("expired"));
    assert_eq!(post.said(&post.command(disarm(None))), "admitted");
    let mut post = post.restart();
    assert_eq!(post.said(&post.command(disarm(None))), "admitted");
}

/// What is left of the file after somebody, or a file system without a journal, cut it off.
#[test]
fn a_memory_that_was_cut_off_is_lost() {
    for kept in [0, 1, 60, 100, 4096, 5000] {
        let mut post = Post::new();
        let command = post.command(disarm(None));
        assert_eq!(post.said(&command), "admitted");
        let Post { dir, key, gate, now, session } = post;
        drop(gate);
        let file = std::fs::OpenOptions::new().write(true).open(dir.path().join("trust.sqlite")).unwrap();
        assert!(file.metadata().unwrap().len() > kept);
        file.set_len(kept).unwrap();
        let gate = Gate::open(dir.path(), &path(), &settings(dir.path(), &key), true);
        let mut post = Post { dir, key, gate, now, session: session + 1 };
        assert_eq!(post.said(&command), format!("{CAREFUL}18 (see status/box)"), "cut off after {kept} bytes");
        assert_eq!(post.said(&post.named()), "admitted", "cut off after {kept} bytes");
    }
}

/// Nothing of what was let in comes again, also if it named the session that goes on.
#[test]
fn a_memory_that_is_lost_while_it_runs_ends_the_session() {
    for trusted in [true, false] {
        let mut post = Post::new();
        if !trusted {
            post.synchronise(false);
        }
        let named = post.named();
        assert_eq!(post.said(&named), "admitted");
        assert!(post.gate.spent() < post.session);
        post.gate.replays.lose();
        assert!(post.said(&named).starts_with("audit_unavailable: the memory of commands was lost"));
        let spent = "wrong_session: the box does not know (any more) which commands of session 17 were here and begins \
                     another one; name that (see status/box)";
        assert_eq!(post.said(&named), spent);
        assert_eq!(post.said(&post.named()), spent);
        assert_eq!(post.gate.spent(), 17);
        post.session = 18;
        assert!(post.said(&named).starts_with("wrong_session"));
        assert_eq!(post.said(&post.named()), "admitted");
        // Not even when it has calmed down.
        post.session = 17;
        post.pass(600 + 1200);
        assert!(post.said(&Command { session: Some(17), ..post.command(disarm(None)) }).starts_with("wrong_session"));
    }
}

/// The count of sessions begins anew, and comes to numbers that there were.
#[test]
fn a_session_that_was_before_lets_nothing_in() {
    let mut post = Post::new();
    post.synchronise(false);
    let named = post.named();
    assert_eq!(post.said(&named), "admitted");
    let mut post = post.restart();
    assert_eq!(post.gate.spent(), 17);
    post.session = 17;
    assert!(post.said(&named).starts_with("wrong_session: the box does not know"));
    post.session = 18;
    assert_eq!(post.said(&post.named()), "admitted");
}
