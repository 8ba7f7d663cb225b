use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::SiteError;
use crate::stop::Stop;

/// How often it is looked whether all are still there.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is looked whether those who are to end have ended.
const GLANCE: Duration = Duration::from_millis(10);

/// The threads that work until they are told to stop. Dropping it is telling them, and
/// waiting for them.
pub(super) struct Crew {
    stop: Stop,
    members: Mutex<Members>,
}

#[derive(Default)]
struct Members {
    list: Vec<Member>,
    /// A fault that only a new process helps against.
    fault: Option<SiteError>,
    closed: bool,
}

struct Member {
    name: String,
    stop: Stop,
    thread: JoinHandle<()>,
}

impl Crew {
    pub(super) fn new(stop: &Stop) -> Self {
        Self { stop: stop.clone(), members: Mutex::default() }
    }

    /// Starts a thread; it is told by a [`Stop`] of its own when to end. The name is for people, and unique. Once
    /// all have been told to stop, nobody is started any more.
    pub(super) fn add(&self, name: String, work: impl FnOnce(&Stop) + Send + 'static) -> Result<(), SiteError> {
        let mut members = self.members();
        if members.closed {
            return Ok(());
        }
        let stop = self.stop.child();
        let theirs = stop.clone();
        match thread::Builder::new().name(name.clone()).spawn(move || work(&theirs)) {
            Ok(thread) => {
                members.list.push(Member { name, stop, thread });
                Ok(())
            }
            Err(source) => Err(SiteError::Thread { name, source }),
        }
    }

    /// Waits until it is time to stop, and calls `round` once a second meanwhile, which
    /// may name somebody else who is missing.
    ///
    /// # Errors
    /// If one of the threads has ended though nobody asked for it: a camera that nobody
    /// watches must not look as if it were watched.
    pub(super) fn watch(&self, mut round: impl FnMut() -> Result<(), SiteError>) -> Result<(), SiteError> {
        while !self.stop.wait(LOOK) {
            let mut members = self.members();
            if let Some(fault) = members.fault.take() {
                return Err(fault);
            }
            let ended = members.list.iter().find(|member| member.thread.is_finished());
            // A thread that was told to stop is not missing, nor one that was in this very moment.
            if let Some(Member { name, stop, .. }) = ended
                && !stop.is_stopped()
            {
                return Err(SiteError::Fallen { name: name.clone() });
            }
            drop(members);
            round()?;
        }
        Ok(())
    }

    /// Tells these to stop and waits for them, at most `limit`.
    ///
    /// # Errors
    /// If one of them panicked, or did not end in time. From then on [`Self::watch`] says so too.
    pub(super) fn end(&self, names: &[String], limit: Duration) -> Result<(), SiteError> {
        for member in self.members().list.iter().filter(|member| names.contains(&member.name)) {
            member.stop.stop();
        }
        let until = Instant::now() + limit;
        loop {
            let mut members = self.members();
            let ended = members.list.extract_if(.., |m| names.contains(&m.name) && m.thread.is_finished());
            let ended: Vec<Member> = ended.collect();
            let missing = members.list.iter().find(|m| names.contains(&m.name)).map(|m| m.name.clone());
            drop(members);
            for member in ended {
                self.join(member)?;
            }
            let Some(name) = missing else { return Ok(()) };
            if Instant::now() >= until {
                self.fail(SiteError::Stuck { name: name.clone() });
                return Err(SiteError::Stuck { name });
            }
            thread::sleep(GLANCE);
        }
    }

    /// Notes a fault that only a new process helps against, for [`Self::watch`].
    pub(super) fn fail(&self, fault: SiteError) {
        self.members().fault.get_or_insert(fault);
    }

    /// Tells all to stop and waits for them.
    ///
    /// # Errors
    /// If one of them panicked.
    pub(super) fn close(&self) -> Result<(), SiteError> {
        self.stop.stop();
        let mut result = Ok(());
        loop {
            let mut members = self.members();
            members.closed = true;
            let Some(member) = members.list.pop() else { return result };
            // Not locked while waiting: a thread that is to end may be ending others.
            drop(members);
            result = result.and(self.join(member));
        }
    }

    fn join(&self, member: Member) -> Result<(), SiteError> {
        let Member { name, thread, .. } = member;
        if thread.join().is_ok() {
            return Ok(());
        }
        tracing::error!("the thread of {name} ended in a panic");
        self.fail(SiteError::Fallen { name: name.clone() });
        Err(SiteError::Fallen { name })
    }

    fn members(&self) -> MutexGuard<'_, Members> {
        self.members.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // Said already; whoever drops it has a reason of his own.
        let _ = self.close();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    };

    use super::*;

    /// A crew with one good member, who says when he was told to stop.
    fn crew(stop: &Stop) -> (Crew, Arc<AtomicBool>) {
        let (crew, told) = (Crew::new(stop), Arc::new(AtomicBool::new(false)));
        let says = Arc::clone(&told);
        let work = move |stop: &Stop| {
            while !stop.wait(Duration::from_secs(1)) {}
            says.store(true, SeqCst);
        };
        crew.add("camera yard".to_owned(), work).unwrap();
        (crew, told)
    }

    #[test]
    fn a_thread_that_panics_is_named_and_the_others_are_stopped() {
        let stop = Stop::new();
        let (crew, told) = crew(&stop);
        crew.add("camera gate".to_owned(), |_| panic!("a test")).unwrap();
        let error = crew.watch(|| Ok(())).unwrap_err().to_string();
        assert_eq!(
            error,
            "the thread of camera gate has ended by itself, a fault of the agent (see the log before); the agent ends \
             so that the service manager starts it anew"
        );
        assert!(crew.close().is_err());
        assert!(told.load(SeqCst));
    }

    #[test]
    fn a_start_that_fails_half_way_leaves_nobody_behind() {
        let (crew, told) = crew(&Stop::new());
        drop(crew);
        assert!(told.load(SeqCst));
    }

    #[test]
    fn an_orderly_stop_is_no_error() {
        let stop = Stop::new();
        let (crew, _) = crew(&stop);
        let mut rounds = 0;
        let round = || {
            rounds += 1;
            stop.stop();
            Ok(())
        };
        crew.watch(round).unwrap();
        crew.close().unwrap();
        assert_eq!(rounds, 1);
    }

    #[test]
    fn one_that_is_ended_is_not_missed_and_the_others_go_on() {
        let stop = Stop::new();
        let (crew, told) = crew(&stop);
        crew.add("camera gate".to_owned(), |stop| while !stop.wait(LOOK) {}).unwrap();
        crew.end(&["camera gate".to_owned(), "camera nobody".to_owned()], LOOK).unwrap();
        assert_eq!(crew.members().list.len(), 1);
        assert!(!told.load(SeqCst) && !stop.is_stopped());
        crew.close().unwrap();
        crew.add("camera gate".to_owned(), |_| panic!("nobody starts any more")).unwrap();
        crew.close().unwrap();
    }

    #[test]
    fn one_that_does_not_end_in_time_ends_the_agent() {
        let stop = Stop::new();
        let (crew, _) = crew(&stop);
        let hangs = Stop::new();
        let theirs = hangs.clone();
        crew.add("camera gate".to_owned(), move |_| while !theirs.wait(LOOK) {}).unwrap();
        let error = crew.end(&["camera gate".to_owned()], GLANCE).unwrap_err().to_string();
        let stuck = "the thread of camera gate does not end, a fault of the agent; the agent ends so that the service \
                     manager starts it anew";
        assert_eq!(error, stuck);
        assert_eq!(crew.watch(|| Ok(())).unwrap_err().to_string(), stuck);
        hangs.stop();
        crew.close().unwrap();
    }
}
