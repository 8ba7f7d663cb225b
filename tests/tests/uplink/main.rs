//! The outbox and the link against real and scripted brokers.

mod agent;
mod broker;
mod network;
mod script;
mod scripted;
mod tls;
