use std::{
    ops::{Deref, DerefMut},
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A fixed number of things that one user at a time may hold.
///
/// Bound: as many as it was made with. Policy: who finds none free waits, at most as long as
/// it says; whoever was refused lost one picture, not its place in anything.
#[derive(Debug)]
pub(super) struct Pool<T> {
    free: Mutex<Vec<T>>,
    returned: Condvar,
}

/// One thing out of a [`Pool`]; goes back when dropped.
#[derive(Debug)]
pub(super) struct Lent<'a, T> {
    pool: &'a Pool<T>,
    thing: Option<T>,
}

impl<T> Pool<T> {
    pub(super) fn new(things: Vec<T>) -> Self {
        Self { free: Mutex::new(things), returned: Condvar::new() }
    }

    /// Adds one more.
    pub(super) fn add(&self, thing: T) {
        self.lock().push(thing);
        self.returned.notify_one();
    }

    /// Takes one out, waiting for at most `limit`.
    pub(super) fn take(&self, limit: Duration) -> Option<Lent<'_, T>> {
        let start = Instant::now();
        let mut free = self.lock();
        loop {
            if let Some(thing) = free.pop() {
                return Some(Lent { pool: self, thing: Some(thing) });
            }
            let left = limit.checked_sub(start.elapsed()).filter(|left| !left.is_zero())?;
            (free, _) = self.returned.wait_timeout(free, left).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // The lock is held for a push or a pop only, which leave the list whole.
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Deref for Lent<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.thing.as_ref().expect("it is there until dropped")
    }
}

impl<T> DerefMut for Lent<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.thing.as_mut().expect("it is there until dropped")
    }
}

impl<T> Drop for Lent<'_, T> {
    fn drop(&mut self) {
        if let Some(thing) = self.thing.take() {
            self.pool.lock().push(thing);
            self.pool.returned.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_comes_back() {
        let pool = Pool::new(vec![1]);
        let lent = pool.take(Duration::ZERO).expect("one is free");
        assert!(pool.take(Duration::ZERO).is_none());
        assert!(pool.take(Duration::from_millis(5)).is_none());
        drop(lent);
        assert_eq!(*pool.take(Duration::ZERO).expect("it came back"), 1);
    }

    #[test]
    fn who_waits_is_woken() {
        let pool = Pool::new(vec![1]);
        let lent = pool.take(Duration::ZERO).expect("one is free");
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| pool.take(Duration::from_secs(60)).is_some());
            drop(lent);
            assert!(waiter.join().expect("no panic"));
        });
    }
}
