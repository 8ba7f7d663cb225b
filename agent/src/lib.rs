//! Karaul.
