//! Which version of MQTT to speak: pure policy.

use super::{LinkError, Version};

/// One address's version.
#[derive(Clone, Debug)]
pub(super) struct Versions {
    pub current: Version,
    /// The broker said that it does not speak version 5. One that merely hung up is
    /// asked again next time: it may have been restarting.
    said: bool,
}

impl Default for Versions {
    fn default() -> Self {
        Self { current: Version::V5, said: false }
    }
}

impl Versions {
    /// A connection failed. `true` if the other version is worth trying at once.
    pub(super) fn failed(&mut self, error: &LinkError, signed_on: bool) -> bool {
        let at_once = self.current == Version::V5 && !signed_on && error.may_be_the_version();
        if at_once {
            self.said = matches!(error, LinkError::Version { .. });
            self.current = self.current.other();
        } else if !self.said || matches!(error, LinkError::Version { .. }) {
            *self = Self::default();
        }
        at_once
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hung_up() -> LinkError {
        LinkError::HungUp { address: String::new(), detail: String::new(), tls: false }
    }

    fn version() -> LinkError {
        LinkError::Version { address: String::new(), version: "" }
    }

    #[test]
    fn a_broker_that_says_no_to_version_5_is_not_asked_again() {
        let mut versions = Versions::default();
        assert!(versions.failed(&version(), false));
        assert_eq!(versions.current, Version::V311);
        assert!(!versions.failed(&hung_up(), true));
        assert_eq!(versions.current, Version::V311);
        assert!(!versions.failed(&version(), false), "it speaks neither: start over, with a pause");
        assert_eq!(versions.current, Version::V5);
    }

    #[test]
    fn a_broker_that_hung_up_is_asked_again_next_time() {
        let mut versions = Versions::default();
        assert!(versions.failed(&hung_up(), false));
        assert_eq!(versions.current, Version::V311);
        assert!(!versions.failed(&hung_up(), true));
        assert_eq!(versions.current, Version::V5);
        assert!(!versions.failed(&LinkError::Credentials { address: String::new() }, false));
        assert_eq!(versions.current, Version::V5, "a wrong password has nothing to do with the version");
    }
}
