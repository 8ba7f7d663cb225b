//! The exact words for wrong `[camera.clips]` and `evidence_url`.

use insta::assert_snapshot;

use super::*;

#[test]
fn clips_of_incidents() {
    let folder = Folder::new();
    let clips = |line: &str| with("[camera.zone.yard]", &format!("[camera.clips]\n{line}\n[camera.zone.yard]"));
    assert_snapshot!(folder.said(&clips(r#"enabled = "yes""#)),
        @r#"site.toml:27: camera "gate", clips: enabled = "yes": true or false is wanted, not a text; for example enabled = false"#);
    assert_snapshot!(folder.said(&clips(r#"before = "2m""#)),
        @r#"site.toml:27: camera "gate", clips: before = "2m": a duration with its unit (ms, s, m, h) from 0s to 1m is wanted; for example before = "5s""#);
    assert_snapshot!(folder.said(&clips(r#"after = "0s""#)),
        @r#"site.toml:27: camera "gate", clips: after = "0s": a duration with its unit (ms, s, m, h) from 1s to 1m is wanted; for example after = "10s""#);
    assert_snapshot!(folder.said(&clips(r#"memory = "512 KiB""#)),
        @r#"site.toml:27: camera "gate", clips: memory = "512 KiB": a size with its unit (KiB, MiB, GiB) from 1 MiB to 256 MiB is wanted; for example memory = "8 MiB""#);
    assert_snapshot!(folder.said(&clips("lenght = 3")),
        @r#"site.toml:27: camera "gate", clips: lenght: there is no such key; known here: enabled, before, after, memory"#);
}

#[test]
fn the_stream_of_clips() {
    let folder = Folder::new();
    let url = |url: &str, more: &str| {
        let text = format!("evidence_url = \"{url}\"\n{more}[camera.clips]\nenabled = true\n[camera.zone.yard]");
        with("[camera.zone.yard]", &text)
    };
    assert_eq!(folder.said(&url("rtsp://192.0.2.11/stream1", "")), "");
    assert_snapshot!(folder.said(&url("rtsp://192.0.2.11/stream2", "")),
        @r#"site.toml:26: warning: camera "gate": evidence_url = "rtsp://192.0.2.11/stream2": it is the same as url, and the camera would have to send it twice; remove it: clips are then taken from url"#);
    assert_snapshot!(folder.said(&url("http://192.0.2.11/stream1", "")),
        @r#"site.toml:26: camera "gate": evidence_url = "http://192.0.2.11/stream1": http:// cannot be used here; that is the camera's web page; look its rtsp:// or rtsps:// address up in its settings"#);
    assert_snapshot!(folder.said(&url("rtsps://192.0.2.11/stream1", "transport = \"udp\"\n")),
        @r#"site.toml:27: camera "gate": transport = "udp": rtsps:// protects only what goes through its own connection, and UDP does not; remove it, or write rtsp:// in url"#);
    assert_snapshot!(folder.said(&url("rtsp://192.0.2.11/stream1", "").replace("enabled = true", "enabled = false")),
        @r#"site.toml:26: warning: camera "gate": evidence_url = "rtsp://192.0.2.11/stream1": no clips are kept, so this stream is not opened; write enabled = true into [camera.clips], or remove evidence_url"#);
}
