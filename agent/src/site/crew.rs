use std::{
    thread::{self, JoinHandle},
    time::Duration,
};

use super::SiteError;
use crate::stop::Stop;

/// How often it is looked whether all are still there.
const LOOK: Duration = Duration::from_secs(1);

/// The threads that work until they are told to stop. Dropping it is telling them, and
/// waiting for them.
pub(super) struct Crew {
    stop: Stop,
    threads: Vec<(String, JoinHandle<()>)>,
}

impl Crew {
    pub(super) fn new(stop: &Stop) -> Self {
        Self { stop: stop.clone(), threads: Vec::new() }
    }

    /// Starts a thread. The name is for people.
    pub(super) fn add(&mut self, name: String, work: impl FnOnce() + Send + 'static) -> Result<(), SiteError> {
        match thread::Builder::new().name(name.clone()).spawn(work) {
            Ok(thread) => {
                self.threads.push((name, thread));
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
            let ended = self.threads.iter().find(|(_, thread)| thread.is_finished());
            // A thread that was told to stop in this very moment is not missing.
            if let Some((name, _)) = ended
                && !self.stop.is_stopped()
            {
                return Err(SiteError::Fallen { name: name.clone() });
            }
            round()?;
        }
        Ok(())
    }

    /// Tells all to stop and waits for them.
    ///
    /// # Errors
    /// If one of them panicked.
    pub(super) fn end(mut self) -> Result<(), SiteError> {
        self.join()
    }

    fn join(&mut self) -> Result<(), SiteError> {
        self.stop.stop();
        let mut result = Ok(());
        for (name, thread) in self.threads.drain(..) {
            if thread.join().is_err() {
                tracing::error!("the thread of {name} ended in a panic");
                result = Err(SiteError::Fallen { name });
            }
        }
        result
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        // Said already; whoever drops it has a reason of his own.
        let _ = self.join();
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
        let (mut crew, told) = (Crew::new(stop), Arc::new(AtomicBool::new(false)));
        let (good, says) = (stop.clone(), Arc::clone(&told));
        let work = move || {
            while !good.wait(Duration::from_secs(1)) {}
            says.store(true, SeqCst);
        };
        crew.add("camera yard".to_owned(), work).unwrap();
        (crew, told)
    }

    #[test]
    fn a_thread_that_panics_is_named_and_the_others_are_stopped() {
        let stop = Stop::new();
        let (mut crew, told) = crew(&stop);
        crew.add("camera gate".to_owned(), || panic!("a test")).unwrap();
        let error = crew.watch(|| Ok(())).unwrap_err().to_string();
        assert_eq!(
            error,
            "the thread of camera gate has ended by itself, a fault of the agent (see the log before); the agent ends \
             so that the service manager starts it anew"
        );
        assert!(crew.end().is_err());
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
        crew.end().unwrap();
        assert_eq!(rounds, 1);
    }
}
