use std::sync::{Mutex, MutexGuard, PoisonError};

use karaul_wire::{BoxBirth, CameraBirth};

use super::standing::Standing;
use crate::{
    config::Broker,
    uplink::{Link, LinkError, LinkReport},
};

/// Starts a link to this broker.
pub(super) type Dial = dyn Fn(&Broker, BoxBirth) -> Result<Link, LinkError> + Send + Sync;

/// The link, which can be started anew. The outbox keeps everything meanwhile.
pub(super) struct Line {
    dial: Box<Dial>,
    present: Mutex<Present>,
    /// What the links before the present one did.
    before: Mutex<LinkReport>,
}

struct Present {
    broker: Broker,
    birth: BoxBirth,
    link: Option<Link>,
}

impl Line {
    pub(super) fn start(broker: &Broker, birth: BoxBirth, dial: Box<Dial>) -> Result<Self, LinkError> {
        let link = Some(dial(broker, birth.clone())?);
        let present = Mutex::new(Present { broker: broker.clone(), birth, link });
        Ok(Self { dial, present, before: Mutex::default() })
    }

    /// Signs off and dials again, as the broker's settings say now; takes some seconds.
    ///
    /// # Errors
    /// If they cannot be used. The old ones stay in force then.
    pub(super) fn switch(&self, broker: &Broker) -> Result<(), LinkError> {
        let mut present = self.present();
        if let Some(link) = present.link.take() {
            let in_use = link.report().address;
            let stays = broker.addresses().iter().any(|address| Some(address.to_string()) == in_use);
            // Two at a time would throw each other out.
            let last = if stays { link.stop() } else { link.retire() };
            let mut before = self.before();
            *before = last.after(&before);
        }
        match (self.dial)(broker, present.birth.clone()) {
            Ok(link) => {
                present.link = Some(link);
                present.broker.clone_from(broker);
                Ok(())
            }
            Err(error) => {
                // What worked before. Should it not, there is no link, and that ends the agent.
                present.link = (self.dial)(&present.broker, present.birth.clone()).ok();
                Err(error)
            }
        }
    }

    /// Tells which cameras there are now.
    pub(super) fn tell_cameras(&self, cameras: Vec<CameraBirth>) {
        let mut present = self.present();
        present.birth.cameras = cameras;
        if let Some(link) = &present.link {
            link.set_birth(present.birth.clone());
        }
    }

    /// Tells the modes of the site and the one that it is in, as they are by now.
    pub(super) fn tell_modes(&self, standing: &Standing) {
        let mut present = self.present();
        let modes = standing.modes();
        if (&present.birth.modes, &present.birth.mode) == (&modes.0, &modes.1) {
            return;
        }
        (present.birth.modes, present.birth.mode) = modes;
        if let Some(link) = &present.link {
            link.set_birth(present.birth.clone());
        }
    }

    /// Has its thread ended, though nobody stopped it? Not while it is being started anew.
    pub(super) fn has_ended(&self) -> bool {
        self.present.try_lock().is_ok_and(|present| present.link.as_ref().is_none_or(Link::has_ended))
    }

    /// How the link is, with what those before it did; `None` while it is being started anew.
    pub(super) fn report(&self) -> Option<LinkReport> {
        let now = self.present.try_lock().ok()?.link.as_ref()?.report();
        Some(now.after(&self.before()))
    }

    /// Sends what still waits, says `stopped` and signs off.
    pub(super) fn stop(&self) {
        if let Some(link) = self.present().link.take() {
            link.stop();
        }
    }

    fn before(&self) -> MutexGuard<'_, LinkReport> {
        self.before.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
