use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Measured values beside the thresholds they met. Times in seconds.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Why {
    /// Time in the zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell_s: Option<f64>,
    /// Time in the zone that the rule asks for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dwell_min_s: Option<f64>,
    /// `left_to_right` or `right_to_left`, seen from the line's first point towards its second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub direction: Option<String>,
    /// Best score of the track so far.
    pub score_max: f32,
    /// Score the rule asks for.
    pub score_min: f32,
    /// Findings of this rule that its cooldown held back since the last alert, or that a storm stands for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub suppressed: u32,
    /// What else was measured, beside its thresholds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub measured: Vec<Measure>,
    /// What is wrong with the camera's picture: the word that its state has as `reason`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// The point `[x, y]` of the object's box that was held against the zone or line, 0 to 1 of the picture.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<[f32; 2]>,
}

/// One value that was measured, and the limits that the rule sets it. The unit belongs to the quantity.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Measure {
    /// What was measured.
    pub what: Quantity,
    /// Its value.
    pub value: f64,
    /// The rule asks for at least so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub least: Option<f64>,
    /// The rule asks for at most so much.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<f64>,
}

/// What can be measured. Later versions add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Objects that count, at this moment.
    Count,
    /// Objects on a square metre of the ground.
    PerSquareMetre,
    /// Objects inside, by those that came in and went out.
    Inside,
    /// For how long it has been so, in seconds.
    LastedS,
    /// Time between two events, in seconds.
    IntervalS,
    /// Time without the owner, in seconds.
    OwnerAwayS,
    /// Distance on the ground in metres.
    DistanceM,
    /// Distance in heights of the object.
    DistanceHeights,
    /// Speed on the ground in km/h.
    SpeedKmh,
    /// Speed in heights of the object a second.
    SpeedHeights,
    /// Angle to the right way, in degrees.
    AngleDeg,
    /// Width of the box for each pixel of its height.
    Aspect,
    /// Height of the box for each pixel that it had when the object stood.
    HeightShare,
    /// Height of the object in metres.
    HeightM,
    /// Looks in which the object was seen, of the last few.
    Looks,
    /// Size in shares of the picture's area.
    Area,
}

impl Quantity {
    /// The word used in payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::PerSquareMetre => "per_square_metre",
            Self::Inside => "inside",
            Self::LastedS => "lasted_s",
            Self::IntervalS => "interval_s",
            Self::OwnerAwayS => "owner_away_s",
            Self::DistanceM => "distance_m",
            Self::DistanceHeights => "distance_heights",
            Self::SpeedKmh => "speed_kmh",
            Self::SpeedHeights => "speed_heights",
            Self::AngleDeg => "angle_deg",
            Self::Aspect => "aspect",
            Self::HeightShare => "height_share",
            Self::HeightM => "height_m",
            Self::Looks => "looks",
            Self::Area => "area",
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u32) -> bool {
    *n == 0
}
