//! Messages for other systems, on topics outside the box's own: pure policy.

use std::time::Duration;

use karaul_wire::BoxPath;

/// Guests that the broker does not want are left out for so long.
const OUT: Duration = Duration::from_secs(3600);
/// So many connections in a row that ended while a guest waited for its answer are proof enough.
const PROOF: u32 = 3;

/// Is the topic none of Karaul's? What is for other systems must not cost an alert. A box that was given
/// another path still has alerts under the old one.
pub(super) fn is_guest(topic: &str) -> bool {
    !topic.strip_prefix(BoxPath::ROOT).is_some_and(|rest| rest.starts_with('/'))
}

/// Whether guests are let in. They come last, one at a time, and go together: a broker that refuses
/// one, or hangs up on it, refuses most likely all, and finding that out for each would cost the
/// alerts a connection every time.
#[derive(Debug, Default)]
pub(super) struct Guests {
    out_until: Option<Duration>,
    hang_ups: u32,
}

impl Guests {
    /// Are they left out at present?
    pub(super) fn are_out(&self, now: Duration) -> bool {
        self.out_until.is_some_and(|until| now < until)
    }

    /// The broker took one.
    pub(super) const fn accepted(&mut self) {
        self.hang_ups = 0;
    }

    /// The broker refused one: all are left out. Says whether they were not before.
    pub(super) fn refused(&mut self, now: Duration) -> bool {
        let news = !self.are_out(now);
        self.out_until = Some(now + OUT);
        self.hang_ups = 0;
        news
    }

    /// The broker hung up while a guest was the oldest message without an answer. Says whether
    /// that is as good as a refusal.
    pub(super) const fn hung_up(&mut self) -> bool {
        self.hang_ups += 1;
        self.hang_ups >= PROOF
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1000);

    #[test]
    fn a_guest_is_what_is_not_below_the_root_of_the_contract() {
        for own in ["karaul1/almaty/turksib/school-042/b7f3/alert/info/gate", "karaul1/another/path/of/this/open/1"] {
            assert!(!is_guest(own), "{own}");
        }
        for guest in ["homeassistant/binary_sensor/x/config", "karaul1", "karaul10/a/b/c/d/alert/info/gate", ""] {
            assert!(is_guest(guest), "{guest}");
        }
    }

    #[test]
    fn a_refusal_leaves_all_out_for_a_while() {
        let mut guests = Guests::default();
        assert!(!guests.are_out(NOW));
        assert!(guests.refused(NOW));
        assert!(!guests.refused(NOW), "it is known");
        assert!(guests.are_out(NOW) && !guests.are_out(NOW + OUT));
        assert!(guests.refused(NOW + OUT), "tried again in vain");
    }

    #[test]
    fn a_bad_network_is_no_refusal_as_long_as_some_get_through() {
        let mut guests = Guests::default();
        for _ in 0..10 {
            assert!(!guests.hung_up() && !guests.hung_up());
            guests.accepted();
        }
        assert!(!guests.hung_up() && !guests.hung_up() && guests.hung_up());
    }
}
