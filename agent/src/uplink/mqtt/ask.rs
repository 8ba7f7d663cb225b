//! One question to a box and its answer: a command goes out, the reply comes back.

use std::time::Duration;

use karaul_wire::{BoxPath, BoxState, BoxStatus, Reply, Verb};
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Outgoing, Packet, QoS, SubscribeReasonCode};
use tokio::time::{Instant, timeout, timeout_at};
use uuid::Uuid;

use super::{LARGEST_PACKET, SIGN_ON_LIMIT, SignOn, Version, failure::Failure, sign_on::Dial};
use crate::{config::Broker, uplink::LinkError};

/// A retained message comes right after the subscription.
const STATUS_LIMIT: Duration = Duration::from_secs(3);
/// Signing off is polite, not necessary.
const SIGN_OFF_LIMIT: Duration = Duration::from_secs(1);

/// A signed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its id, which the reply repeats.
    pub jti: Uuid,
    /// The token.
    pub payload: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// The broker.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// The broker's access rules.
    #[error("the broker refuses the subscription of {topic}; check its access rules for this user")]
    Subscription {
        /// What was asked for.
        topic: String,
    },
    /// No status.
    #[error(
        "the broker gave no status of a box {path} within {} s; check the path, the broker, and whether this user may \
         read {}",
        STATUS_LIMIT.as_secs(), path.box_status()
    )]
    Unknown {
        /// The box.
        path: Box<BoxPath>,
    },
    /// Not there.
    #[error("the box {path} is {state} since {since}; nothing was sent")]
    Away {
        /// The box.
        path: Box<BoxPath>,
        /// `stopped` or `lost`.
        state: &'static str,
        /// Since when.
        since: jiff::Timestamp,
    },
    /// Sent, and silence.
    #[error(
        "the box has not answered within {} s; whether the command was carried out is not known: look at its status \
         before you send another",
        limit.as_secs()
    )]
    Silent {
        /// So long was waited.
        limit: Duration,
    },
    /// Sent, and a refusal that names no command.
    #[error(
        "the box has not answered within {} s, but it has refused a command whose signature it cannot check, which \
         names none, and most likely is this one: {detail}",
        limit.as_secs()
    )]
    Unrecognised {
        /// So long was waited.
        limit: Duration,
        /// Why, in the box's words.
        detail: String,
    },
    /// The system.
    #[error("cannot run: {0}")]
    System(#[from] std::io::Error),
}

/// Signs on, sees that the box is there, sends the command that `write` makes for its present session, and waits
/// for the reply, for `limit` at most. It speaks MQTT 3.1.1, which every broker does.
///
/// # Errors
/// Why there is no reply.
pub fn ask(
    broker: &Broker,
    path: &BoxPath,
    verb: Verb,
    limit: Duration,
    write: impl FnOnce(&BoxStatus) -> Question,
) -> Result<Reply, AskError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // A client id of its own: a fixed one would throw out a colleague who asks at the same time.
        let sign_on = SignOn::new(broker.clone(), format!("{:016x}", fastrand::u64(..)))?;
        let mut caller = Caller::new(&sign_on.caller());
        caller.subscribe([path.box_status(), path.reply(verb)]).await?;
        let status = caller.status(path).await?;
        if status.state != BoxState::Online {
            let state = if status.state == BoxState::Lost { "lost" } else { "stopped" };
            return Err(AskError::Away { path: Box::new(path.clone()), state, since: status.since });
        }
        let question = write(&status);
        let reply = caller.exchange(path.command(verb), &path.reply(verb), question, limit).await?;
        caller.sign_off().await;
        Ok(reply)
    })
}

struct Caller {
    client: AsyncClient,
    poll: EventLoop,
    address: String,
    silence: Duration,
    signed_on: bool,
    /// What came in before it was waited for.
    early: Vec<(String, Vec<u8>)>,
}

impl Caller {
    fn new(dial: &Dial) -> Self {
        let mut options = MqttOptions::new(&dial.client_id, dial.host(), dial.address.port);
        options
            .set_transport(dial.transport())
            .set_keep_alive(dial.keep_alive())
            .set_clean_session(true)
            .set_max_packet_size(LARGEST_PACKET as usize, LARGEST_PACKET as usize);
        if let Some((user, password)) = &dial.broker.login {
            options.set_credentials(user, password.reveal());
        }
        let (client, mut poll) = AsyncClient::new(options, 8);
        poll.network_options.set_connection_timeout(SIGN_ON_LIMIT.as_secs());
        let silence = 2 * dial.keep_alive();
        Self { client, poll, address: dial.address.to_string(), silence, signed_on: false, early: Vec::new() }
    }

    async fn poll(&mut self) -> Result<Event, AskError> {
        match self.poll.poll().await {
            Ok(event) => Ok(event),
            Err(error) => {
                let limit = if self.signed_on { self.silence } else { SIGN_ON_LIMIT };
                Err(Failure::from(error).explain(&self.address, (Version::V311, false), self.signed_on, limit).into())
            }
        }
    }

    /// Signs on and subscribes.
    async fn subscribe(&mut self, topics: [String; 2]) -> Result<(), AskError> {
        let deadline = Instant::now() + SIGN_ON_LIMIT;
        let mut confirmed = 0;
        while confirmed < topics.len() {
            let no_answer = LinkError::NoAnswer { address: self.address.clone(), limit: SIGN_ON_LIMIT };
            match timeout_at(deadline, self.poll()).await.map_err(|_| no_answer)?? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    self.signed_on = true;
                    for topic in &topics {
                        // The queue is empty, so there is room.
                        let _ = self.client.try_subscribe(topic, QoS::AtLeastOnce);
                    }
                }
                Event::Incoming(Packet::SubAck(answer)) => {
                    if answer.return_codes.contains(&SubscribeReasonCode::Failure) {
                        let topic = topics.get(confirmed).cloned().unwrap_or_default();
                        return Err(AskError::Subscription { topic });
                    }
                    confirmed += 1;
                }
                Event::Incoming(Packet::Publish(publish)) => self.early.push((publish.topic, publish.payload.into())),
                _ => {}
            }
        }
        Ok(())
    }

    /// What the broker has retained of the box.
    async fn status(&mut self, path: &BoxPath) -> Result<BoxStatus, AskError> {
        let topic = path.box_status();
        let read = |payload: &[u8]| serde_json::from_slice::<BoxStatus>(payload).ok();
        let mut early = self.early.iter().filter(|(name, _)| *name == topic);
        if let Some(status) = early.find_map(|(_, payload)| read(payload)) {
            return Ok(status);
        }
        let wait = async {
            loop {
                if let Event::Incoming(Packet::Publish(publish)) = self.poll().await?
                    && publish.topic == topic
                    && let Some(status) = read(&publish.payload)
                {
                    return Ok(status);
                }
            }
        };
        timeout(STATUS_LIMIT, wait).await.unwrap_or_else(|_| Err(AskError::Unknown { path: Box::new(path.clone()) }))
    }

    async fn exchange(
        &mut self,
        topic: String,
        answers: &str,
        question: Question,
        limit: Duration,
    ) -> Result<Reply, AskError> {
        let Question { jti, payload } = question;
        // The queue is empty, so there is room.
        let _ = self.client.try_publish(topic, QoS::AtLeastOnce, false, payload);
        // A box repeats no id that it cannot believe, so such a reply may be about somebody else's command.
        let mut nameless = None;
        let wait = async {
            loop {
                if let Event::Incoming(Packet::Publish(publish)) = self.poll().await?
                    && publish.topic == answers
                    && let Ok(reply) = serde_json::from_slice::<Reply>(&publish.payload)
                {
                    match reply.jti {
                        Some(id) if id == jti => return Ok(reply),
                        Some(_) => {}
                        None => nameless = Some(reply.detail),
                    }
                }
            }
        };
        if let Ok(answered) = timeout(limit, wait).await {
            return answered;
        }
        Err(match nameless {
            Some(detail) => AskError::Unrecognised { limit, detail },
            None => AskError::Silent { limit },
        })
    }

    async fn sign_off(&mut self) {
        let _ = self.client.try_disconnect();
        let wait = async {
            // The acknowledgement of the reply goes out before it.
            while !matches!(self.poll().await, Err(_) | Ok(Event::Outgoing(Outgoing::Disconnect))) {}
        };
        let _ = timeout(SIGN_OFF_LIMIT, wait).await;
    }
}
