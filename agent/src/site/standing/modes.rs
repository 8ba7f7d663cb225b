//! The mode that the site is in, and the rules that are not of it.

use std::collections::{BTreeMap, BTreeSet};

use karaul_wire::Segment;

use super::{Place, Standing, StandingError};
use crate::{clock::Stamp, config::Config};

/// What the config in force says of modes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    modes: Vec<Segment>,
    /// The rules that are armed only in some.
    rules: BTreeMap<Place, Vec<Segment>>,
}

impl Plan {
    fn of(config: &Config) -> Self {
        let named = |camera: &crate::config::Camera| {
            let id = camera.id.clone();
            let rules = camera.rules.iter().filter(|rule| !rule.modes.is_empty());
            rules.map(move |rule| ((id.clone(), rule.id.clone()), rule.modes.clone())).collect::<Vec<_>>()
        };
        Self { modes: config.site.modes.clone(), rules: config.cameras.iter().flat_map(named).collect() }
    }

    #[cfg(test)]
    pub(super) fn new(modes: Vec<Segment>, rule: Place, armed_in: &[Segment]) -> Self {
        Self { modes, rules: [(rule, armed_in.to_vec())].into() }
    }

    /// The mode of the site: the one that was ordered or, where that is none of its modes, the first.
    fn mode<'a>(&'a self, ordered: Option<&Segment>) -> Option<&'a Segment> {
        self.modes.iter().find(|mode| Some(*mode) == ordered).or(self.modes.first())
    }
}

impl Standing {
    /// From now on modes are those of this config.
    pub(in crate::site) fn adopt(&self, config: &Config) {
        *self.plan() = Plan::of(config);
    }

    /// The modes of the site, and the one that it is in; nothing where it has none.
    pub(in crate::site) fn modes(&self) -> (Vec<Segment>, Option<Segment>) {
        let ordered = self.state().mode.clone();
        let plan = self.plan();
        (plan.modes.clone(), plan.mode(ordered.as_ref()).cloned())
    }

    /// Puts the site into a mode, which is one of its own.
    ///
    /// # Errors
    /// If that cannot be written. It is in this mode nevertheless, but a restart would undo it until it is written,
    /// which [`Self::tend`] tries.
    pub(in crate::site) fn enter(&self, mode: &Segment) -> Result<(), StandingError> {
        self.change(|state| state.mode = Some(mode.clone()))
    }

    /// The rules of a camera that are not of the present mode.
    pub(in crate::site) fn out_of_mode(&self, camera: &Segment) -> BTreeSet<Segment> {
        let ordered = self.state().mode.clone();
        let plan = self.plan();
        let Some(mode) = plan.mode(ordered.as_ref()) else { return BTreeSet::new() };
        let here = plan.rules.iter().filter(|((at, _), modes)| at == camera && !modes.contains(mode));
        here.map(|((_, rule), _)| rule.clone()).collect()
    }

    /// The rules of a camera that are not armed: by a command, or by the mode of the site.
    pub(in crate::site) fn unarmed(&self, camera: &Segment, now: Stamp) -> BTreeSet<Segment> {
        let mut rules = self.out_of_mode(camera);
        rules.extend(self.disarmed(camera, now).into_keys());
        rules
    }
}
