mod memory;

use jiff::Timestamp;
use karaul_wire::GapRange;
use proptest::prelude::*;
use tempfile::TempDir;
use uuid::Uuid;

use super::*;
use crate::trust::{PrivateKey, jws};

const NOW: &str = "2027-03-01T12:00:00Z";
const SESSION: u64 = 17;

fn id(text: &str) -> Segment {
    text.parse().unwrap()
}

/// A gate, a key to it, and a clock that is trusted.
struct Post {
    dir: TempDir,
    key: PrivateKey,
    gate: Gate,
    now: Stamp,
    session: u64,
}

impl Post {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = PrivateKey::from_seed(&[1; 32]);
        let gate = Gate::open(dir.path(), &path(), &settings(dir.path(), &key), false);
        let now = Stamp { mono: Duration::from_secs(100), wall: NOW.parse().unwrap() };
        let post = Self { dir, key, gate, now, session: SESSION };
        post.synchronise(true);
        post
    }

    fn synchronise(&self, yes: bool) {
        let file = self.dir.path().join("synchronized");
        if yes { std::fs::write(file, "").unwrap() } else { std::fs::remove_file(file).unwrap() }
    }

    fn restart(self) -> Self {
        let Self { dir, key, gate, now, session } = self;
        drop(gate);
        let gate = Gate::open(dir.path(), &path(), &settings(dir.path(), &key), true);
        Self { dir, key, gate, now, session: session + 1 }
    }

    /// A command that names the present session.
    fn named(&self) -> Command {
        Command { session: Some(self.session), ..self.command(disarm(None)) }
    }

    fn pass(&mut self, seconds: i64) {
        self.now.mono += Duration::from_secs(seconds.unsigned_abs());
        self.now.wall += jiff::SignedDuration::from_secs(seconds);
    }

    fn command(&self, order: Order) -> Command {
        let iat = self.now.wall.as_second();
        Command {
            aud: path().to_string(),
            iat,
            exp: iat + 60,
            jti: Uuid::now_v7(),
            session: None,
            actor: "duty officer".to_owned(),
            role: id("operator"),
            reason: "fire drill".to_owned(),
            order,
        }
    }

    fn signed(&self, command: &Command) -> Vec<u8> {
        jws::sign(&self.key, Command::TYPE, "desk", &serde_json::to_vec(command).unwrap()).into_bytes()
    }

    fn offer(&mut self, command: &Command) -> Result<Admitted, Refused> {
        let payload = self.signed(command);
        self.gate.admit(command.order.verb(), &payload, self.now, self.session)
    }

    /// Code and sentence of a refusal.
    fn said(&mut self, command: &Command) -> String {
        self.offer(command).map_or_else(|refused| said(&refused), |_| "admitted".to_owned())
    }
}

fn said(refused: &Refused) -> String {
    let code = serde_json::to_value(refused.code).unwrap();
    format!("{}: {}", code.as_str().unwrap(), refused.detail)
}

fn path() -> BoxPath {
    BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
}

fn settings(dir: &Path, key: &PrivateKey) -> Commands {
    let role = |verbs: &[Verb], cameras: Option<&str>| Role {
        verbs: verbs.iter().copied().collect(),
        cameras: cameras.map(|camera| [id(camera)].into()),
    };
    let key = CommandKey {
        public_key: key.public().clone(),
        roles: [id("operator"), id("guard")].into(),
        not_after: Some("2027-12-31T00:00:00Z".parse().unwrap()),
    };
    Commands {
        longest_validity: Duration::from_secs(600),
        clock_tolerance: Duration::from_secs(30),
        time_sync_file: dir.join("synchronized"),
        keys: [(id("desk"), key)].into(),
        roles: [
            (id("operator"), role(&[Verb::Disarm, Verb::Acknowledge, Verb::Snapshot], None)),
            (id("guard"), role(&[Verb::Disarm, Verb::Acknowledge, Verb::Reload], Some("gate"))),
            (id("chief"), role(&Verb::ALL, None)),
        ]
        .into(),
    }
}

fn disarm(camera: Option<&str>) -> Order {
    Order::Disarm { camera: camera.map(id), rule: None, seconds: 600 }
}

#[test]
fn a_refusal_is_one_line_whatever_the_sender_writes() {
    let mut post = Post::new();
    let mut claims = serde_json::to_value(post.command(disarm(None))).unwrap();
    claims["args"] = serde_json::json!({ "x\u{1b}[2K\nERROR all cameras are off": 1 });
    let payload = jws::sign(&post.key, Command::TYPE, "desk", claims.to_string().as_bytes()).into_bytes();
    let refused = post.gate.admit(Verb::Disarm, &payload, post.now, SESSION).unwrap_err();
    assert_eq!(refused.code, ReplyCode::Malformed);
    assert!(refused.detail.contains("all cameras are off") && !refused.detail.contains(char::is_control));
}

#[test]
fn a_good_command_is_let_in_once() {
    let mut post = Post::new();
    let command = post.command(disarm(None));
    let admitted = post.offer(&command).unwrap();
    assert_eq!(admitted, Admitted { command: command.clone(), key: id("desk"), cameras: None });
    assert!(admitted.may(&id("anywhere")));
    let again = "replayed: a command with this id has been here before; each needs an id of its own";
    assert_eq!(post.said(&command), again);
    let mut post = post.restart();
    assert_eq!(post.said(&command), again);
    assert_eq!(post.gate.counts(), &[(ReplyCode::Replayed, 1)].into());
}

#[test]
fn what_is_not_signed_by_a_known_key_is_refused() {
    let mut post = Post::new();
    let command = post.command(disarm(None));
    let claims = serde_json::to_vec(&command).unwrap();
    let mut said = |payload: &[u8]| {
        let refused = post.gate.admit(Verb::Disarm, payload, post.now, SESSION).unwrap_err();
        assert!(!refused.is_signed() && refused.command.is_none());
        (said(&refused), refused.jti)
    };
    let thief = PrivateKey::from_seed(&[2; 32]);
    let stolen = jws::sign(&thief, Command::TYPE, "desk", &claims);
    // Its id is not repeated: it may be that of somebody else's command, who would take it for refused.
    let expected = "bad_signature: the signature is not that of the key desk";
    assert_eq!(said(stolen.as_bytes()), (expected.to_owned(), None));
    let stranger = jws::sign(&thief, Command::TYPE, "nobody", &claims);
    let expected = "unknown_key: the config of this box has no key of the id in kid";
    assert_eq!(said(stranger.as_bytes()).0, expected);
    assert_eq!(said(jws::sign(&thief, Command::TYPE, "../..\n", &claims).as_bytes()).0, expected);
    let form = "malformed: this is not a command: it is not a compact JWS: three parts in Base64url without padding, \
                joined by dots";
    assert_eq!(said(&claims), (form.to_owned(), None));
    let large = vec![b'a'; LARGEST + 1];
    assert_eq!(said(&large).0, "malformed: this is not a command: it is longer than 16384 bytes");
    let other = jws::sign(&thief, "karaul-audit+jwt", "desk", &claims);
    assert_eq!(said(other.as_bytes()).0, "malformed: this is not a command: its typ is not karaul-command+jwt");
    // None of them came near the memory of commands.
    assert_eq!(post.said(&command), "admitted");
}

#[test]
fn each_wrong_claim_has_its_code_and_sentence() {
    let mut post = Post::new();
    let good = post.command(disarm(None));
    let with = |change: &dyn Fn(&mut Command)| {
        let mut command = Command { jti: Uuid::now_v7(), ..good.clone() };
        change(&mut command);
        command
    };
    let cases: Vec<(Command, &str)> = vec![
        (
            with(&|c| c.aud = "karaul1/almaty/turksib/school-042/other".to_owned()),
            "wrong_audience: it is not for this box, which is karaul1/almaty/turksib/school-042/b7f3",
        ),
        (with(&|c| c.exp = c.iat), "malformed: exp must be later than iat"),
        (with(&|c| c.exp = c.iat + 601), "too_long: from iat to exp it may be 600 s at most"),
        (with(&|c| (c.iat, c.exp) = (i64::MIN, i64::MAX)), "too_long: from iat to exp it may be 600 s at most"),
        (
            with(&|c| (c.iat, c.exp) = (c.iat + 31, c.exp + 31)),
            "not_yet_valid: iat is 31 s in the future by the box's clock",
        ),
        (with(&|c| (c.iat, c.exp) = (c.iat - 90, c.exp - 90)), "expired: it expired 30 s ago by the box's clock"),
        (
            with(&|c| c.session = Some(16)),
            "wrong_session: it names another session than the present one, 17 (see status/box)",
        ),
        (with(&|c| c.role = id("chief")), "forbidden: the key desk has not the role chief"),
        (with(&|c| c.order = Order::Reload {}), "forbidden: the role operator has not the verb reload"),
        (with(&|c| c.role = id("guard")), "forbidden: the role guard is only for some cameras; name one of them"),
        (
            with(&|c| (c.role, c.order) = (id("guard"), disarm(Some("yard")))),
            "forbidden: the role guard is not for the camera yard",
        ),
        (
            with(&|c| (c.role, c.order) = (id("guard"), Order::Reload {})),
            "forbidden: the role guard is only for some cameras, and reload concerns the whole box",
        ),
        (with(&|c| c.actor = " ".to_owned()), "malformed: actor is blank, and the audit log needs it"),
        (with(&|c| c.reason = "a\nb".to_owned()), "malformed: reason must be one line of at most 500 characters"),
        (
            with(&|c| {
                c.order = Order::Snapshot { camera: Some(id("gate")), evidence: None, purpose: String::new() };
            }),
            "malformed: args.purpose is blank, and the audit log needs it",
        ),
        (with(&|c| (c.iat, c.exp) = (c.iat + 30, c.exp + 30)), "admitted"),
        (with(&|c| (c.iat, c.exp) = (c.iat - 89, c.exp - 89)), "admitted"),
        (with(&|c| c.session = Some(SESSION)), "admitted"),
        (with(&|c| (c.role, c.order) = (id("guard"), disarm(Some("gate")))), "admitted"),
    ];
    for (command, expected) in cases {
        assert_eq!(post.said(&command), expected);
    }
    // The verb of the topic counts, and claims that are none are said.
    let payload = post.signed(&good);
    let refused = post.gate.admit(Verb::Arm, &payload, post.now, SESSION).unwrap_err();
    assert_eq!(said(&refused), "malformed: the command is disarm and came on command/arm");
    assert_eq!((refused.key, refused.jti), (Some(id("desk")), Some(good.jti)));
    let payload = jws::sign(&post.key, Command::TYPE, "desk", b"{}");
    let refused = post.gate.admit(Verb::Arm, payload.as_bytes(), post.now, SESSION).unwrap_err();
    let expected = "malformed: the claims are not those of a command: missing field `aud` at line 1 column 2";
    assert_eq!((said(&refused).as_str(), refused.is_signed()), (expected, true));
    // What it says of itself comes back only in part, and as one line.
    let long = serde_json::to_string(&good)
        .unwrap()
        .replace("\"verb\":\"disarm\"", &format!("\"verb\":\"\\u001b[2K\\n{}\"", "ж".repeat(5000)));
    let payload = jws::sign(&post.key, Command::TYPE, "desk", long.as_bytes());
    let refused = post.gate.admit(Verb::Arm, payload.as_bytes(), post.now, SESSION).unwrap_err();
    assert_eq!((refused.detail.chars().count(), refused.jti), (LONGEST_TEXT + 1, Some(good.jti)));
    assert!(refused.detail.contains("жж") && !refused.detail.contains(char::is_control), "{}", refused.detail);
}

#[test]
fn a_role_for_some_cameras_says_so_where_the_camera_is_not_known_yet() {
    let mut post = Post::new();
    let command = Command { role: id("guard"), ..post.command(Order::Acknowledge { incident: Uuid::nil() }) };
    let admitted = post.offer(&command).unwrap();
    assert!(admitted.may(&id("gate")) && !admitted.may(&id("yard")));
}

#[test]
fn without_a_trusted_clock_the_session_decides() {
    let mut post = Post::new();
    post.synchronise(false);
    let command = post.command(disarm(None));
    let asked = ", so a command has to name the session, now 17 (see status/box)";
    assert_eq!(post.said(&command), format!("wrong_session: the box's clock is not synchronised{asked}"));
    let named = Command { session: Some(SESSION), ..command.clone() };
    assert_eq!(post.said(&named), "admitted");
    assert!(post.said(&named).starts_with("replayed"));

    // A box whose clock begins in 1970 can be commanded all the same, and forgets nothing when it jumps.
    post.now.wall = Timestamp::UNIX_EPOCH;
    assert_eq!(post.said(&command), format!("wrong_session: the box's clock is years behind{asked}"));
    assert!(post.said(&named).starts_with("replayed"));
    let mut post = post.restart();
    assert!(post.said(&named).starts_with("wrong_session: it names another session"));
    assert_eq!(post.said(&post.named()), "admitted");
    post.now.wall = NOW.parse().unwrap();
    assert_eq!(post.said(&post.named()), "admitted");
    let named_long = Command { exp: named.iat + 601, ..post.named() };
    assert!(post.said(&named_long).starts_with("too_long"));
}

#[test]
fn a_clock_that_goes_back_lets_no_old_command_in() {
    let mut post = Post::new();
    let old = post.command(disarm(None));
    assert_eq!(post.said(&old), "admitted");
    post.pass(3600);
    assert_eq!(post.said(&post.command(disarm(None))), "admitted");
    let mut post = post.restart();
    post.now.wall = NOW.parse().unwrap();
    let expected =
        "wrong_session: the box's clock was set back, so a command has to name the session, now 18 (see status/box)";
    assert_eq!(post.said(&old), expected);
    // Nor does it lock anybody out.
    assert_eq!(post.said(&post.named()), "admitted");
}

#[test]
fn a_key_that_has_run_out_is_as_if_it_were_not_there() {
    let mut post = Post::new();
    post.now.wall = "2027-12-31T00:00:00Z".parse().unwrap();
    let command = post.command(disarm(None));
    assert_eq!(post.said(&command), "unknown_key: the key desk has run out (not_after); use a new one");
    let none = Commands { keys: BTreeMap::new(), ..settings(post.dir.path(), &post.key) };
    post.gate.set(&none);
    assert_eq!(post.said(&command), "unknown_key: this box takes no commands: its config has no [[command.key]]");
}

#[test]
fn a_disk_that_takes_nothing_refuses() {
    let dir = tempfile::tempdir().unwrap();
    let key = PrivateKey::from_seed(&[1; 32]);
    std::fs::write(dir.path().join("synchronized"), "").unwrap();
    std::fs::write(dir.path().join("storage"), "in the way").unwrap();
    let gate = Gate::open(&dir.path().join("storage"), &path(), &settings(dir.path(), &key), false);
    let now = Stamp { mono: Duration::ZERO, wall: NOW.parse().unwrap() };
    let mut post = Post { dir, key, gate, now, session: SESSION };
    let command = post.command(disarm(None));
    let refused = post.offer(&command).unwrap_err();
    assert_eq!(refused.code, ReplyCode::AuditUnavailable);
    assert!(
        refused.detail.ends_with("no command is carried out, as it could be carried out twice"),
        "{}",
        refused.detail
    );
    std::fs::remove_file(post.dir.path().join("storage")).unwrap();
    assert_eq!(post.said(&command), "admitted");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_is_refused_and_nothing_breaks(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let mut post = Post::new();
        prop_assert!(post.gate.admit(Verb::Arm, &bytes, post.now, SESSION).is_err());
    }

    /// Any change of a signed command takes its signature away.
    #[test]
    fn a_changed_command_is_never_let_in(changes in prop::collection::vec((any::<usize>(), 1u8..=255), 1..4), cut in 0usize..3) {
        let mut post = Post::new();
        let command = post.command(Order::Replay { ranges: vec![GapRange { first: karaul_wire::Sequence(1), last: karaul_wire::Sequence(2) }] });
        let original = post.signed(&command);
        let mut payload = original.clone();
        for (at, flip) in changes {
            let at = at % payload.len();
            payload[at] ^= flip;
        }
        payload.truncate(payload.len() - cut);
        prop_assume!(payload != original);
        let refused = post.gate.admit(Verb::Replay, &payload, post.now, SESSION).unwrap_err();
        prop_assert!(!refused.is_signed());
    }

    /// Claims that a key signed, but that make no sense, are refused like any other.
    #[test]
    fn signed_nonsense_is_refused(claims in r#"\{?("(aud|iat|exp|jti|verb|args|role)":[-0-9a-z"{}\[\]]{0,12},?){0,7}\}?"#) {
        let mut post = Post::new();
        let payload = jws::sign(&post.key, Command::TYPE, "desk", claims.as_bytes());
        prop_assert!(post.gate.admit(Verb::Arm, payload.as_bytes(), post.now, SESSION).is_err());
    }
}
