use std::{
    sync::mpsc::{Receiver, Sender, channel},
    thread,
    time::{Duration, Instant},
};

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

/// One message, as a subscriber got it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Topic.
    pub topic: String,
    /// Payload.
    pub payload: Vec<u8>,
    /// It came out of the broker's store of retained messages.
    pub retained: bool,
}

/// A subscriber, QoS 1, with a persistent session: it misses nothing while the broker lives. Shows messages as
/// they are, with the retained flag; `karaul_stage::Subscriber` is for what they mean.
pub struct Subscriber {
    client: Client,
    messages: Receiver<Received>,
}

impl Subscriber {
    /// Subscribes to `filter` on 127.0.0.1, and returns when the broker has confirmed it.
    ///
    /// # Panics
    /// If it has not within five seconds.
    #[must_use]
    pub fn start(port: u16, filter: &str) -> Self {
        let name = format!("subscriber-{port}-{}", filter.len());
        let mut options = MqttOptions::new(name, "127.0.0.1", port);
        options.set_clean_session(false).set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 10);
        let (sender, messages) = channel();
        let (ready, is_ready) = channel();
        let (filter, again) = (filter.to_owned(), client.clone());
        thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Incoming(Packet::ConnAck(_))) => {
                        if again.try_subscribe(&filter, QoS::AtLeastOnce).is_err() {
                            return;
                        }
                    }
                    Ok(Event::Incoming(Packet::SubAck(_))) => _ = ready.send(()),
                    Ok(Event::Incoming(Packet::Publish(publish))) => {
                        if !forward(&sender, publish) {
                            return;
                        }
                    }
                    Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
                    Ok(_) => {}
                    Err(_) => thread::sleep(Duration::from_millis(20)),
                }
            }
        });
        is_ready.recv_timeout(Duration::from_secs(5)).expect("the broker confirms the subscription");
        Self { client, messages }
    }

    /// The next message, if one comes in time.
    #[must_use]
    pub fn next(&self, limit: Duration) -> Option<Received> {
        self.messages.recv_timeout(limit).ok()
    }

    /// All messages up to and including the first for which `last` is true.
    ///
    /// # Panics
    /// If it does not come within the limit; says what came.
    #[must_use]
    pub fn until(&self, limit: Duration, last: impl Fn(&Received) -> bool) -> Vec<Received> {
        let deadline = Instant::now() + limit;
        let mut all: Vec<Received> = Vec::new();
        while !all.last().is_some_and(&last) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.next(left) {
                Some(message) => all.push(message),
                None => panic!("it did not come within {limit:?}; these came: {all:#?}"),
            }
        }
        all
    }
}

impl Drop for Subscriber {
    fn drop(&mut self) {
        // If the queue is full the thread ends with the process.
        let _ = self.client.try_disconnect();
    }
}

fn forward(sender: &Sender<Received>, publish: rumqttc::Publish) -> bool {
    let message = Received { topic: publish.topic, payload: publish.payload.to_vec(), retained: publish.retain };
    sender.send(message).is_ok()
}
