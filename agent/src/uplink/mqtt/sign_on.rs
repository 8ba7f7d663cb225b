//! How to sign on: addresses, login, and TLS with files that may be renewed.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use rumqttc::{TlsConfiguration, Transport, tokio_native_tls::native_tls::TlsConnector};

use super::tls::Material;
use crate::{
    config::{Address, Broker},
    uplink::LinkError,
};

/// rumqttc refuses to go below (its own assertion).
pub(super) const SHORTEST_KEEP_ALIVE: Duration = Duration::from_secs(5);
/// The keep-alive is a 16-bit number of seconds on the wire.
const LONGEST_KEEP_ALIVE: Duration = Duration::from_secs(u16::MAX as u64);

/// How to sign on with any of the addresses.
pub(in crate::uplink) struct SignOn {
    broker: Broker,
    addresses: Vec<Address>,
    /// What tells the box from all other clients.
    name: String,
    tls: Mutex<Option<Tls>>,
}

/// A TLS client, made from the files as they were at some moment.
#[derive(Clone)]
pub(in crate::uplink) struct Tls {
    connector: TlsConnector,
    /// Of the files.
    pub fingerprint: [u8; 32],
    /// What is to be said about the validity of the box's certificate.
    pub validity: Option<String>,
}

/// Everything that one dial needs.
#[derive(Clone)]
pub(in crate::uplink) struct Dial {
    pub(super) broker: Broker,
    pub(super) address: Address,
    pub(super) client_id: String,
    tls: Option<TlsConnector>,
}

impl SignOn {
    /// `name` is unique for the box path, 16 characters of `[a-z0-9]`.
    ///
    /// # Errors
    /// If TLS is asked for and one of its files is no use.
    pub(in crate::uplink) fn new(broker: Broker, name: String) -> Result<Self, LinkError> {
        let sign_on = Self { addresses: broker.addresses(), broker, name, tls: Mutex::new(None) };
        if let Some(tls) = sign_on.renewed()? {
            sign_on.adopt(tls);
        }
        Ok(sign_on)
    }

    /// How many addresses there are, at least one.
    pub(in crate::uplink) fn count(&self) -> usize {
        self.addresses.len()
    }

    /// `host:port`, for messages.
    pub(in crate::uplink) fn address(&self, at: usize) -> String {
        self.addresses[at].to_string()
    }

    /// Reads the files. Returns a new TLS client if they have changed since the one in use was made.
    ///
    /// # Errors
    /// If one of them is no use.
    pub(in crate::uplink) fn renewed(&self) -> Result<Option<Tls>, LinkError> {
        if !self.broker.tls {
            return Ok(None);
        }
        let material = Material::read(&self.broker)?;
        let fingerprint = material.fingerprint();
        if let Some(tls) = self.lock().as_mut().filter(|tls| tls.fingerprint == fingerprint) {
            // Time goes on for the same certificate too.
            tls.validity = material.validity(&self.broker);
            return Ok(None);
        }
        let connector = material.connector(&self.broker)?;
        Ok(Some(Tls { connector, fingerprint, validity: material.validity(&self.broker) }))
    }

    /// From now on this one is used.
    pub(in crate::uplink) fn adopt(&self, tls: Tls) {
        *self.lock() = Some(tls);
    }

    /// What is to be said about the validity of the box's certificate.
    pub(in crate::uplink) fn validity(&self) -> Option<String> {
        self.lock().as_ref().and_then(|tls| tls.validity.clone())
    }

    /// The client id has 23 characters of `[a-z0-9-]`: what every MQTT 3.1.1 broker has to accept (section
    /// 3.1.3.1).
    pub(in crate::uplink) fn dial(&self, at: usize) -> Dial {
        self.dial_as(at, "karaul", self.lock().clone())
    }

    /// A sign-on under another name, which takes no session over: not even where two addresses lead to one broker.
    pub(in crate::uplink) fn trial(&self, at: usize, tls: Option<Tls>) -> Dial {
        let tls = tls.or_else(|| self.lock().clone());
        self.dial_as(at, "ktrial", tls)
    }

    /// A sign-on for somebody who asks a box something.
    pub(super) fn caller(&self) -> Dial {
        self.dial_as(0, "kasker", self.lock().clone())
    }

    fn dial_as(&self, at: usize, kind: &str, tls: Option<Tls>) -> Dial {
        Dial {
            broker: self.broker.clone(),
            address: self.addresses[at].clone(),
            client_id: format!("{kind}-{}", self.name),
            tls: tls.map(|tls| tls.connector),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tls>> {
        self.tls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dial {
    /// The keep-alive that is really used.
    pub(super) fn keep_alive(&self) -> Duration {
        self.broker.keep_alive.clamp(SHORTEST_KEEP_ALIVE, LONGEST_KEEP_ALIVE)
    }

    /// What rumqttc resolves: it joins host and port with a colon.
    pub(super) fn host(&self) -> String {
        let host = &self.address.host;
        // With TLS the name is also checked against the certificate, so it stays as it is.
        if host.contains(':') && !self.broker.tls { format!("[{host}]") } else { host.clone() }
    }

    pub(super) fn transport(&self) -> Transport {
        match &self.tls {
            Some(connector) => Transport::Tls(TlsConfiguration::NativeConnector(connector.clone())),
            None => Transport::Tcp,
        }
    }
}
