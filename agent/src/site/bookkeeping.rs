//! The thread of the blind-time ledger: counts once a second, writes, publishes the day that is over, and begins
//! scheduled tests.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use jiff::civil::Date;
use karaul_wire::BoxLedger;

use super::{delivery::Delivery, posts::Posts, standing::Standing, trial::Trials};
use crate::{ledger::Place, stop::Stop};

/// How often it counts.
const ROUND: Duration = Duration::from_secs(1);

pub(super) struct Bookkeeper {
    pub(super) delivery: Delivery,
    pub(super) posts: Arc<Posts>,
    pub(super) standing: Arc<Standing>,
    pub(super) trials: Trials,
    /// Which [edition](crate::ledger::Ledger::edition) of the day that is over is published.
    pub(super) shown: Option<(Date, u64)>,
}

impl Bookkeeper {
    /// Works until it is time to stop.
    pub(super) fn run(mut self, stop: &Stop) {
        loop {
            self.round();
            if stop.wait(ROUND) {
                break;
            }
        }
        self.trials.end();
        self.delivery.ledger.close();
    }

    pub(super) fn round(&mut self) {
        self.delivery.ledger.tend(self.disarmed());
        self.trials.tend();
        self.publish();
    }

    /// By commands, and by the mode of the site.
    fn disarmed(&self) -> BTreeSet<Place> {
        let now = self.delivery.clock.now();
        let config = self.posts.config();
        let of = |camera: &crate::config::Camera| {
            let id = camera.id.clone();
            self.standing.unarmed(&id, now).into_iter().map(move |rule| (id.clone(), rule)).collect::<Vec<_>>()
        };
        config.cameras.iter().flat_map(of).collect()
    }

    /// Shows the last whole day, also one that ended while the agent did not run. Once more if it comes out after
    /// midnight that a camera was blind before it.
    fn publish(&mut self) {
        let edition = self.delivery.ledger.edition();
        if edition.is_none() || self.shown == edition {
            return;
        }
        self.shown = edition;
        let Some(day) = self.delivery.ledger.yesterday() else { return };
        match serde_json::to_vec(&BoxLedger { time: self.delivery.clock.now().wall, day }) {
            Ok(payload) => self.delivery.board.set(self.delivery.path.ledger(), payload),
            Err(error) => tracing::error!("the ledger cannot be written as JSON: {error}"),
        }
    }
}
