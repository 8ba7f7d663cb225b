//! Messages for this box, between the link and whoever carries them out.

use std::{
    collections::VecDeque,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::stop::Stop;

/// Most commands that wait. A person sends a handful, a centre that replays perhaps a dozen.
const MOST_COMMANDS: usize = 64;
/// Most receipts that wait. The latest says most, so a few are enough.
const MOST_RECEIPTS: usize = 16;
/// Most messages that wait on the commands' topics and cannot be signed commands. They are answered too, for the sake
/// of whoever is building a client, but only when there is nothing else to do.
const MOST_SHAPELESS: usize = 4;
/// Most bytes that wait in each of the three rooms, topics included.
const ROOM: usize = 1 << 20;
/// Largest payload that is taken. A command is a few hundred bytes, a receipt with all its ranges a few thousand.
const LARGEST: usize = 64 << 10;
/// No signed command is shorter: a signature alone has 86 characters.
const SHORTEST_COMMAND: usize = 90;
/// Between two looks at the wish to stop.
const LOOK: Duration = Duration::from_millis(200);

/// A message that came from the broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incoming {
    /// Full topic.
    pub topic: String,
    /// As it came: nothing in it has been looked at.
    pub payload: Vec<u8>,
    /// The broker had kept it, so it may be old.
    pub retained: bool,
}

/// Counters since the agent's start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InboxReport {
    /// Messages that were put in.
    pub taken: u64,
    /// Refused because others waited already: of commands the newest, so that a flood does not wash out what came
    /// before it; of receipts the oldest, because a later one says more.
    pub full: u64,
    /// Refused because of their size.
    pub large: u64,
    /// Refused because the broker had kept them, on a topic where only what is said now counts.
    pub stale: u64,
    /// Refused because nobody asked for their topic.
    pub unwanted: u64,
}

impl InboxReport {
    /// Messages that were refused, for whatever reason.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.full + self.large + self.stale + self.unwanted
    }
}

/// Messages from the broker, in rooms of their own, each bounded in number and size: whoever floods the box with one
/// kind keeps no other out. Receipts and commands are served in turn, each in the order in which they came.
#[derive(Debug, Default)]
pub struct Inbox {
    state: Mutex<State>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct State {
    receipts: Room,
    commands: Room,
    shapeless: Room,
    /// The last one that was served was a receipt.
    receipt_served: bool,
    report: InboxReport,
}

#[derive(Debug, Default)]
struct Room {
    waiting: VecDeque<Incoming>,
    bytes: usize,
}

impl Room {
    fn has_room(&self, most: usize, size: usize) -> bool {
        self.waiting.len() < most && self.bytes + size <= ROOM
    }

    fn put(&mut self, message: Incoming) {
        self.bytes += size(&message);
        self.waiting.push_back(message);
    }

    fn take(&mut self) -> Option<Incoming> {
        let message = self.waiting.pop_front()?;
        self.bytes -= size(&message);
        Some(message)
    }
}

impl State {
    fn take(&mut self) -> Option<Incoming> {
        let receipt_first = !self.receipt_served;
        let (receipts, commands) = (&mut self.receipts, &mut self.commands);
        let [first, second] = if receipt_first { [receipts, commands] } else { [commands, receipts] };
        if let Some(message) = first.take() {
            self.receipt_served = receipt_first;
            return Some(message);
        }
        // It is the other one's turn again afterwards.
        second.take().or_else(|| self.shapeless.take())
    }
}

/// What a message is, by its topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Receipt,
    Command,
}

/// Why a message is not even offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    Stale,
    Unwanted,
}

impl Inbox {
    /// The next message. Waits for one for `limit` at most, or until it is time to stop.
    #[must_use]
    pub fn take(&self, limit: Duration, stop: &Stop) -> Option<Incoming> {
        let deadline = Instant::now() + limit;
        let mut state = self.lock();
        loop {
            if let Some(message) = state.take() {
                return Some(message);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || stop.is_stopped() {
                return None;
            }
            let waited = self.filled.wait_timeout(state, left.min(LOOK));
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Counters since the agent's start.
    #[must_use]
    pub fn report(&self) -> InboxReport {
        self.lock().report
    }

    /// Puts a message in, or counts why not.
    pub(super) fn offer(&self, message: Incoming, kind: Kind) {
        let size = size(&message);
        let mut state = self.lock();
        if message.payload.len() > LARGEST {
            state.report.large += 1;
            return;
        }
        let (room, most) = match kind {
            Kind::Receipt => (&mut state.receipts, MOST_RECEIPTS),
            Kind::Command if looks_signed(&message.payload) => (&mut state.commands, MOST_COMMANDS),
            Kind::Command => (&mut state.shapeless, MOST_SHAPELESS),
        };
        let mut displaced = 0;
        while kind == Kind::Receipt && !room.has_room(most, size) && room.take().is_some() {
            displaced += 1;
        }
        let fits = room.has_room(most, size);
        if fits {
            room.put(message);
        }
        state.report.taken += u64::from(fits);
        state.report.full += displaced + u64::from(!fits);
        if fits {
            self.filled.notify_one();
        }
    }

    /// Counts one that is not offered.
    pub(super) fn refuse(&self, why: Unfit) {
        let report = &mut self.lock().report;
        match why {
            Unfit::Stale => report.stale += 1,
            Unfit::Unwanted => report.unwanted += 1,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Could it be a JWS in its compact form (RFC 7515, section 3.1)? Three parts of Base64url, none of them empty.
fn looks_signed(payload: &[u8]) -> bool {
    let mut parts = payload.split(|byte| *byte == b'.');
    let mut part = || parts.next().is_some_and(|part| !part.is_empty());
    let three = part() && part() && part();
    let rest_is_text = || payload.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte));
    payload.len() >= SHORTEST_COMMAND && three && parts.next().is_none() && rest_is_text()
}

fn size(message: &Incoming) -> usize {
    message.topic.len() + message.payload.len()
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    fn message(number: usize, size: usize) -> Incoming {
        Incoming { topic: number.to_string(), payload: vec![0; size], retained: false }
    }

    /// Something that could be a command.
    fn signed(number: usize) -> Incoming {
        let payload = format!("{}.{}.{}", "e".repeat(20), "c".repeat(100), "s".repeat(86)).into_bytes();
        Incoming { payload, ..message(number, 0) }
    }

    fn take(inbox: &Inbox) -> Option<String> {
        inbox.take(Duration::ZERO, &Stop::new()).map(|message| message.topic)
    }

    fn all(inbox: &Inbox) -> Vec<String> {
        std::iter::from_fn(|| take(inbox)).collect()
    }

    fn texts(numbers: impl IntoIterator<Item = usize>) -> Vec<String> {
        numbers.into_iter().map(|number| number.to_string()).collect()
    }

    #[test]
    fn of_commands_the_newest_is_refused_and_of_receipts_the_oldest() {
        let inbox = Inbox::default();
        (0..MOST_COMMANDS + 3).for_each(|number| inbox.offer(signed(number), Kind::Command));
        assert_eq!((inbox.report().taken, inbox.report().full), (MOST_COMMANDS as u64, 3));
        assert_eq!(all(&inbox), texts(0..MOST_COMMANDS));
        (0..MOST_RECEIPTS + 3).for_each(|number| inbox.offer(message(number, 1), Kind::Receipt));
        assert_eq!(inbox.report().full, 6);
        assert_eq!(all(&inbox), texts(3..MOST_RECEIPTS + 3));
        inbox.offer(signed(7), Kind::Command);
        assert_eq!(all(&inbox), ["7"]);
    }

    #[test]
    fn what_cannot_be_a_command_keeps_nothing_else_out_and_comes_last() {
        let inbox = Inbox::default();
        (0..1000).for_each(|number| inbox.offer(message(number, 200), Kind::Command));
        inbox.offer(signed(2000), Kind::Command);
        inbox.offer(message(3000, 1), Kind::Receipt);
        assert_eq!((inbox.report().taken, inbox.report().full), (2 + MOST_SHAPELESS as u64, 1000 - 4));
        assert_eq!(all(&inbox), texts([3000, 2000, 0, 1, 2, 3]));
    }

    #[test]
    fn a_flood_of_commands_keeps_no_receipt_out_and_the_other_way_round() {
        let inbox = Inbox::default();
        (0..1000).for_each(|number| inbox.offer(signed(number), Kind::Command));
        (2000..2003).for_each(|number| inbox.offer(message(number, 1), Kind::Receipt));
        let first: Vec<String> = all(&inbox).into_iter().take(6).collect();
        assert_eq!(first, texts([2000, 0, 2001, 1, 2002, 2]), "in turn");
        (0..1000).for_each(|number| inbox.offer(message(number, 1), Kind::Receipt));
        inbox.offer(signed(2000), Kind::Command);
        assert!(all(&inbox).iter().take(2).any(|topic| topic == "2000"));
    }

    #[test]
    fn a_command_has_three_parts_of_base64url() {
        let [a, b, c] = [20, 40, 86].map(|length| "-_aZ0".chars().cycle().take(length).collect::<String>());
        assert!(looks_signed(format!("{a}.{b}.{c}").as_bytes()));
        for wrong in [
            String::new(),
            "a.b.c".to_owned(),
            format!("{a}.{b}{c}"),
            format!("{a}.{b}.{c}."),
            format!("{a}..{b}{c}"),
            format!(".{a}.{b}{c}"),
            format!("{a}.{b}.{c}="),
            format!("{a}.{b}.{c}\n"),
            format!("{{\"verb\": \"{a}.{b}.{c}\"}}"),
        ] {
            assert!(!looks_signed(wrong.as_bytes()), "{wrong}");
        }
    }

    #[test]
    fn its_size_is_bounded_and_freed_again() {
        let inbox = Inbox::default();
        inbox.offer(message(0, LARGEST + 1), Kind::Receipt);
        assert_eq!(inbox.report(), InboxReport { large: 1, ..InboxReport::default() });
        for _ in 0..3 {
            (0..ROOM / LARGEST).for_each(|number| inbox.offer(message(number, LARGEST), Kind::Receipt));
            assert!(inbox.lock().receipts.bytes <= ROOM);
            assert_eq!(all(&inbox), texts(1..ROOM / LARGEST), "the topics take room too");
            assert_eq!(inbox.lock().receipts.bytes, 0);
        }
        assert_eq!((inbox.report().full, inbox.report().taken), (3, 48));
    }

    #[test]
    fn who_waits_is_woken_by_a_message_and_by_the_wish_to_stop() {
        let (inbox, stop) = (Arc::new(Inbox::default()), Stop::new());
        let waiter = thread::spawn({
            let (inbox, stop) = (Arc::clone(&inbox), stop.clone());
            move || {
                let first = inbox.take(Duration::from_secs(60), &stop);
                (first, inbox.take(Duration::from_secs(60), &stop))
            }
        });
        inbox.offer(message(1, 1), Kind::Receipt);
        while inbox.report().taken == 0 || !inbox.lock().receipts.waiting.is_empty() {
            thread::yield_now();
        }
        stop.stop();
        let begun = Instant::now();
        let (first, second) = waiter.join().unwrap();
        assert_eq!((first, second), (Some(message(1, 1)), None));
        assert!(begun.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn what_is_not_offered_is_counted() {
        let inbox = Inbox::default();
        inbox.refuse(Unfit::Stale);
        inbox.refuse(Unfit::Unwanted);
        assert_eq!((inbox.report().stale, inbox.report().unwanted, inbox.report().refused()), (1, 1, 2));
        assert_eq!(take(&inbox), None);
    }
}
