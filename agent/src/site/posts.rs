use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use karaul_wire::{BlindReason, BoxPath, ClockSource, CloseReason, Segment};
use uuid::Uuid;

use super::{
    SiteError, Watch,
    clips::{Clips, Cutter},
    crew::Crew,
    delivery::Delivery,
    eyes::Eyes,
    fixtures::KeptFixtures,
    guard::{Guard, Shared},
    light::Light,
    standing::Standing,
    view::KeptView,
};
use crate::{
    camera::{Counters, EncodedRing},
    config::{Camera, Config},
    incident::Desk,
    ledger::{STARTING, Sight},
    stop::Stop,
};

/// So long may the thread of a camera take to end: longer than a pipeline, a model and the outbox together
/// take at worst.
const END: Duration = Duration::from_secs(15);

/// One camera of the site.
pub(super) struct Post {
    pub(super) camera: Camera,
    /// By the config and the standing orders together.
    pub(super) enabled: bool,
    /// What its thread shares; there while nobody watches as well.
    pub(super) shared: Shared,
    pub(super) counters: Arc<Counters>,
    /// It has a thread.
    watched: bool,
}

/// The cameras of the site as it runs: which there are, and which of them are watched.
pub(super) struct Posts {
    pub(super) crew: Crew,
    /// Tells the whole agent to stop.
    whole: Stop,
    eyes: Arc<dyn Eyes>,
    delivery: Delivery,
    cutter: Cutter,
    standing: Arc<Standing>,
    boot_id: Option<Uuid>,
    present: Mutex<Present>,
}

struct Present {
    config: Arc<Config>,
    list: Vec<Arc<Post>>,
    /// Topics on which something is retained by this config.
    retained: BTreeSet<String>,
}

/// What a change of the config did to the cameras.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) added: usize,
    pub(super) removed: usize,
    pub(super) restarted: usize,
    pub(super) unchanged: usize,
    /// Standing orders for what is gone, in words.
    pub(super) forgotten: Vec<String>,
    /// The mode that the site is in instead of another, in words.
    pub(super) mode: Option<String>,
}

impl Posts {
    /// No camera is watched yet; see [`Self::take_up`].
    pub(super) fn new(
        config: Config,
        stop: &Stop,
        eyes: Arc<dyn Eyes>,
        delivery: Delivery,
        standing: Arc<Standing>,
        boot_id: Option<Uuid>,
    ) -> Self {
        let present = Mutex::new(Present { config: Arc::new(config), list: Vec::new(), retained: BTreeSet::new() });
        let (crew, cutter) = (Crew::new(stop), Cutter::new());
        Self { crew, whole: stop.clone(), eyes, delivery, cutter, standing, boot_id, present }
    }

    /// The config in force.
    pub(super) fn config(&self) -> Arc<Config> {
        Arc::clone(&self.present().config)
    }

    /// All cameras, in the order of the config.
    pub(super) fn all(&self) -> Vec<Arc<Post>> {
        self.present().list.clone()
    }

    /// One of them.
    pub(super) fn of(&self, camera: &Segment) -> Option<Arc<Post>> {
        self.present().list.iter().find(|post| post.camera.id == *camera).cloned()
    }

    /// Watches the cameras as this config and the standing orders say. Those for which both say the same as
    /// before go on undisturbed, unless they want a model that could not be had. To be called by one at a time;
    /// others see the cameras as they come and go.
    ///
    /// # Errors
    /// If a thread cannot be started or does not end: only a new process helps then.
    pub(super) fn take_up(&self, config: Config) -> Result<Changes, SiteError> {
        let config = Arc::new(config);
        self.delivery.ledger.take_up(&config);
        self.leave_to_the_config(&config);
        let before = self.all();
        let same_words = self.config().site.languages == config.site.languages;
        let stays = |post: &Post| {
            let wanted = config.cameras.iter().find(|camera| camera.id == post.camera.id);
            let enabled = wanted.is_some_and(|camera| self.is_enabled(camera));
            same_words && wanted == Some(&post.camera) && enabled == post.enabled && post.watched == enabled
        };
        let (kept, ended): (Vec<_>, Vec<_>) = before.iter().cloned().partition(|post| stays(post));
        let ending = self.delivery.clock.now().mono;
        let names = |post: &Arc<Post>| [thread_name(&post.camera.id), evidence_thread_name(&post.camera.id)];
        let names: Vec<_> = ended.iter().flat_map(names).collect();
        self.crew.end(&names, END)?;
        for post in ended.iter().filter(|post| post.watched) {
            // Until it is watched anew, which may take a while: models are loaded one after the other.
            let starting = Sight::Blind(STARTING.to_owned());
            self.delivery.ledger.sees(&post.camera.id, starting, Some(ending));
        }

        let (_, mode) = self.standing.modes();
        self.standing.adopt(&config);
        let watched: Vec<_> = config.cameras.iter().filter(|camera| self.is_enabled(camera)).collect();
        self.eyes.keep(&watched);
        {
            // In one: nobody clears the states of cameras by the old config once the new ones have shown theirs.
            let mut present = self.present();
            present.config = Arc::clone(&config);
            present.list.clone_from(&kept);
            present.retained =
                self.delivery.outputs.take_up(&config, self.delivery.clock.now().wall, &self.delivery.board);
            let status = |camera: &Camera| config.site.path.camera_status(&camera.id);
            present.retained.extend(config.cameras.iter().map(status));
            self.clear_removed(&present);
        }
        let forgotten = self.forget_gone();
        let mode = self.changed_mode(mode);
        let mut changes = Changes { unchanged: kept.len(), forgotten, mode, ..Changes::default() };
        for camera in config.cameras.iter().filter(|camera| !kept.iter().any(|post| post.camera.id == camera.id)) {
            let old = ended.iter().find(|post| post.camera.id == camera.id);
            let users = watched.iter().filter(|other| other.model == camera.model).count();
            let post = self.start(camera, &config, users, old.map(AsRef::as_ref))?;
            self.present().list.push(Arc::new(post));
            if old.is_some() {
                changes.restarted += 1;
            } else {
                changes.added += 1;
            }
        }
        changes.removed = ended.len() - changes.restarted;
        let place = |post: &Arc<Post>| config.cameras.iter().position(|camera| camera.id == post.camera.id);
        self.present().list.sort_by_key(place);
        Ok(changes)
    }

    /// Shows what is disarmed, and clears the states of removed cameras. Once a second, and after orders.
    pub(super) fn tend(&self) {
        self.standing.tend();
        let now = self.delivery.clock.now();
        for post in self.all() {
            post.shared.light.disarmed(self.standing.disarmed(&post.camera.id, now));
        }
        self.clear_removed(&self.present());
    }

    /// Forgets standing orders for what the config in force does not have, and tells them.
    pub(super) fn forget_gone(&self) -> Vec<String> {
        self.standing.forget_gone(&self.config())
    }

    /// The site may be in another mode than before the config in force.
    fn changed_mode(&self, before: Option<Segment>) -> Option<String> {
        let before = before?;
        let changed = match self.standing.modes().1 {
            Some(now) if now == before => return None,
            Some(now) => format!("the site was in mode {before} and is in mode {now} now"),
            None => format!("the site was in mode {before} and has no modes now"),
        };
        tracing::warn!("{changed}");
        Some(changed)
    }

    /// A camera that was switched as the config says by now is the config's matter again: whoever changes that
    /// later means it.
    fn leave_to_the_config(&self, config: &Config) {
        for camera in config.cameras.iter().filter(|camera| self.standing.switched(&camera.id) == Some(camera.enabled))
        {
            if let Err(error) = self.standing.switch(&camera.id, None, true) {
                tracing::error!(camera = %camera.id, "{error}");
            }
        }
    }

    fn is_enabled(&self, camera: &Camera) -> bool {
        self.standing.switched(&camera.id).unwrap_or(camera.enabled)
    }

    fn start(&self, camera: &Camera, config: &Config, users: usize, old: Option<&Post>) -> Result<Post, SiteError> {
        let clock = Arc::clone(&self.delivery.clock);
        // What is shown and counted goes on from where it was.
        let light = old.map_or_else(
            || {
                let board = Arc::clone(&self.delivery.board);
                Light::new(&config.site.path, &camera.id, board, Arc::clone(&clock), Arc::clone(&self.delivery.ledger))
            },
            |old| old.shared.light.clone(),
        );
        light.disarmed(self.standing.disarmed(&camera.id, clock.now()));
        // Whoever watches it next finds that out anew.
        light.view(None);
        light.full_decoding(None);
        let shared = Shared {
            light,
            tally: old.map_or_else(Arc::default, |old| Arc::clone(&old.shared.tally)),
            tray: Arc::default(),
            standing: Arc::clone(&self.standing),
            clock,
        };
        let counters: Arc<Counters> = old.map_or_else(Arc::default, |old| Arc::clone(&old.counters));
        let enabled = self.is_enabled(camera);
        let post = |watched| Post {
            camera: camera.clone(),
            enabled,
            shared: shared.clone(),
            counters: Arc::clone(&counters),
            watched,
        };
        if !enabled {
            shared.light.disabled();
            shared.tray.close();
            return Ok(post(false));
        }
        self.delivery.ledger.sees(&camera.id, Sight::Blind(STARTING.to_owned()), None);
        let (detector, provider) = match self.eyes.detector(camera, users) {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(camera = %camera.id, "{error}");
                shared.light.blind(BlindReason::Model, &error, None);
                shared.tray.close();
                return Ok(post(false));
            }
        };
        tracing::info!(camera = %camera.id, url = %camera.url, model = %camera.model.id, provider, "watching");
        let fixtures = KeptFixtures::of(&config.storage.path, &camera.id);
        let desk = Desk::new(camera, &config.site.languages, provider, ClockSource::Box, self.boot_id)
            .knowing(fixtures.read(), self.delivery.clock.now().wall);
        let ring = self.ring(camera)?;
        let clips = ring.as_ref().map(|ring| {
            let counts = Arc::clone(&shared.tally.clips);
            Clips::new(&camera.clips, self.cutter.of(&camera.id, Arc::clone(ring), counts))
        });
        let (decisions, id) = (Arc::clone(&self.delivery.decisions), camera.id.clone());
        let watch = Watch::new(camera, detector, desk, self.delivery.clone())
            .with_clips(clips)
            .with_notes(camera, move |record| decisions.write(&id, record));
        let rules = camera.rules.iter().map(|rule| rule.id.clone()).collect();
        let view = camera.sight.enabled.then(|| KeptView::of(&config.storage.path, camera));
        let mut guard = Guard::new(watch, rules, shared.clone(), view).with_fixtures(fixtures);
        let (eyes, whole) = (Arc::clone(&self.eyes), self.whole.clone());
        let ring = self.receive_aside(camera, ring)?;
        let (camera, count) = (camera.clone(), Arc::clone(&counters));
        self.crew.add(thread_name(&camera.id), move |stop| {
            eyes.watch(&camera, ring, &count, stop, &mut guard);
            guard.end(match (whole.is_stopped(), stop.is_stopped()) {
                (true, _) => CloseReason::Stopped,
                (false, true) => CloseReason::Disarmed,
                (false, false) => CloseReason::Blind,
            });
        })?;
        Ok(post(true))
    }

    /// For the encoded pictures of the camera, if clips are wanted; what makes them runs then.
    fn ring(&self, camera: &Camera) -> Result<Option<Arc<EncodedRing>>, SiteError> {
        if !camera.clips.enabled {
            return Ok(None);
        }
        self.cutter.start(&self.crew, &self.delivery.album)?;
        let ring = EncodedRing::new(camera.id.as_str(), Clips::span(&camera.clips), camera.clips.memory);
        Ok(Some(Arc::new(ring)))
    }

    /// Has the ring filled by a thread of its own, if the camera has another stream for that. Gives back what the
    /// stream to watch is to fill.
    fn receive_aside(
        &self,
        camera: &Camera,
        ring: Option<Arc<EncodedRing>>,
    ) -> Result<Option<Arc<EncodedRing>>, SiteError> {
        let (Some(ring), Some(url)) = (ring.clone(), camera.evidence_url.clone()) else { return Ok(ring) };
        let (eyes, camera) = (Arc::clone(&self.eyes), camera.clone());
        self.crew.add(evidence_thread_name(&camera.id), move |stop| eyes.receive(&camera, &url, ring, stop))?;
        Ok(None)
    }

    /// A camera that has gone from the config is still `seeing` at the broker, which retains
    /// that; the same goes for rules in other outputs. So the topics on which anything was ever retained are
    /// remembered on disk, and at each connection those that are not configured any more are cleared.
    fn clear_removed(&self, present: &Present) {
        let Present { config, retained, .. } = present;
        let known = self.delivery.outbox.topics();
        if !retained.is_subset(&known) {
            self.delivery.outbox.remember_topics(retained.iter().cloned());
        }
        // A box that was given another path has no business with the topics of the old one.
        let (ours, root) = (format!("{}/", config.site.path), format!("{}/", BoxPath::ROOT));
        let may_clear = |topic: &&String| topic.starts_with(&ours) || !topic.starts_with(&root);
        for topic in known.difference(retained).filter(may_clear) {
            // Not through the outbox: should the camera come back, a clearing that still
            // waits there would undo its new state.
            self.delivery.board.set(topic.clone(), Vec::new());
        }
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What messages call the thread of a camera.
fn thread_name(camera: &Segment) -> String {
    format!("camera {camera}")
}

/// And that of its other stream.
fn evidence_thread_name(camera: &Segment) -> String {
    format!("evidence of camera {camera}")
}
