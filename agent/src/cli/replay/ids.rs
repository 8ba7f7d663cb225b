//! Ids that are the same in each replay.

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// Makes the ids of one recording: of its name, the camera's id, and a count. Of a live camera they are made by chance, so
/// that no two are ever the same; two replays are meant to give the same.
#[derive(Debug)]
pub(super) struct Ids {
    seed: Sha256,
    count: u64,
}

impl Ids {
    pub(super) fn new(recording: &str, camera: &str) -> Self {
        let mut seed = Sha256::new();
        for part in [recording, camera] {
            seed.update(part.as_bytes());
            seed.update([0]);
        }
        Self { seed, count: 0 }
    }

    /// The next one: a UUIDv7 of this time.
    pub(super) fn next(&mut self, at: Timestamp) -> Uuid {
        self.count += 1;
        let hash = self.seed.clone().chain_update(self.count.to_be_bytes()).finalize();
        let mut chance = [0; 10];
        chance.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        // A time before 1970 has no place in an id.
        let millis = u64::try_from(at.as_millisecond()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &chance).into_uuid()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_same_each_time_and_never_twice() {
        let at = Timestamp::from_second(1_795_366_800).unwrap();
        let ids = |recording, camera| {
            let mut ids = Ids::new(recording, camera);
            [ids.next(at), ids.next(at)]
        };
        let first = ids("a.mp4", "gate");
        assert_eq!(first, ids("a.mp4", "gate"));
        assert_ne!(first[0], first[1]);
        assert!(first.iter().all(|id| !ids("b.mp4", "gate").contains(id) && !ids("a.mp4", "roof").contains(id)));
        assert_eq!(first[0].get_version_num(), 7);
        assert_eq!(first[0].get_timestamp().unwrap().to_unix().0, 1_795_366_800);
        assert_eq!(Ids::new("a", "b").next(Timestamp::MIN).get_timestamp().unwrap().to_unix().0, 0);
    }
}
