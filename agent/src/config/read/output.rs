use karaul_wire::BoxPath;

use super::{
    table::Table,
    value::{flag, topic_prefix},
};
use crate::config::{HomeAssistant, Onvif, Output};

pub(super) fn output(table: &Table<'_>, path: Option<&BoxPath>) -> Option<Output> {
    let onvif = table.child("onvif").and_then(|table| {
        let enabled = table.get("enabled", flag);
        let prefix = table.get("prefix", topic_prefix);
        // Ids have no dots, so no two boxes have the same.
        let usual = |path: &BoxPath| format!("{}.{}.{}.{}", path.region, path.district, path.site, path.unit);
        let prefix = prefix.or_else(|| path.map(usual))?;
        Some(enabled?.then_some(Onvif { prefix }))
    });
    let home_assistant = table.child("home_assistant").and_then(|table| {
        let enabled = table.get("enabled", flag);
        let discovery_prefix = table.get("discovery_prefix", topic_prefix)?;
        Some(enabled?.then_some(HomeAssistant { discovery_prefix }))
    });
    Some(Output { onvif: onvif?, home_assistant: home_assistant? })
}
