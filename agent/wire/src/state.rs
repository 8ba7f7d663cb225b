use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{ReplyCode, Segment, Sequence, SigningKey, Text};

/// Retained on `status/box`, and the last will.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoxStatus {
    /// Is the box there?
    pub state: BoxState,
    /// Counts the agent's connections for ever. A late last will carries an older
    /// number than a newer birth and is to be ignored.
    pub session: u64,
    /// When this was written.
    pub since: Timestamp,
    /// The last number that the box had given to an alert when this was written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<Sequence>,
    /// Names the outbox on the box's disk. Another one than before: its disk or its folder was replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outbox: Option<Uuid>,
}

/// The states of a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BoxState {
    /// Connected.
    Online,
    /// Stopped in an orderly way, or gone on to another broker, where its session number is greater.
    Stopped,
    /// The broker lost it: written by the broker as last will.
    Lost,
}

/// Retained on `status/camera/<camera>`. It holds only while the box's own
/// [`BoxStatus`] is `online`: neither an orderly stop nor a lost connection changes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraStatus {
    /// Does it see?
    pub state: CameraState,
    /// Why it does not; only with `blind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<BlindReason>,
    /// What went wrong with the stream, in a word for programs; only with `blind`, and not with every reason.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<BlindCause>,
    /// One sentence for people, without secrets; only with `blind`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// It sees, but every picture is decoded though the config asks for decoding on demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub full_decoding: Option<FullDecoding>,
    /// Since when.
    pub since: Timestamp,
    /// Rules that a command has disarmed, with the time at which they are armed again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disarmed: BTreeMap<Segment, Timestamp>,
    /// The camera looks elsewhere than when its zones and lines were drawn; only while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<MovedView>,
}

/// A view that is not the one for which zones and lines were drawn.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MovedView {
    /// Since when.
    pub moved: Timestamp,
    /// The rules whose zone or line is not where it was drawn. They go on, and their alerts say so in
    /// `location.view_moved`.
    pub rules: Vec<Segment>,
}

/// The states of a camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CameraState {
    /// Pictures arrive and are being looked at.
    Seeing,
    /// They do not.
    Blind,
    /// Switched off in the config or by a command.
    Disabled,
}

/// Why a camera is blind. Later versions may add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BlindReason {
    /// No connection, or one that was refused.
    Offline,
    /// Connected, but no pictures.
    Stalled,
    /// The lens is covered.
    Covered,
    /// Out of focus.
    Blurred,
    /// It looks elsewhere.
    Moved,
    /// Too dark to see anything.
    Dark,
    /// The same picture again and again.
    Frozen,
    /// Too much light to see anything.
    #[serde(rename = "washed-out")]
    WashedOut,
    /// Dirt on the lens, lit at night by the camera's own light.
    Dirty,
    /// Pictures come, but the detector cannot be run on them.
    Model,
}

/// What went wrong with a camera's stream. Later versions may add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BlindCause {
    /// The camera's host name cannot be resolved.
    Dns,
    /// There is no way to the camera.
    Unreachable,
    /// Nobody listens on its port.
    Refused,
    /// Nothing came within the time to connect.
    TimedOut,
    /// The secure connection failed, for example because of its certificate.
    Tls,
    /// The login is missing or wrong, or of a kind that is not supported.
    Unauthorised,
    /// It has no such stream.
    NotFound,
    /// It says no in another way, or something that cannot be understood.
    Protocol,
    /// It offers no video in a codec that is decoded.
    UnsupportedCodec,
    /// Its UDP packets do not arrive.
    UdpBlocked,
    /// Nothing comes any more.
    Stalled,
    /// Data comes, but no whole picture.
    Corrupted,
    /// The decoder gave up, or there is none.
    Decoder,
    /// The time stamps of the video jumped, and no picture came since.
    ClockJumped,
    /// The camera closed the connection.
    Ended,
    /// The agent's own video pipeline hung and was replaced.
    Stuck,
}

impl BlindCause {
    /// All causes.
    pub const ALL: [Self; 16] = [
        Self::Dns,
        Self::Unreachable,
        Self::Refused,
        Self::TimedOut,
        Self::Tls,
        Self::Unauthorised,
        Self::NotFound,
        Self::Protocol,
        Self::UnsupportedCodec,
        Self::UdpBlocked,
        Self::Stalled,
        Self::Corrupted,
        Self::Decoder,
        Self::ClockJumped,
        Self::Ended,
        Self::Stuck,
    ];

    /// The reason that it is a case of.
    #[must_use]
    pub const fn reason(self) -> BlindReason {
        match self {
            Self::Stalled | Self::Corrupted | Self::Decoder | Self::ClockJumped => BlindReason::Stalled,
            _ => BlindReason::Offline,
        }
    }
}

/// Why every picture of a camera is decoded though the config asks for decoding on demand.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FullDecoding {
    /// In a word for programs.
    pub cause: FullDecodingCause,
    /// One sentence for people, with the remedy.
    pub detail: String,
}

/// The cause in [`FullDecoding`]. Later versions may add words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FullDecodingCause {
    /// The camera sends keyframes too rarely.
    RareKeyframes,
    /// Motion does not show in the sizes of its encoded pictures.
    FlatSizes,
    /// It sends nothing but keyframes, as with Motion JPEG.
    OnlyKeyframes,
}

/// Retained on `meta/box`: what the box is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoxBirth {
    /// The session that [`BoxStatus`] counts.
    pub session: u64,
    /// Version of the agent.
    pub agent: String,
    /// Versions of what it is built on, by name.
    pub libraries: BTreeMap<String, String>,
    /// The cameras and their rules.
    pub cameras: Vec<CameraBirth>,
    /// Addresses of the schemas of this version, by message type.
    pub schemas: BTreeMap<String, String>,
    /// Kernel boot id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<Uuid>,
    /// The key that signs the audit log's head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signing_key: Option<SigningKey>,
    /// The modes that the site can be switched to, if it has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modes: Vec<Segment>,
    /// The one that it is in: rules that are not of it are not armed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Segment>,
}

/// One camera in [`BoxBirth`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraBirth {
    /// Camera id.
    pub id: Segment,
    /// Its name for people.
    pub label: Text,
    /// Stated purpose.
    pub purpose: String,
    /// Model id.
    pub model: String,
    /// SHA-256 of the model, hex.
    pub model_sha256: String,
    /// Rule ids.
    pub rules: Vec<Segment>,
}

/// Sent on `health/box` every 30 to 60 s, never stored. Counters since the agent's start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct BoxHealth {
    /// When this was written.
    pub time: Timestamp,
    /// Seconds since the agent's start.
    pub uptime_s: u64,
    /// Messages waiting in the outbox.
    pub outbox_waiting: u64,
    /// Alerts the broker has acknowledged.
    pub delivered: u64,
    /// Messages sent more than once.
    pub resent: u64,
    /// Connections to the broker that were made.
    pub connections: u64,
    /// Messages lost because neither disk nor memory had room; see [`BoxGap`].
    #[serde(default)]
    pub dropped: u64,
    /// Messages that the broker refuses; they wait and are offered again.
    #[serde(default)]
    pub held: u64,
    /// Why the disk takes no messages or no entries of the audit log at present, in sentences for people. Messages
    /// wait in memory then, and a crash would lose them; pictures are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Alerts that the broker has and the consumer has not confirmed yet; 0 without a consumer.
    #[serde(default)]
    pub unconfirmed: u64,
    /// Commands by what became of them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub commands: BTreeMap<ReplyCode, u64>,
    /// The link to the broker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkHealth>,
    /// By camera.
    pub cameras: BTreeMap<Segment, CameraCounters>,
}

/// The link in [`BoxHealth`]. Counters since the agent's start.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LinkHealth {
    /// The broker in use, `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broker: Option<String>,
    /// Times that another client took this box's session over.
    #[serde(default)]
    pub taken_over: u64,
    /// Messages for this box that were refused unread: too many, too large, retained where only the present
    /// counts, or on a topic that it did not ask for.
    #[serde(default)]
    pub ignored: u64,
    /// Times that the broker refused a message; those messages wait and are offered again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// Alerts that the broker took, saying that nobody subscribes to them: they reached nobody.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unheard: u64,
    /// Replies with a picture that the broker has acknowledged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pictures_sent: u64,
    /// Replies with a picture that were dropped: they are not kept, whoever wants one asks again.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pictures_dropped: u64,
    /// What is wrong with the link though messages flow, in sentences for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// Sent on `gap/box`, QoS 1: why there is a hole in the numbering. Nobody need wait for
/// these numbers; some of them may have arrived nevertheless.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BoxGap {
    /// When this was written.
    pub time: Timestamp,
    /// The numbers that will not be sent any more, ascending.
    pub ranges: Vec<GapRange>,
}

/// Sequence numbers from `first` to `last`, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GapRange {
    /// The first.
    pub first: Sequence,
    /// The last.
    pub last: Sequence,
}

/// Counters of one camera since the agent's start.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CameraCounters {
    /// Pictures that came out of the decoder.
    pub decoded: u64,
    /// Pictures that were looked at by the model.
    pub inferred: u64,
    /// Pictures that it should have looked at and could not, because it failed or all cores were busy
    /// with other cameras for too long.
    #[serde(default)]
    pub missed: u64,
    /// Pictures replaced by a newer one before anybody looked: the agent was too slow.
    pub overrun: u64,
    /// Pictures damaged on the way, which nobody looked at.
    pub corrupted: u64,
    /// Connections that failed or ended.
    pub reconnects: u64,
    /// Clips of incidents that were kept on the box.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clips: u64,
    /// Incidents without the clip that they should have; the log says why.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub clips_lost: u64,
}
