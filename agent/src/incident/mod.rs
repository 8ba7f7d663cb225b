//! incident.
