use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::Coding;
use super::{Clip, Login};

/// What a [`Peer`](super::Peer) does. It begins with a camera that is well; each field is a way not to be.
#[derive(Clone, Debug)]
pub struct Script {
    /// What is shown, again and again.
    pub clip: Arc<Clip>,
    /// Payload type of the video.
    pub payload_type: u8,
    /// Who may watch.
    pub login: Option<Login>,
    /// The description of the stream, instead of one that fits the clip.
    pub sdp: Option<String>,
    /// Answers to methods that are not the usual ones.
    pub answers: BTreeMap<String, Answer>,
    /// Seconds after which a session without a sign of life ends, as the viewer is told.
    pub session_limit: u32,
    /// Another UDP port than the one the viewer asked for, added to it.
    pub port_shift: u16,
    /// Number of the first packet.
    pub sequence: u16,
    /// Time stamp of the first packet.
    pub stamp: u32,
    /// How time stamps go on. May change in mid-stream.
    pub stamps: Stamps,
    /// Share of the UDP packets that are not sent, 0 to 1.
    pub loss: f64,
    /// All that is sent on one connection goes at this many bytes a second, in single bytes.
    pub drip: Option<u32>,
    /// When pictures end, and how.
    pub end: Option<(When, End)>,
}

/// An answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This status, for example `503 Service Unavailable`, and further header lines.
    Status(&'static str, Vec<String>),
    /// These bytes, with the request's `CSeq` and, over UDP, the viewer's ports put in.
    Said(String),
    /// None, ever.
    Silence,
    /// The end of the connection.
    HangUp,
    /// A description of the stream that is this many bytes long.
    Huge(usize),
    /// Header lines without an end.
    EndlessHeader,
}

/// How time stamps go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamps {
    /// With the pictures.
    Steady,
    /// With the pictures, but moved by so many ticks of 1/90000 s: a jump, when it begins.
    Moved(i32),
    /// Not at all.
    Still,
    /// Anyhow.
    Wild,
}

/// When pictures end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// So long after the answer to PLAY.
    After(Duration),
    /// When the clip was shown once.
    ClipEnd,
}

/// How pictures end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The connection stays and is silent.
    Silence,
    /// The connection is closed.
    Close,
    /// As in RTP: with a goodbye (RFC 3550, 6.6), and the connection stays.
    Bye,
    /// A TCP reset, behind one half of a packet.
    Reset,
}

impl Script {
    /// A camera that is well.
    #[must_use]
    pub fn well(clip: &Arc<Clip>) -> Self {
        Self {
            clip: Arc::clone(clip),
            payload_type: 96,
            login: None,
            sdp: None,
            answers: BTreeMap::new(),
            session_limit: 60,
            port_shift: 0,
            sequence: 1,
            stamp: 0,
            stamps: Stamps::Steady,
            loss: 0.0,
            drip: None,
            end: None,
        }
    }

    /// The same, with this answer to that method.
    #[must_use]
    pub fn answering(mut self, method: &str, answer: Answer) -> Self {
        self.answers.insert(method.to_owned(), answer);
        self
    }

    /// The description of the stream, in SDP.
    #[must_use]
    pub fn description(&self) -> String {
        let codec = match self.clip.coding {
            Coding::H264 => "H264",
            Coding::H265 => "H265",
        };
        let usual = || {
            let number = self.payload_type;
            format!(
                "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=peer\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\na=control:*\r\n\
                 m=video 0 RTP/AVP {number}\r\na=rtpmap:{number} {codec}/90000\r\na=control:track1\r\n"
            )
        };
        self.sdp.clone().unwrap_or_else(usual)
    }
}
