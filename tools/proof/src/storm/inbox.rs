//! How receipts reach the outbox in the storm's agent.

use std::{sync::Arc, thread, time::Duration};

use karaul::uplink::Outbox;
use karaul_wire::{BoxPath, Receipt};
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

use crate::rig;

/// Subscribes to the receipts of the operations centre with a client of its own and hands them to the outbox, for
/// as long as the process lives.
pub(super) fn heed(port: u16, path: &BoxPath, outbox: Arc<Outbox>) {
    let mut options = MqttOptions::new("inbox", "127.0.0.1", port);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, 10);
    let topic = path.receipt(&rig::id(rig::CONSUMER));
    thread::spawn(move || {
        for event in connection.iter() {
            match event {
                Ok(Event::Incoming(Packet::ConnAck(_))) => {
                    if client.try_subscribe(&topic, QoS::AtLeastOnce).is_err() {
                        return;
                    }
                }
                Ok(Event::Incoming(Packet::Publish(publish))) => {
                    match serde_json::from_slice::<Receipt>(&publish.payload) {
                        Ok(receipt) => outbox.receipt(&receipt),
                        Err(error) => eprintln!("not a receipt: {error}"),
                    }
                }
                Ok(_) => {}
                Err(_) => thread::sleep(Duration::from_millis(20)),
            }
        }
    });
}
