//! Would a sign-on succeed?

use std::time::Duration;

use tokio::time::timeout;

use super::{Connection, Dial, Event, Version, connect};
use crate::uplink::LinkError;

/// The broker has said yes; the sign-off is a matter of politeness.
const SIGN_OFF_LIMIT: Duration = Duration::from_secs(2);

/// Signs on and off again, with either version. It has no will and publishes nothing, so nobody notices but the
/// broker's log.
///
/// # Errors
/// Why it failed, with the version tried last.
pub(in crate::uplink) async fn trial(dial: Dial) -> Result<(), LinkError> {
    match trial_with(&dial, Version::V5).await {
        Err(error) if error.may_be_the_version() => trial_with(&dial, Version::V311).await,
        result => result,
    }
}

async fn trial_with(dial: &Dial, version: Version) -> Result<(), LinkError> {
    let (client, mut connection) = connect(dial, version, None);
    while !matches!(connection.poll().await?, Event::SignedOn { .. }) {}
    if client.sign_off() {
        // Whether it got there does not matter any more.
        let _ = timeout(SIGN_OFF_LIMIT, signed_off(&mut connection)).await;
    }
    Ok(())
}

async fn signed_off(connection: &mut Connection) {
    while !matches!(connection.poll().await, Ok(Event::SignedOff) | Err(_)) {}
}
