use std::path::PathBuf;

use jiff::civil::Date;
use karaul_wire::{GapRange, Order, Segment, Sequence};
use uuid::Uuid;

/// What to do, in the words of the wire.
#[derive(Debug, clap::Subcommand)]
#[command(rename_all = "snake_case")]
pub(super) enum What {
    /// Makes a pair of keys: the private one in a new file, the public one as lines for a config
    Keygen {
        /// File for the private key, named by the key's id: duty-desk.key
        file: PathBuf,
    },
    /// A person has taken the incident
    Acknowledge {
        /// The incident
        incident: Uuid,
    },
    /// The incident is over: close it
    Resolve {
        /// The incident
        incident: Uuid,
    },
    /// The incident was none: close it
    FalsePositive {
        /// The incident
        incident: Uuid,
    },
    /// Ends what disarm began
    Arm {
        /// Only this camera
        #[arg(long)]
        camera: Option<Segment>,
        /// Only this rule
        #[arg(long)]
        rule: Option<Segment>,
    },
    /// No alerts, for a while
    Disarm {
        /// Only this camera
        #[arg(long)]
        camera: Option<Segment>,
        /// Only this rule
        #[arg(long)]
        rule: Option<Segment>,
        /// For so long
        #[arg(long)]
        seconds: u32,
    },
    /// Opens and closes an incident that is marked as a test
    TestIncident {
        /// The camera that pretends to have seen it
        camera: Segment,
        /// The rule that pretends to have fired; otherwise the camera's first
        #[arg(long)]
        rule: Option<Segment>,
    },
    /// Sends alerts again
    Replay {
        /// Their numbers: 7, or 5-9
        #[arg(required = true, value_parser = range)]
        ranges: Vec<GapRange>,
    },
    /// The present picture of a camera, or one kept with an incident
    Snapshot {
        /// The camera, for its present picture
        #[arg(long, required_unless_present = "evidence")]
        camera: Option<Segment>,
        /// The id of an alert's evidence, for a picture that is kept
        #[arg(long, conflicts_with = "camera")]
        evidence: Option<Uuid>,
        /// What the picture is needed for, as the law wants it stated
        #[arg(long)]
        purpose: String,
    },
    /// Reads the config file anew
    Reload,
    /// Switches a camera on or off
    CameraEnable {
        /// The camera
        camera: Segment,
        /// On
        #[arg(long, required_unless_present = "off")]
        on: bool,
        /// Off
        #[arg(long, conflicts_with = "on")]
        off: bool,
    },
    /// Days of the blind-time ledger, as far as the box has them
    Ledger {
        /// The first, as in 2026-11-22
        first: Date,
        /// The last; without it only the first
        last: Option<Date>,
    },
    /// Puts the site into one of its modes
    Mode {
        /// The mode, as in night
        mode: Segment,
    },
}

impl What {
    /// What is asked of the box.
    pub(super) fn order(&self) -> Result<Order, String> {
        Ok(match self {
            Self::Keygen { .. } => return Err("keygen is nothing that a box could do".to_owned()),
            Self::Acknowledge { incident } => Order::Acknowledge { incident: *incident },
            Self::Resolve { incident } => Order::Resolve { incident: *incident },
            Self::FalsePositive { incident } => Order::FalsePositive { incident: *incident },
            Self::Arm { camera, rule } => Order::Arm { camera: camera.clone(), rule: rule.clone() },
            Self::Disarm { camera, rule, seconds } => {
                Order::Disarm { camera: camera.clone(), rule: rule.clone(), seconds: *seconds }
            }
            Self::TestIncident { camera, rule } => Order::TestIncident { camera: camera.clone(), rule: rule.clone() },
            Self::Replay { ranges } => Order::Replay { ranges: ranges.clone() },
            Self::Snapshot { camera, evidence, purpose } => {
                Order::Snapshot { camera: camera.clone(), evidence: *evidence, purpose: purpose.clone() }
            }
            Self::Reload => Order::Reload {},
            Self::CameraEnable { camera, on, .. } => Order::CameraEnable { camera: camera.clone(), enabled: *on },
            Self::Ledger { first, last } => Order::Ledger { first: *first, last: *last },
            Self::Mode { mode } => Order::Mode { mode: mode.clone() },
        })
    }
}

fn range(text: &str) -> Result<GapRange, String> {
    let number = |text: &str| text.parse::<u64>().map_err(|_| format!("{text:?} is no number; write 7, or 5-9"));
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(format!("{text}: the first number is greater than the last"));
    }
    Ok(GapRange { first: Sequence(first), last: Sequence(last) })
}
