use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The kinds of rule. Later versions add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RuleKind {
    /// An object of given classes stays in a zone for at least the dwell time.
    Intrusion,
    /// An object crosses a line in a given direction.
    LineCrossing,
    /// An object stays about in a zone for long.
    Loitering,
    /// Many objects in a zone.
    Crowd,
    /// More came in over a line than went out, than there is room for.
    Occupancy,
    /// Nobody, or too few, in a zone where somebody has to be.
    Absence,
    /// Something was put down and its owner has gone.
    AbandonedObject,
    /// Something that stood in a zone is gone.
    RemovedObject,
    /// An object moves against the right way.
    WrongWay,
    /// An object is too fast.
    Speed,
    /// A person runs.
    Running,
    /// A vehicle stands where none may.
    StoppedVehicle,
    /// Two cross a line, one closely after the other.
    Tailgating,
    /// A person lies on the ground.
    PersonDown,
    /// An object of a class that must not be there is seen.
    ObjectSeen,
    /// Several stand together.
    Group,
    /// One rule of the camera fired, and then another.
    Sequence,
    /// The picture is covered, turned away, blurred, frozen …
    CameraTampering,
    /// The camera gives no pictures.
    CameraLoss,
    /// No rule of a camera: the box itself found that a scheduled test was not confirmed. Open until one is.
    DeliveryTest,
}

impl RuleKind {
    /// All kinds that a config may have.
    pub const ALL: [Self; 19] = [
        Self::Intrusion,
        Self::LineCrossing,
        Self::Loitering,
        Self::Crowd,
        Self::Occupancy,
        Self::Absence,
        Self::AbandonedObject,
        Self::RemovedObject,
        Self::WrongWay,
        Self::Speed,
        Self::Running,
        Self::StoppedVehicle,
        Self::Tailgating,
        Self::PersonDown,
        Self::ObjectSeen,
        Self::Group,
        Self::Sequence,
        Self::CameraTampering,
        Self::CameraLoss,
    ];

    /// The word used in configs and payloads.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Intrusion => "intrusion",
            Self::LineCrossing => "line_crossing",
            Self::Loitering => "loitering",
            Self::Crowd => "crowd",
            Self::Occupancy => "occupancy",
            Self::Absence => "absence",
            Self::AbandonedObject => "abandoned_object",
            Self::RemovedObject => "removed_object",
            Self::WrongWay => "wrong_way",
            Self::Speed => "speed",
            Self::Running => "running",
            Self::StoppedVehicle => "stopped_vehicle",
            Self::Tailgating => "tailgating",
            Self::PersonDown => "person_down",
            Self::ObjectSeen => "object_seen",
            Self::Group => "group",
            Self::Sequence => "sequence",
            Self::CameraTampering => "camera_tampering",
            Self::CameraLoss => "camera_loss",
            Self::DeliveryTest => "delivery_test",
        }
    }

    /// The nearest event topic of ONVIF (Analytics Service Specification, Imaging Service Specification for the camera's own).
    #[must_use]
    pub const fn onvif(self) -> Option<&'static str> {
        match self {
            Self::Intrusion => Some("tns1:RuleEngine/FieldDetector/ObjectsInside"),
            Self::LineCrossing => Some("tns1:RuleEngine/LineDetector/Crossed"),
            Self::Loitering => Some("tns1:RuleEngine/LoiteringDetector/ObjectIsLoitering"),
            Self::Crowd | Self::Occupancy => Some("tns1:RuleEngine/CountAggregation/Counter"),
            Self::CameraTampering => Some("tns1:VideoSource/GlobalSceneChange/AnalyticsService"),
            Self::CameraLoss => Some("tns1:VideoSource/SignalLoss"),
            _ => None,
        }
    }

    /// Whether it is about a moment, and not about something that lasts.
    #[must_use]
    pub const fn is_moment(self) -> bool {
        matches!(self, Self::LineCrossing | Self::Tailgating | Self::Sequence)
    }
}
