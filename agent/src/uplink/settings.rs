use std::{sync::Arc, time::Duration};

use karaul_wire::{BoxBirth, BoxPath};

use super::{BackoffPolicy, Inbox, Passing};
use crate::config::Broker;

/// Messages that the box wants to hear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    /// A topic, perhaps with `+` or `#`.
    pub filter: String,
    /// Whether those that the broker keeps from before count. A command that was kept is old by definition; of receipts
    /// the latest holds on.
    pub retained: bool,
}

/// What the link needs to know.
#[derive(Clone, Debug)]
pub struct LinkSettings {
    /// Where the broker is and how to sign on.
    pub broker: Broker,
    /// The address of the box's topics.
    pub path: BoxPath,
    /// Published on `meta/box` at each connection; the link fills in `session`.
    pub birth: BoxBirth,
    /// How long to wait before dialling again.
    pub backoff: BackoffPolicy,
    /// An alert published so long after its commit is marked `backfill`.
    pub late_after: Duration,
    /// What the broker does not take is offered to it again after this long.
    pub pause: Duration,
    /// What goes into the [`Inbox`].
    pub subscriptions: Vec<Subscription>,
    /// Where what comes in on them goes. A link that is started anew may be given that of the one before.
    pub inbox: Arc<Inbox>,
    /// What goes out without being kept. The same holds for it.
    pub passing: Arc<Passing>,
    /// While a fallback is in use, the brokers before it are tried again after this long, on average.
    pub return_after: Duration,
    /// How often the files of `[broker]` are looked at.
    pub look: Duration,
    /// At an orderly stop, what waits may still be sent for this long.
    pub flush: Duration,
}

impl LinkSettings {
    /// Settings with the usual times.
    #[must_use]
    pub fn new(broker: Broker, path: BoxPath, birth: BoxBirth) -> Self {
        let [late_after, pause, return_after, look, flush] = [10, 600, 300, 60, 3].map(Duration::from_secs);
        let (subscriptions, backoff) = (Vec::new(), BackoffPolicy::default());
        Self {
            broker,
            path,
            birth,
            backoff,
            late_after,
            pause,
            subscriptions,
            inbox: Arc::default(),
            passing: Arc::default(),
            return_after,
            look,
            flush,
        }
    }
}
