//! What real cameras answer, played by a scripted one: connect, describe, set up, play and see.

use std::{fs, path::Path, sync::Arc, time::Instant};

use karaul::{camera::StreamSettings, config::Transport};
use karaul_simulator::peer::{Answer, Clip, Coding, Peer, Script};
use karaul_tests::data;
use karaul_wire::BlindCause;

use crate::watched::{SOON, Told, Watched, settings};

/// Answers of one camera, by the files they are in; where one is missing, the usual one is given.
struct Family {
    describe: &'static str,
    setup: &'static str,
    play: &'static str,
    /// What is odd about them.
    quirk: &'static str,
    udp: bool,
}

const fn family(describe: &'static str, setup: &'static str, play: &'static str, quirk: &'static str) -> Family {
    Family { describe, setup, play, quirk, udp: false }
}

const FAMILIES: &[Family] = &[
    family("anjvision_describe", "", "", "a base without rtsp://; H.265; blanks in x-dimensions"),
    family("anpviz_sdp", "", "", "AAC under the number of PCMU; packetization-mode=0; no line end at the end"),
    family("bunny_describe", "bunny_setup", "bunny_play", "sound before video; a session number that changes"),
    family("bunny_describe", "bunny_setup", "bad_rtptime", "rtptime=-1"),
    family("dahua_describe_h264_aac_onvif", "dahua_setup", "dahua_play", "a query in the base; ONVIF metadata"),
    family("dahua_describe_h265_pcma", "dahua_setup", "dahua_play", "H.265 under number 98; a host name in the base"),
    family("foscam_describe", "", "", "port 65534 in the base; c=0.0.0.0"),
    family("geovision_sdp", "", "", "controls with another host; number 105; metadata"),
    family(
        "gw_main_describe",
        "gw_main_setup_video",
        "gw_main_play",
        "a query in the base; PCMU under the number of PCMA",
    ),
    family("gw_sub_describe", "gw_sub_setup", "gw_sub_play", "profile-level-id of seven digits"),
    family("h264dvr_describe", "", "h264dvr_play", "Cseq; framerate:0S; blank behind the encoding name"),
    Family {
        udp: true,
        ..family(
            "h264dvr_describe",
            "h264dvr_setup_video",
            "h264dvr_play",
            "over UDP: ssrc=0, mode=PLAY without quotes",
        )
    },
    family(
        "hikvision_describe",
        "hikvision_setup",
        "hikvision_play",
        "controls with a query; blanks before the session",
    ),
    family("hikvision_describe", "hikvision_setup_ssrc_space", "hikvision_play", "a blank in ssrc"),
    family("ipcam_describe", "", "", "no base; framerate:0S and 25"),
    family("", "", "laureii_play", "RTP-Info ends with a semicolon; seq=0"),
    family("longse_unauthorized", "", "", "401 with a digest that names no algorithm; a blank behind CSeq"),
    family("", "luckfox_rkipc_setup_tcp", "", "Transport without unicast; ssrc before interleaved"),
    Family { udp: true, ..family("", "luckfox_rkipc_setup_udp", "", "over UDP: ssrc before unicast") },
    family("macrovideo_describe", "", "", "no o=; profile-level-id in base 64"),
    family("missing_content_type_describe", "", "", "no Content-Type; a session before SETUP"),
    family("reolink_describe", "reolink_setup", "reolink_play", "no time-out of the session; destination and source"),
    family("reolink_describe_control_first", "reolink_setup", "reolink_play", "the control line first"),
    family("tplink_sdp", "", "", "m=application/TP-LINK with smart/1/90000; H.265"),
    family("ubiquiti_sdp", "", "", "two sound streams under one number; fmtp without a value"),
    family("vstarcam_describe", "", "", "Cseq; o= without a number for the user; a tab in m="),
];

/// What came of a family.
#[derive(Debug, PartialEq)]
enum Outcome {
    Seen,
    Blind(BlindCause, String),
}

#[test]
fn what_real_cameras_answer_is_understood() {
    let Some(folder) = data("rtsp-responses") else { return };
    let clip = |codec: &str| {
        Arc::new(Clip::of(&format!("/c=pattern,size=160x120,fps=10,codec={codec}").parse().unwrap(), 20).unwrap())
    };
    let clips = [clip("h264"), clip("h265")];
    let mut table = "| answers | quirk | outcome | after |\n| --- | --- | --- | --- |\n".to_owned();
    let mut unexpected = Vec::new();
    for family in FAMILIES {
        let peer = Peer::start(script(family, &folder, &clips)).unwrap();
        let transport = if family.udp { Transport::Udp } else { Transport::Tcp };
        let begun = Instant::now();
        let watched = Watched::new(StreamSettings { transport, ..settings(peer.port(), "/stream") });
        let outcome = watched.wait(SOON, |told| match told {
            Told::Seeing => Some(Outcome::Seen),
            Told::Blind(cause, detail) => Some(Outcome::Blind(cause, detail.replacen(&peer.url(), "", 1))),
            Told::Frame { .. } | Told::FullDecoding(_) => None,
        });
        let files: Vec<_> =
            [family.describe, family.setup, family.play].into_iter().filter(|file| !file.is_empty()).collect();
        let files = files.join(", ");
        let said = match &outcome {
            Outcome::Seen => "seen".to_owned(),
            Outcome::Blind(cause, detail) => format!("{cause:?}{detail}"),
        };
        table.push_str(&format!("| {files} | {} | {said} | {} ms |\n", family.quirk, begun.elapsed().as_millis()));
        if outcome != expected(family) {
            unexpected.push(files);
        }
    }
    eprintln!("{table}");
    assert_eq!(unexpected, Vec::<String>::new(), "{table}");
}

fn expected(family: &Family) -> Outcome {
    match family.describe {
        "longse_unauthorized" => Outcome::Blind(
            BlindCause::Unauthorised,
            ": the camera wants a login: set \"username\" and \"password\"; tried again only rarely, because cameras lock \
             an account after some wrong logins"
                .to_owned(),
        ),
        _ => Outcome::Seen,
    }
}

/// A camera that answers as in these files, and shows a clip of ours in the codec and under the number it names.
fn script(family: &Family, folder: &Path, clips: &[Arc<Clip>; 2]) -> Script {
    let read = |name: &str| fs::read_to_string(folder.join(format!("{name}.txt"))).unwrap();
    let mut script = Script::well(&clips[0]);
    if !family.describe.is_empty() {
        let text = read(family.describe);
        if let Some((coding, number)) = video(&text) {
            script = Script::well(&clips[usize::from(coding == Coding::H265)]);
            script.payload_type = number;
        }
        if text.starts_with("RTSP/") {
            script = script.answering("DESCRIBE", Answer::Said(text));
        } else {
            script.sdp = Some(text);
        }
    }
    if !family.setup.is_empty() {
        script = script.answering("SETUP", Answer::Said(read(family.setup)));
    }
    if !family.play.is_empty() {
        let text = read(family.play);
        // Pictures begin as the answer says.
        script.sequence = number(&text, "seq=").unwrap_or(script.sequence);
        script.stamp = number(&text, "rtptime=").unwrap_or(script.stamp);
        script = script.answering("PLAY", Answer::Said(text));
    }
    script
}

/// Coding and number of the video in a description.
fn video(sdp: &str) -> Option<(Coding, u8)> {
    let number = sdp.lines().find_map(|line| line.strip_prefix("m=video ")?.split_whitespace().nth(2)?.parse().ok())?;
    let coding = if sdp.contains(&format!("a=rtpmap:{number} H265")) { Coding::H265 } else { Coding::H264 };
    Some((coding, number))
}

fn number<T: std::str::FromStr>(text: &str, name: &str) -> Option<T> {
    let rest = text.split_once(name)?.1;
    rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())].parse().ok()
}
