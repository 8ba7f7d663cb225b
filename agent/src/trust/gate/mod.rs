//! The gate: which commands are let in.
//!
//! Checks stand in this order, and the first that fails decides: size, form, key, signature, claims, audience,
//! verb, freshness, role of the key, verb of the role, camera that the order names, replay. What comes before the
//! signature costs little and believes nothing. Only a command that passes everything else is written into the
//! memory of commands, so nobody without a key can fill it; and it is on the disk before the command is carried out.
//! Where an order names an incident or a picture, whoever knows of which camera that is asks [`Admitted::may`]
//! afterwards, with the command on record already.
//!
//! Freshness: a command is valid from `iat` to `exp`, give or take the configured tolerance, by the wall clock.
//! If that is not to be trusted ([`super::wall`] says when), the command has to name the session that
//! `status/box` shows: that number never comes again, so neither does the command. Within one session it then
//! stays valid, as a box without a clock cannot know better.
//!
//! If the memory of commands is lost, a command has for a while to be both, fresh by the clock, where that is
//! trusted, and of a session that began after the loss. A session whose commands are not all remembered is
//! [spent](Gate::spent): whoever has the link then begins another one.

mod refused;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    time::Duration,
};

use karaul_wire::{BoxPath, Command, Order, ReplyCode, Segment, Verb};

pub use self::refused::{Notice, Refusals, Refused};
use super::{
    jws::Token,
    replay::{ReplayError, Replays, Seen},
    wall::{Doubt, WallClock},
};
use crate::{
    clock::Stamp,
    config::{CommandKey, Commands, Role},
};

/// The largest command, as it comes: thousands of ranges for `replay` fit into it.
const LARGEST: usize = 16 << 10;
/// The most characters of what goes from a command into the audit log.
const LONGEST_TEXT: usize = 500;
/// The greatest `clock_tolerance` there can be, so that the memory of commands stays right when it is changed.
pub(crate) const GREATEST_TOLERANCE: Duration = Duration::from_secs(600);

/// Lets commands in.
#[derive(Debug)]
pub struct Gate {
    /// The box, by its path.
    audience: String,
    settings: Commands,
    wall: WallClock,
    replays: Replays,
    /// The memory was lost, and until then, on the monotonic time line, no command is let in by the clock alone.
    careful_until: Option<Duration>,
    counts: BTreeMap<ReplyCode, u64>,
}

/// A command that may be carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct Admitted {
    /// What it says.
    pub command: Command,
    /// The key that signed it.
    pub key: Segment,
    /// The cameras that its role is for; otherwise all. What names only an incident or a picture has to be
    /// looked up before it is known whether it is of one of them.
    pub cameras: Option<BTreeSet<Segment>>,
}

impl Admitted {
    /// May its role do something to this camera?
    #[must_use]
    pub fn may(&self, camera: &Segment) -> bool {
        self.cameras.as_ref().is_none_or(|cameras| cameras.contains(camera))
    }

    /// Is the role only for some cameras, and has the camera of what the order names to be looked up?
    pub(crate) fn needs_look_up(&self) -> bool {
        self.cameras.is_some() && matches!(scope(&self.command.order), Scope::Elsewhere)
    }
}

/// What an order is about, as far as it can be seen from the order.
enum Scope<'a> {
    Camera(&'a Segment),
    /// Something whose camera has to be looked up.
    Elsewhere,
    AllCameras,
    Box,
}

fn scope(order: &Order) -> Scope<'_> {
    match order {
        Order::Acknowledge { .. } | Order::Resolve { .. } | Order::FalsePositive { .. } => Scope::Elsewhere,
        Order::Arm { camera: Some(camera), .. }
        | Order::Disarm { camera: Some(camera), .. }
        | Order::TestIncident { camera, .. }
        | Order::Snapshot { camera: Some(camera), .. }
        | Order::CameraEnable { camera, .. } => Scope::Camera(camera),
        Order::Arm { camera: None, .. } | Order::Disarm { camera: None, .. } => Scope::AllCameras,
        Order::Snapshot { camera: None, .. } => Scope::Elsewhere,
        Order::Replay { .. } | Order::Reload {} | Order::Ledger { .. } | Order::Mode { .. } => Scope::Box,
    }
}

/// Whether a verb is about the whole box whatever its arguments, so that a role for some cameras never has it.
pub(crate) const fn concerns_box(verb: Verb) -> bool {
    matches!(verb, Verb::Replay | Verb::Reload | Verb::Ledger | Verb::Mode)
}

type Refusal = (ReplyCode, String);

fn no<T>(code: ReplyCode, why: impl Into<String>) -> Result<T, Refusal> {
    Err((code, why.into()))
}

impl Gate {
    /// Opens the gate of a box, with its memory of commands in the storage folder.
    ///
    /// `worked_before`, which the [audit log](super::audit::Audit::worked_before) tells: there should be such a
    /// memory, so if there is none, it was lost.
    #[must_use]
    pub fn open(storage: &Path, path: &BoxPath, settings: &Commands, worked_before: bool) -> Self {
        Self {
            audience: path.to_string(),
            wall: WallClock { sync_file: settings.time_sync_file.clone() },
            settings: settings.clone(),
            replays: Replays::open(storage, worked_before),
            careful_until: None,
            counts: BTreeMap::new(),
        }
    }

    /// Puts other keys, roles and limits into force.
    pub fn set(&mut self, settings: &Commands) {
        self.wall = WallClock { sync_file: settings.time_sync_file.clone() };
        self.settings = settings.clone();
    }

    /// Checks a payload from `command/<verb>`. `session` is the number of the present connection.
    ///
    /// # Errors
    /// Why it is refused.
    pub fn admit(&mut self, verb: Verb, payload: &[u8], now: Stamp, session: u64) -> Result<Admitted, Refused> {
        let mut refused = Refused::new(verb);
        self.check(verb, payload, now, session, &mut refused).map_err(|why| {
            self.count(why.0);
            refused.because(why);
            refused
        })
    }

    /// Counts what became of a command that was let in.
    pub fn count(&mut self, code: ReplyCode) {
        let count = self.counts.entry(code).or_default();
        *count = count.saturating_add(1);
    }

    /// Commands by what became of them, for `health/box`.
    #[must_use]
    pub const fn counts(&self) -> &BTreeMap<ReplyCode, u64> {
        &self.counts
    }

    fn check(
        &mut self,
        verb: Verb,
        payload: &[u8],
        now: Stamp,
        session: u64,
        refused: &mut Refused,
    ) -> Result<Admitted, Refusal> {
        let token = Token::parse(payload, Command::TYPE, LARGEST)
            .map_err(|why| (ReplyCode::Malformed, format!("this is not a command: {why}")))?;
        self.look_back(now);
        let doubt = self.wall.doubt(now.wall, self.replays.newest());
        let (id, key) = self.key(token.kid(), now, doubt.is_none())?;
        let Some(claims) = token.verify(&key.public_key) else {
            return no(ReplyCode::BadSignature, format!("the signature is not that of the key {id}"));
        };
        refused.signed(&id, &claims);
        let command: Command = serde_json::from_slice(&claims)
            .map_err(|why| (ReplyCode::Malformed, format!("the claims are not those of a command: {why}")))?;
        texts(&command)?;
        refused.named(&command);
        if command.aud != self.audience {
            return no(ReplyCode::WrongAudience, format!("it is not for this box, which is {}", self.audience));
        }
        if command.order.verb() != verb {
            let what = format!("the command is {} and came on command/{verb}", command.order.verb());
            return no(ReplyCode::Malformed, what);
        }
        self.fresh(&command, now, session, doubt)?;
        let cameras = self.role(&id, key.roles.contains(&command.role), &command)?;
        let exp = command.exp.saturating_add(GREATEST_TOLERANCE.as_secs().cast_signed());
        let seen = Seen { jti: command.jti, exp, session: command.session };
        let trusted_now = doubt.is_none().then(|| now.wall.as_second());
        self.replays.take(seen, trusted_now, session).map_err(|why| {
            let code = match why {
                ReplayError::Replayed => ReplyCode::Replayed,
                ReplayError::Full | ReplayError::Spent => ReplyCode::Busy,
                ReplayError::Forgot | ReplayError::Disk { .. } | ReplayError::Damaged { .. } => {
                    ReplyCode::AuditUnavailable
                }
            };
            (code, why.to_string())
        })?;
        Ok(Admitted { command, key: id, cameras })
    }

    /// Sessions up to this number are of no use any more, and if the present one is among them, the box has to
    /// connect anew, and count on from there. At the start these are those of earlier runs.
    #[must_use]
    pub fn spent(&self) -> u64 {
        self.replays.spent()
    }

    /// Was the memory lost, or is that so long ago that it does not matter any more?
    fn look_back(&mut self, now: Stamp) {
        if self.replays.take_forgot() {
            // All that was accepted before has expired then.
            let wait = self.settings.longest_validity + 2 * GREATEST_TOLERANCE;
            self.careful_until = Some(now.mono.saturating_add(wait));
        }
        if self.careful_until.is_some_and(|until| now.mono >= until) {
            self.careful_until = None;
            self.replays.recovered();
        }
    }

    /// A key that has run out is as if it were not there. Without a trusted clock that is known only of those
    /// that had run out when it last was.
    fn key(&self, kid: &str, now: Stamp, trusted: bool) -> Result<(Segment, CommandKey), Refusal> {
        if self.settings.keys.is_empty() {
            let what = "this box takes no commands: its config has no [[command.key]]";
            return no(ReplyCode::UnknownKey, what);
        }
        let Some((id, key)) = kid.parse::<Segment>().ok().and_then(|id| self.settings.keys.get_key_value(&id)) else {
            return no(ReplyCode::UnknownKey, "the config of this box has no key of the id in kid");
        };
        let known = if trusted { now.wall.as_second() } else { self.replays.newest() };
        if key.not_after.is_some_and(|end| end.as_second() <= known) {
            return no(ReplyCode::UnknownKey, format!("the key {id} has run out (not_after); use a new one"));
        }
        Ok((id.clone(), key.clone()))
    }

    fn fresh(&self, command: &Command, now: Stamp, session: u64, doubt: Option<Doubt>) -> Result<(), Refusal> {
        let Commands { longest_validity, clock_tolerance, .. } = &self.settings;
        let seconds = |duration: &Duration| i128::from(duration.as_secs());
        // Wide enough that no claim can overflow it.
        let (iat, exp, wall) = (i128::from(command.iat), i128::from(command.exp), i128::from(now.wall.as_second()));
        if exp <= iat {
            return no(ReplyCode::Malformed, "exp must be later than iat");
        }
        if exp - iat > seconds(longest_validity) {
            let most = longest_validity.as_secs();
            return no(ReplyCode::TooLong, format!("from iat to exp it may be {most} s at most"));
        }
        if command.session.is_some_and(|named| named != session) {
            let what = format!("it names another session than the present one, {session} (see status/box)");
            return no(ReplyCode::WrongSession, what);
        }
        if command.session.is_some() && session <= self.spent() {
            let what = format!(
                "the box does not know (any more) which commands of session {session} were here and begins another one; \
                 name that (see status/box)"
            );
            return no(ReplyCode::WrongSession, what);
        }
        let careful = self.careful_until.map(|_| Doubt::MemoryLost);
        if let Some(doubt) = doubt.or(careful).filter(|_| command.session.is_none()) {
            let what = format!("{doubt}, so a command has to name the session, now {session} (see status/box)");
            return no(ReplyCode::WrongSession, what);
        }
        if doubt.is_some() {
            return Ok(());
        }
        let tolerance = seconds(clock_tolerance);
        if iat > wall + tolerance {
            let ahead = iat - wall;
            return no(ReplyCode::NotYetValid, format!("iat is {ahead} s in the future by the box's clock"));
        }
        if exp + tolerance <= wall {
            return no(ReplyCode::Expired, format!("it expired {} s ago by the box's clock", wall - exp));
        }
        Ok(())
    }

    /// Has the key the role, and the role what is asked for? Returns the cameras that the role is for.
    fn role(&self, key: &Segment, has: bool, command: &Command) -> Result<Option<BTreeSet<Segment>>, Refusal> {
        let name = &command.role;
        let Some(Role { verbs, cameras }) = self.settings.roles.get(name).filter(|_| has) else {
            return no(ReplyCode::Forbidden, format!("the key {key} has not the role {name}"));
        };
        let verb = command.order.verb();
        if !verbs.contains(&verb) {
            return no(ReplyCode::Forbidden, format!("the role {name} has not the verb {verb}"));
        }
        if let Some(cameras) = cameras {
            match scope(&command.order) {
                Scope::Camera(camera) if !cameras.contains(camera) => {
                    return no(ReplyCode::Forbidden, format!("the role {name} is not for the camera {camera}"));
                }
                Scope::AllCameras => {
                    let what = format!("the role {name} is only for some cameras; name one of them");
                    return no(ReplyCode::Forbidden, what);
                }
                Scope::Box => {
                    let what = format!("the role {name} is only for some cameras, and {verb} concerns the whole box");
                    return no(ReplyCode::Forbidden, what);
                }
                Scope::Camera(_) | Scope::Elsewhere => {}
            }
        }
        Ok(cameras.clone())
    }
}

/// What goes into the audit log has to be fit for it.
fn texts(command: &Command) -> Result<(), Refusal> {
    let purpose = match &command.order {
        Order::Snapshot { purpose, .. } => Some(("args.purpose", purpose)),
        _ => None,
    };
    for (name, text) in [("actor", &command.actor), ("reason", &command.reason)].into_iter().chain(purpose) {
        if text.trim().is_empty() {
            return no(ReplyCode::Malformed, format!("{name} is blank, and the audit log needs it"));
        }
        if text.chars().count() > LONGEST_TEXT || text.chars().any(char::is_control) {
            let what = format!("{name} must be one line of at most {LONGEST_TEXT} characters");
            return no(ReplyCode::Malformed, what);
        }
    }
    Ok(())
}
