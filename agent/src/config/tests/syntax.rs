//! Files that are not TOML, or not files, and what is folder of many mistakes at once.

use insta::assert_snapshot;

use super::*;

#[test]
fn what_is_not_toml() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, "id = gate")),
        @r#"site.toml:19: gate stands without quotes; write "gate""#);
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, "id = “gate”")),
        @r#"site.toml:19: “gate” stands in typographic quotes; write "gate""#);
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, r#"id = "gate"#)),
        @r#"site.toml:19: a text does not end on its line; add the closing quote"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, r#"id = "yard""#)),
        @r#"site.toml:20: id is written twice in this table; remove one of the two"#);
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, r#"id: "gate""#)),
        @r#"site.toml:19: this is no line of the form key = value; write key = value, and comments after a #"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, "enabled = True")),
        @r#"site.toml:20: True is not TOML; write true or false, in small letters"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, "detections_per_second = 2,5")),
        @r#"site.toml:20: a comma stands after the value; write fractions with a point, as in 1.5, and no comma at the end"#);
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, r#"id = "gate" enabled = true"#)),
        @r#"site.toml:19: something stands after the value; write each key on a line of its own"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "dwell = 2s")),
        @r#"site.toml:36: 2s stands without quotes; write "2s""#);
    assert_snapshot!(folder.said(&with("[[camera]]", "[[camera]")),
        @r#"site.toml:18: a header does not end; close it with as many ] as it has ["#);
    assert_snapshot!(folder.said(&with("[[camera]]", "[camera]")),
        @r#"site.toml:18: camera: a list of tables is wanted, not a table; write [[camera]], with double brackets"#);
    assert_snapshot!(folder.said(&with("[0.05, 0.98]]", "[0.05, 0.98]")),
        @r#"site.toml:29: the list before this place does not end; close it with as many ] as it has [, and put commas between its items"#);
    assert_snapshot!(folder.said(&with("[0.9, 0.4], ", "[0.9, 0.4] ")),
        @r#"site.toml:27: a comma is missing between two items; separate them by commas, and end the list"#);
    assert_snapshot!(folder.said(&with(r#"model = "yard-nano""#, r#"model = "C:\yard""#)),
        @r#"site.toml:23: a backslash in a text must be doubled; write \\, or use single quotes"#);
    assert_snapshot!(folder.said(&with(r#"credential:gate""#, "swordfish")),
        @r#"site.toml:22: a text does not end on its line; add the closing quote"#);
    assert_snapshot!(folder.said("Dear installer,\nplease see attached.\n"),
        @r#"
    site.toml:1: this is no line of the form key = value; write key = value, and comments after a #
    site.toml:2: this is no line of the form key = value; write key = value, and comments after a #
    "#);
    assert_snapshot!(folder.said(""),
        @r#"
    site.toml:1: [site] is missing; add [site] with region = "almaty", district = "turksib", name = "school-042", box = "b7f3", time_zone = "Asia/Almaty"
    site.toml:1: [broker] is missing; add [broker] with url = "mqtts://ops.example.org"
    site.toml:1: there is no camera; add [[camera]] with id, url, model and purpose
    "#);
}

/// One slip of the pen does not hide the other mistakes, and makes up none.
#[test]
fn broken_lines_beside_other_mistakes() {
    let folder = Folder::new();
    let text = with(r#"id = "gate""#, "id = gate").replace("\"yard\"", "\"yrad\"").replace("[\"kk\"", "[\"kz\"");
    assert_snapshot!(folder.said(&text),
        @r#"
    site.toml:7: [site]: "kz" in languages: one of "kk", "ru", "en" is wanted; did you mean "kk"?
    site.toml:19: gate stands without quotes; write "gate"
    site.toml:35: camera "gate", rule "night-intrusion": zone = "yrad": this camera has no such zone; did you mean "yard"?
    "#);
    let text = text.replace("id = gate", "id gate");
    assert_snapshot!(folder.said(&text),
        @r#"
    site.toml:7: [site]: "kz" in languages: one of "kk", "ru", "en" is wanted; did you mean "kk"?
    site.toml:19: this is no line of the form key = value; write key = value, and comments after a #
    "#);
    let log = "12:00:00 INFO started\n".repeat(30_000);
    assert_eq!(folder.said(&log).lines().count(), 21);
    assert_snapshot!(folder.said(&log).lines().last().unwrap(),
        @r#"site.toml:20: 20 lines of this file are not TOML, so the rest is not looked at; name a config file"#);
}

/// Ten mistakes, all told at once, and the password in none of it.
const TEN: &str = r#"[site]
region = "Almaty"
district = "turksib"
name = "school-042"
box = "b7f3"
time_zone = "Asia/Alma-Ata"
languages = ["kz", "ru"]

[broker]
url = "mqtt//ops.example.org"

[inference]
models = "models"

[[camera]]
id = "gate"
url = "rtsp://admin:Sw0rdf1sh@192.0.2.11/stream2"
pasword = "Sw0rdf1sh"
model = "yard-nan"
purpose = "school-safety"

[camera.zone.yard]
points = [[64, 200], [0.9, 0.4], [0.95, 0.98], [0.05, 0.98]]

[[camera.rule]]
id = "night-intrusion"
kind = "intrusion"
zone = "yrad"
classes = ["person"]
dwell = 2
schedule = "after-hours"
"#;

#[test]
fn ten_mistakes() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(TEN),
        @r#"
    site.toml:2: [site]: region = "Almaty": an id of 1 to 32 of a-z, 0-9 and '-' is wanted; did you mean "almaty"?
    site.toml:6: [site]: time_zone = "Asia/Alma-Ata": there is no such time zone; did you mean "Asia/Almaty"?
    site.toml:7: [site]: "kz" in languages: one of "kk", "ru", "en" is wanted; did you mean "kk"?
    site.toml:10: [broker]: url = "mqtt//ops.example.org": the address does not begin with mqtt:// or mqtts://; write mqtt://HOST or mqtts://HOST
    site.toml:17: camera "gate": url = "rtsp://********@192.0.2.11/stream2": user and password do not belong into an address; take the login out of it and write username = "…" and password = "file:PATH" or "credential:NAME"
    site.toml:18: camera "gate": pasword: there is no such key; did you mean "password"?
    site.toml:19: camera "gate": model = "yard-nan": there is no such model in the folder models; did you mean "yard-nano"?
    site.toml:23: camera "gate", zone "yard": [64, 200] in points: x and y go from 0 to 1, from the picture's top left; if these are pixels, divide x by the picture's width and y by its height
    site.toml:28: camera "gate", rule "night-intrusion": zone = "yrad": this camera has no such zone; did you mean "yard"?
    site.toml:30: camera "gate", rule "night-intrusion": dwell = 2: a duration with its unit (ms, s, m, h) from 0s to 1h is wanted, not a bare number; write dwell = "2s" if you mean seconds
    site.toml:31: camera "gate", rule "night-intrusion": schedule = "after-hours": there is no such schedule; add [schedule.after-hours], or remove the line to arm the rule always
    "#);
}

#[test]
fn a_terminal_gets_excerpts() {
    let folder = Folder::new();
    let problems = folder.read(TEN, Secrets::Required).problems;
    assert_snapshot!(folder.without_folder(&problems.fancy(false, 100)));
}

#[test]
fn files_that_cannot_be_read() {
    let folder = Folder::new();
    let said = |path: &str| {
        let outcome = Config::read(&folder.path(path), Secrets::Required);
        assert_eq!(outcome.config, None);
        folder.without_folder(&outcome.problems.to_string())
    };
    assert_snapshot!(said("gone.toml"),
        @r#"gone.toml: the file cannot be read: No such file or directory (os error 2); name an existing TOML file that this user may read"#);
    assert_snapshot!(said("models"),
        @r#"models: this is not a file; name an existing TOML file that this user may read"#);
    fs::write(folder.path("latin.toml"), b"[site]\nname = \"\xe9cole\"\n").unwrap();
    assert_snapshot!(said("latin.toml"),
        @r#"latin.toml: line 2 is not UTF-8 text; save it as UTF-8"#);
}
