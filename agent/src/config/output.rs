/// `[output]`: what is published besides Karaul's own messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// `[output.onvif]`, if it is enabled.
    pub onvif: Option<Onvif>,
    /// `[output.home_assistant]`, if it is enabled.
    pub home_assistant: Option<HomeAssistant>,
}

/// `[output.onvif]`: incidents as ONVIF events over MQTT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onvif {
    /// `prefix`: unique for the box.
    pub prefix: String,
}

/// `[output.home_assistant]`: rules and cameras as entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeAssistant {
    /// `discovery_prefix`, as Home Assistant has it.
    pub discovery_prefix: String,
}
