use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{Segment, Severity, Verb};

/// The address of one box, and so the first five levels of all its topics:
/// `karaul1/<region>/<district>/<site>/<box>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BoxPath {
    /// Region, for example `almaty`.
    pub region: Segment,
    /// District of the region.
    pub district: Segment,
    /// School, police station or unit.
    pub site: Segment,
    /// One of the site's boxes.
    #[serde(rename = "box")]
    pub unit: Segment,
}

impl BoxPath {
    /// First level of every topic; its digit is the major version of the contract.
    pub const ROOT: &str = "karaul1";

    /// `alert/<severity>/<camera>`: every step of every incident. QoS 1, not retained.
    #[must_use]
    pub fn alert(&self, severity: Severity, camera: &Segment) -> String {
        format!("{self}/alert/{severity}/{camera}")
    }

    /// `open/<incident>`: the present state of an open incident. QoS 1, retained,
    /// cleared by an empty payload when the incident ends.
    #[must_use]
    pub fn open(&self, incident: Uuid) -> String {
        format!("{self}/open/{incident}")
    }

    /// `status/box`: is the box there. QoS 1, retained, also the last will.
    #[must_use]
    pub fn box_status(&self) -> String {
        format!("{self}/status/box")
    }

    /// `status/camera/<camera>`: does it see. QoS 1, retained, cleared by an empty payload
    /// when the camera has been removed. What it says holds only while `status/box` is
    /// `online`: a box that is `stopped` or `lost` sees nothing.
    #[must_use]
    pub fn camera_status(&self, camera: &Segment) -> String {
        format!("{self}/status/camera/{camera}")
    }

    /// `meta/box`: what the box is made of. QoS 1, retained.
    #[must_use]
    pub fn birth(&self) -> String {
        format!("{self}/meta/box")
    }

    /// `gap/box`: sequence numbers that will not be sent any more. QoS 1, not retained.
    #[must_use]
    pub fn gap(&self) -> String {
        format!("{self}/gap/box")
    }

    /// `ledger/box`: the last whole day of the blind-time ledger, minutes armed and seeing or blind and why, by
    /// camera and rule. QoS 1, retained.
    #[must_use]
    pub fn ledger(&self) -> String {
        format!("{self}/ledger/box")
    }

    /// `audit/box`: the signed head of the audit log. QoS 1, retained.
    #[must_use]
    pub fn audit(&self) -> String {
        format!("{self}/audit/box")
    }

    /// `command/<verb>`: signed requests to the box. QoS 1, never retained.
    #[must_use]
    pub fn command(&self, verb: Verb) -> String {
        format!("{self}/command/{verb}")
    }

    /// `command/+`: the filter for all commands.
    #[must_use]
    pub fn commands(&self) -> String {
        format!("{self}/command/+")
    }

    /// `reply/<verb>`: what became of a command. QoS 1, never retained.
    #[must_use]
    pub fn reply(&self, verb: Verb) -> String {
        format!("{self}/reply/{verb}")
    }

    /// `receipt/<consumer>`: what an operations centre has stored. QoS 1, best retained by the
    /// broker, so that a box that was away gets the latest.
    #[must_use]
    pub fn receipt(&self, consumer: &Segment) -> String {
        format!("{self}/receipt/{consumer}")
    }

    /// `health/box`: counters. QoS 0, never stored.
    #[must_use]
    pub fn health(&self) -> String {
        format!("{self}/health/box")
    }
}

impl fmt::Display for BoxPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}/{}/{}", Self::ROOT, self.region, self.district, self.site, self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> BoxPath {
        let id = |text: &str| text.parse().unwrap();
        BoxPath { region: id("almaty"), district: id("turksib"), site: id("school-042"), unit: id("b7f3") }
    }

    #[test]
    fn topics_are_the_contract() {
        let camera = "gate".parse().unwrap();
        let p = path();
        assert_eq!(p.alert(Severity::Critical, &camera), "karaul1/almaty/turksib/school-042/b7f3/alert/critical/gate");
        assert_eq!(
            p.open(Uuid::nil()),
            "karaul1/almaty/turksib/school-042/b7f3/open/00000000-0000-0000-0000-000000000000"
        );
        assert_eq!(p.box_status(), "karaul1/almaty/turksib/school-042/b7f3/status/box");
        assert_eq!(p.camera_status(&camera), "karaul1/almaty/turksib/school-042/b7f3/status/camera/gate");
        assert_eq!(p.birth(), "karaul1/almaty/turksib/school-042/b7f3/meta/box");
        assert_eq!(p.gap(), "karaul1/almaty/turksib/school-042/b7f3/gap/box");
        assert_eq!(p.health(), "karaul1/almaty/turksib/school-042/b7f3/health/box");
    }

    #[test]
    fn topics_of_commands_and_receipts_are_the_contract() {
        let p = path();
        assert_eq!(p.ledger(), "karaul1/almaty/turksib/school-042/b7f3/ledger/box");
        assert_eq!(p.audit(), "karaul1/almaty/turksib/school-042/b7f3/audit/box");
        assert_eq!(p.command(Verb::FalsePositive), "karaul1/almaty/turksib/school-042/b7f3/command/false_positive");
        assert_eq!(p.commands(), "karaul1/almaty/turksib/school-042/b7f3/command/+");
        assert_eq!(p.reply(Verb::Arm), "karaul1/almaty/turksib/school-042/b7f3/reply/arm");
        let consumer = "ops".parse().unwrap();
        assert_eq!(p.receipt(&consumer), "karaul1/almaty/turksib/school-042/b7f3/receipt/ops");
    }

    #[test]
    fn no_topic_has_more_than_eight_levels() {
        let camera: Segment = "gate".parse().unwrap();
        let p = path();
        for topic in [p.alert(Severity::Info, &camera), p.open(Uuid::nil()), p.camera_status(&camera)] {
            assert!(topic.split('/').count() <= 8, "{topic}");
        }
    }
}
