//! The exact words for wrong configs, in the plain form: what installers will search for.

use insta::assert_snapshot;

use super::*;

#[test]
fn keys() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with(r#"purpose = "school-safety""#, r#"purpos = "school-safety""#)),
        @r#"site.toml:24: camera "gate": purpos: there is no such key; did you mean "purpose"?"#);
    assert_snapshot!(folder.said(&with(r#"box = "b7f3""#, "")),
        @r#"site.toml:1: [site]: box is missing; add box = "b7f3""#);
    assert_snapshot!(folder.said(&with("[site]", "[sites]")),
        @r#"site.toml:1: sites: there is no such key; did you mean [site]?"#);
    assert_snapshot!(folder.said(&with("[broker]\nurl = \"mqtts://ops.example.org\"", "")),
        @r#"site.toml:1: [broker] is missing; add [broker] with url = "mqtts://ops.example.org""#);
    assert_snapshot!(folder.said(&plus(r#"username = "viewer""#, r#"classes = ["person"]"#)),
        @r#"site.toml:22: camera "gate": classes: there is no such key; it belongs to [[camera.rule]]: write it right below that header"#);
    assert_snapshot!(folder.said(&with("points = [[0.1, 0.4]", "model = \"yard-nano\"\npoints = [[0.1, 0.4]")),
        @r#"site.toml:27: camera "gate", zone "yard": model: there is no such key; it belongs to [[camera]]: write it right below that header"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, r#"direction = "either""#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": direction belongs to rules of kind "line_crossing", "tailgating", not "intrusion"; remove it, or change kind"#);
    assert_snapshot!(folder.said(&with(r#"line = "fence""#, "dwell = \"2s\"\nline = \"fence\"")),
        @r#"site.toml:42: camera "gate", rule "fence-crossing": dwell does not belong to rules of kind "line_crossing"; remove it, or change kind"#);
    assert_snapshot!(folder.said(&plus("[broker]", "port = 1883")),
        @r#"site.toml:10: [broker]: port: there is no such key; known here: url, fallback, ca_file, certificate, key, username, password, keep_alive, delivery, consumer, backlog_rate"#);
    assert_snapshot!(folder.said(&with("[inference]", "[interference]")),
        @r#"site.toml:12: interference: there is no such key; did you mean [inference]?"#);
}

#[test]
fn who_confirms_alerts() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&plus("[broker]", r#"delivery = "receipt""#)),
        @r#"site.toml:10: [broker]: delivery = "receipt": nobody is named who confirms the alerts; name the operations centre's consumer, as in consumer = "ops""#);
    assert_snapshot!(folder.said(&plus("[broker]", r#"consumer = "ops""#)),
        @r#"site.toml:10: [broker]: consumer = "ops": nobody waits for its receipts; write delivery = "receipt", or remove consumer"#);
    assert_snapshot!(folder.said(&plus("[broker]", r#"delivery = "acknowledge""#)),
        @r#"site.toml:10: [broker]: delivery = "acknowledge": one of "puback", "receipt" is wanted; for example delivery = "puback""#);
    assert_eq!(folder.said(&plus("[broker]", "delivery = \"receipt\"\nconsumer = \"ops\"")), "");
}

#[test]
fn when_tests_are() {
    let folder = Folder::new();
    let test = |line: &str| with("[inference]", &format!("[test]\n{line}\n[inference]"));
    assert_snapshot!(folder.said(&test(r#"at = "8:00""#)),
        @r#"site.toml:13: [test]: at = "8:00": a time of day in quotes, hours:minutes is wanted; for example at = "08:00""#);
    assert_snapshot!(folder.said(&test(r#"at = "24:00""#)),
        @r#"site.toml:13: [test]: at = "24:00": a time of day in quotes, hours:minutes is wanted; for example at = "08:00""#);
    assert_snapshot!(folder.said(&test("at = 8")),
        @r#"site.toml:13: [test]: at = 8: a time of day in quotes, hours:minutes is wanted, not a whole number; for example at = "08:00""#);
    assert_snapshot!(folder.said(&test(r#"within = "1s""#)),
        @r#"site.toml:13: [test]: within = "1s": a duration with its unit (ms, s, m, h) from 5s to 1h is wanted; for example within = "5m""#);
    assert_eq!(folder.said(&test("at = \"08:00\"\nwithin = \"1m\"")), "");
}

#[test]
fn values_of_the_wrong_type() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with(r#"region = "almaty""#, "region = 7")),
        @r#"site.toml:2: [site]: region = 7: an id of 1 to 32 of a-z, 0-9 and '-' is wanted, not a whole number; for example region = "almaty""#);
    assert_snapshot!(folder.said(&with(r#"classes = ["person"]"#, r#"classes = "person""#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": classes = "person": a list of texts in quotes is wanted, not a text; for example classes = ["person"]"#);
    assert_snapshot!(folder.said(&with(r#"classes = ["person"]"#, r#"classes = ["person", 3]"#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": 3 in classes: a text in quotes is wanted, not a whole number; for example classes = ["person"]"#);
    assert_snapshot!(folder.said(&with(r#"classes = ["person"]"#, "classes = []")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": classes = []: the list is empty; for example classes = ["person"]"#);
    assert_snapshot!(folder.said(&with(r#"zone = "yard""#, r#"zone = ["yard"]"#)),
        @r#"site.toml:35: camera "gate", rule "night-intrusion": zone = ["yard"]: a text in quotes is wanted, not a list; for example zone = "yard""#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "dwell = 2")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": dwell = 2: a duration with its unit (ms, s, m, h) from 0s to 1h is wanted, not a bare number; write dwell = "2s" if you mean seconds"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "cooldown = 00:30:00")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": cooldown = 00:30:00: a duration with its unit (ms, s, m, h) from 0s to 24h is wanted, not a date or time without quotes; for example cooldown = "10s""#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, r#"enabled = "yes""#)),
        @r#"site.toml:20: camera "gate": enabled = "yes": true or false is wanted, not a text; for example enabled = true"#);
    assert_snapshot!(folder.said(&with("[broker]", "[[broker]]")),
        @r#"site.toml:9: broker: a table is wanted, not a list; write [broker] once, with single brackets"#);
    assert_snapshot!(folder.said(&format!("camera = []\n{}", &SITE[..SITE.find("[[camera]]").unwrap()])),
        @r#"site.toml:1: there is no camera; add [[camera]] with id, url, model and purpose"#);
    assert_snapshot!(folder.said(&format!("camera = 3\n{}", &SITE[..SITE.find("[[camera]]").unwrap()])),
        @r#"site.toml:1: camera: a list of tables is wanted, not a whole number; write [[camera]], with double brackets"#);
    assert_snapshot!(folder.said(&with("[camera.zone.yard]\n", "[camera.zone]\n")),
        @r#"site.toml:27: camera "gate", zone "points": a table is wanted, not a list; write it below a header with an id, [camera.zone.<id>]"#);
    assert_snapshot!(folder.said(&with("[schedule.after-hours]\n", "[schedule]\n")),
        @r#"site.toml:16: schedule "weekdays": a table is wanted, not a list; write it below a header with an id, [schedule.<id>]"#);
    assert_snapshot!(folder.said(with("[[camera.rule]]\nid = \"night-intrusion\"", "[camera.rule]\nid = \"night-intrusion\"").split_once("\n[[camera.rule]]").unwrap().0),
        @r#"site.toml:32: camera "gate": rule: a list of tables is wanted, not a table; write [[camera.rule]], with double brackets"#);
    assert_snapshot!(folder.said(&with("[inference]", "[[inference]]")),
        @r#"site.toml:12: inference: a table is wanted, not a list; write [inference] once, with single brackets"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, r#"label = "Gate""#)),
        @r#"site.toml:20: camera "gate": label: a table is wanted, not a text; for example label = { kk = "Қақпа", ru = "Ворота" }"#);
    assert_snapshot!(folder.said(&with("[camera.zone.yard]\npoints = ", "[camera.zone]\nyard = ")),
        @r#"site.toml:27: camera "gate", zone "yard": a table is wanted, not a list; write [camera.zone.yard] and below it points = [[0.1, 0.4], [0.9, 0.4], [0.9, 1.0], [0.1, 1.0]]"#);
}

#[test]
fn ranges_and_units() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, r#"dwell = "2 seconds""#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": dwell = "2 seconds": a duration with its unit (ms, s, m, h) from 0s to 1h is wanted; for example dwell = "1s""#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, r#"dwell = "2h""#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": dwell = "2h": a duration with its unit (ms, s, m, h) from 0s to 1h is wanted; for example dwell = "1s""#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, "detections_per_second = 100")),
        @r#"site.toml:20: camera "gate": detections_per_second = 100: a number from 1 to 30 is wanted; for example detections_per_second = 5.0"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "min_score = 50")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": min_score = 50: a number from 0 to 1 is wanted; for example min_score = 0.5"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "min_score = nan")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": min_score = nan: a number from 0 to 1 is wanted; for example min_score = 0.5"#);
    assert_snapshot!(folder.said(&with("[inference]", "[storage]\noutbox_quota = \"64\"\n[inference]")),
        @r#"site.toml:13: [storage]: outbox_quota = "64": a size with its unit (KiB, MiB, GiB) from 1 MiB to 1 TiB is wanted; for example outbox_quota = "256 MiB""#);
    assert_snapshot!(folder.said(&with("[inference]", "[storage]\noutbox_quota = \"64 KiB\"\n[inference]")),
        @r#"site.toml:13: [storage]: outbox_quota = "64 KiB": a size with its unit (KiB, MiB, GiB) from 1 MiB to 1 TiB is wanted; for example outbox_quota = "256 MiB""#);
    assert_snapshot!(folder.said(&plus("[inference]", "sessions = 0")),
        @r#"site.toml:13: [inference]: sessions = 0: a whole number from 1 to 64 is wanted; for example sessions = 2"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "min_size = [40, 80]")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": min_size = [40, 80]: width and height go from 0 to 1, as shares of the picture's; if these are pixels, divide x by the picture's width and y by its height"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "min_size = [0.3, 0.3]\nmax_size = [0.5, 0.2]")),
        @r#"site.toml:37: camera "gate", rule "night-intrusion": max_size = [0.5, 0.2]: min_size is greater than max_size, so no object fits; write the smaller one in min_size"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "max_size = [0.0, 0.2]")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": max_size = [0.0, 0.2]: no object is that small, so none fits; write how big an object may be at most"#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, "min_size = 0.1")),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": min_size = 0.1: a list of width and height, both from 0 to 1 is wanted; for example min_size = [0.02, 0.05]"#);
    assert_snapshot!(folder.said(&with(r#"purpose = "school-safety""#, r#"purpose = " ""#)),
        @r#"site.toml:24: camera "gate": purpose = " ": a text that is not blank is wanted; for example purpose = "school-safety""#);
}

#[test]
fn words() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with(r#"kind = "intrusion""#, r#"kind = "intruson""#)),
        @r#"site.toml:34: camera "gate", rule "night-intrusion": kind = "intruson": one of "intrusion", "line_crossing", "loitering", "crowd", "occupancy", "absence", "abandoned_object", "removed_object", "wrong_way", "speed", "running", "stopped_vehicle", "tailgating", "person_down", "object_seen", "group", "sequence", "camera_tampering", "camera_loss" is wanted; did you mean "intrusion"?"#);
    assert_snapshot!(folder.said(&with(r#"kind = "line_crossing""#, r#"kind = "line-crossing""#)),
        @r#"site.toml:41: camera "gate", rule "fence-crossing": kind = "line-crossing": one of "intrusion", "line_crossing", "loitering", "crowd", "occupancy", "absence", "abandoned_object", "removed_object", "wrong_way", "speed", "running", "stopped_vehicle", "tailgating", "person_down", "object_seen", "group", "sequence", "camera_tampering", "camera_loss" is wanted; did you mean "line_crossing"?"#);
    assert_snapshot!(folder.said(&with(r#"kind = "intrusion""#, r#"kind = "fire""#)),
        @r#"site.toml:34: camera "gate", rule "night-intrusion": kind = "fire": one of "intrusion", "line_crossing", "loitering", "crowd", "occupancy", "absence", "abandoned_object", "removed_object", "wrong_way", "speed", "running", "stopped_vehicle", "tailgating", "person_down", "object_seen", "group", "sequence", "camera_tampering", "camera_loss" is wanted; for example kind = "intrusion""#);
    assert_snapshot!(folder.said(&plus(r#"zone = "yard""#, r#"severity = "Critical""#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": severity = "Critical": one of "info", "warning", "critical" is wanted; did you mean "critical"?"#);
    assert_snapshot!(folder.said(&plus(r#"line = "fence""#, r#"direction = "left""#)),
        @r#"site.toml:43: camera "gate", rule "fence-crossing": direction = "left": one of "left-to-right", "right-to-left", "either" is wanted; for example direction = "either""#);
    assert_snapshot!(folder.said(&with(r#"languages = ["kk", "ru"]"#, r#"languages = ["kk", "kz", "kk"]"#)),
        @r#"
    site.toml:7: [site]: "kz" in languages: one of "kk", "ru", "en" is wanted; did you mean "kk"?
    site.toml:7: [site]: "kk" in languages: it is already in the list; remove it
    "#);
    assert_snapshot!(folder.said(&with(r#"languages = ["kk", "ru"]"#, r#"languages = ["kk", "русский"]"#)),
        @r#"site.toml:7: [site]: "русский" in languages: one of "kk", "ru", "en" is wanted; for example languages = ["kk", "ru", "en"]"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, r#"transport = "TCP""#)),
        @r#"site.toml:20: camera "gate": transport = "TCP": one of "tcp", "udp" is wanted; did you mean "tcp"?"#);
    assert_snapshot!(folder.said(&plus("[inference]", r#"provider = "tensorrt""#)),
        @r#"site.toml:13: [inference]: provider = "tensorrt": one of "cpu", "cuda", "openvino" is wanted; for example provider = "cpu""#);
    assert_snapshot!(folder.said(&with(r#""Asia/Almaty""#, r#""Almaty""#)),
        @r#"site.toml:6: [site]: time_zone = "Almaty": there is no such time zone; did you mean "Asia/Almaty"?"#);
    assert_snapshot!(folder.said(&with(r#""Asia/Almaty""#, r#""Asia/Almati""#)),
        @r#"site.toml:6: [site]: time_zone = "Asia/Almati": there is no such time zone; did you mean "Asia/Almaty"?"#);
    assert_snapshot!(folder.said(&with(r#""Asia/Almaty""#, r#""UTC+5""#)),
        @r#"site.toml:6: [site]: time_zone = "UTC+5": there is no such time zone; write it by region and city, as in "Asia/Almaty""#);
}

#[test]
fn ids_and_names() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, r#"id = "Main Gate""#)),
        @r#"site.toml:19: camera 1: id = "Main Gate": an id of 1 to 32 of a-z, 0-9 and '-' is wanted; did you mean "main-gate"?"#);
    assert_snapshot!(folder.said(&with(r#"id = "gate""#, r#"id = "Ворота""#)),
        @r#"site.toml:19: camera 1: id = "Ворота": an id of 1 to 32 of a-z, 0-9 and '-' is wanted; for example id = "gate""#);
    assert_snapshot!(folder.said(&with(r#"id = "fence-crossing""#, r#"id = "night-intrusion""#)),
        @r#"site.toml:40: camera "gate", rule 2: id = "night-intrusion": the rule in line 33 has the same id; give each an id of its own"#);
    assert_snapshot!(folder.said(&with("[camera.zone.yard]", "[camera.zone.Yard]")),
        @r#"site.toml:26: camera "gate", zone "Yard": an id has 1 to 32 of a-z, 0-9 and '-'; did you mean "yard"?"#);
    assert_snapshot!(folder.said(&with(r#"zone = "yard""#, r#"zone = "yrad""#)),
        @r#"site.toml:35: camera "gate", rule "night-intrusion": zone = "yrad": this camera has no such zone; did you mean "yard"?"#);
    assert_snapshot!(folder.said(&with(r#"line = "fence""#, r#"line = "yard""#)),
        @r#"site.toml:42: camera "gate", rule "fence-crossing": line = "yard": this camera has no such line; there is "fence""#);
    assert_snapshot!(folder.said(&with(r#"schedule = "after-hours""#, r#"schedule = "afterhours""#)),
        @r#"site.toml:37: camera "gate", rule "night-intrusion": schedule = "afterhours": there is no such schedule; did you mean "after-hours"?"#);
    assert_snapshot!(folder.said(&with("[schedule.after-hours]\nweekdays = [\"19:00-07:30\"]\n", "")),
        @r#"site.toml:35: camera "gate", rule "night-intrusion": schedule = "after-hours": there is no such schedule; add [schedule.after-hours], or remove the line to arm the rule always"#);
    assert_snapshot!(folder.said(&with(r#"classes = ["person"]"#, r#"classes = ["persn"]"#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": "persn" in classes: the model yard-nano has no such class; did you mean "person"?"#);
    assert_snapshot!(folder.said(&with(r#"classes = ["person"]"#, r#"classes = ["human"]"#)),
        @r#"site.toml:36: camera "gate", rule "night-intrusion": "human" in classes: the model yard-nano has no such class; did you mean "person"?"#);
    assert_snapshot!(folder.said(&with(r#"model = "yard-nano""#, r#"model = "yard-nanno""#)),
        @r#"site.toml:23: camera "gate": model = "yard-nanno": there is no such model in the folder models; did you mean "yard-nano"?"#);
    assert_snapshot!(folder.said(&with(r#"model = "yard-nano""#, r#"model = "../models/yard-nano""#)),
        @r#"site.toml:23: camera "gate": model = "../models/yard-nano": this is a path; write only the folder's name, and the folder above it in models of [inference]"#);
    assert_snapshot!(folder.said(&with(r#"models = "models""#, r#"models = "modells""#)),
        @r#"site.toml:13: [inference]: models = "modells": there is no such folder; name the folder that holds one folder per model"#);
}

#[test]
fn addresses() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "192.0.2.11/stream2")),
        @r#"site.toml:20: camera "gate": url = "192.0.2.11/stream2": the address does not begin with rtsp:// or rtsps://; write rtsp://HOST or rtsps://HOST"#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "http://192.0.2.11/")),
        @r#"site.toml:20: camera "gate": url = "http://192.0.2.11/": http:// cannot be used here; that is the camera's web page; look its rtsp:// or rtsps:// address up in its settings"#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "rtsp://192.0.2.11:99999/")),
        @r#"site.toml:20: camera "gate": url = "rtsp://192.0.2.11:99999/": the port must be a number from 1 to 65535; remove it for the usual one"#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "rtsp://192.0.2.11/my stream")),
        @r#"site.toml:20: camera "gate": url = "rtsp://192.0.2.11/my stream": ' ' cannot stand in an address; remove it, or write it as %20 and the like"#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "rtsp:///stream2")),
        @r#"site.toml:20: camera "gate": url = "rtsp:///stream2": the address has no valid host; write a name or an IP address after the ://"#);
    assert_snapshot!(folder.said(&with("mqtts://ops.example.org", "ops.example.org:1883")),
        @r#"site.toml:10: [broker]: url = "ops.example.org:1883": the address does not begin with mqtt:// or mqtts://; write mqtt://HOST or mqtts://HOST"#);
    assert_snapshot!(folder.said(&with("mqtts://ops.example.org", "https://ops.example.org")),
        @r#"site.toml:10: [broker]: url = "https://ops.example.org": https:// cannot be used here; write mqtt:// or mqtts://"#);
    assert_snapshot!(folder.said(&with("mqtts://ops.example.org", "mqtt://ops.example.org/alerts")),
        @r#"site.toml:10: [broker]: url = "mqtt://ops.example.org/alerts": the address of a broker has no path; write only host and port; topics follow from [site]"#);
    assert_snapshot!(folder.said(&with(r#"url = "mqtts://ops.example.org""#, "url = \"mqtt://ops.example.org\"\nca_file = \"models/yard-nano/model.toml\"")),
        @r#"
    site.toml:11: [broker]: ca_file = "models/yard-nano/model.toml": url asks for a link without TLS, so no certificate is looked at; write mqtts:// in url, or remove ca_file
    site.toml:11: [broker]: ca_file = "models/yard-nano/model.toml": there is no certificate in it; export the authority's certificate as PEM (Base64)
    "#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2\"", "rtsp://192.0.2.11/stream2\"\nca_file = \"models/yard-nano/model.toml\"")),
        @r#"
    site.toml:21: camera "gate": ca_file = "models/yard-nano/model.toml": url asks for a link without TLS, so no certificate is looked at; write rtsps:// in url, or remove ca_file
    site.toml:21: camera "gate": ca_file = "models/yard-nano/model.toml": there is no certificate in it; export the authority's certificate as PEM (Base64)
    "#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2\"", "rtsps://192.0.2.11/stream2\"\ntransport = \"udp\"")),
        @r#"site.toml:21: camera "gate": transport = "udp": rtsps:// protects only what goes through its own connection, and UDP does not; remove it, or write rtsp:// in url"#);
    assert_snapshot!(folder.said(&plus(r#"url = "mqtts://ops.example.org""#, r#"ca_file = "ca.pem""#)),
        @r#"site.toml:11: [broker]: ca_file = "ca.pem": the file cannot be read: No such file or directory (os error 2); ca.pem must be a PEM file that this user may read"#);
}

#[test]
fn passwords() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with("credential:gate", "swordfish")),
        @r#"site.toml:22: camera "gate": password = ********: a password is never written here; put it into a file that only Karaul may read and write password = "file:PATH", or "credential:NAME" for one from systemd"#);
    assert_snapshot!(folder.said(&with(r#""credential:gate""#, "12345")),
        @r#"site.toml:22: camera "gate": password = ********: a password is never written here; put it into a file that only Karaul may read and write password = "file:PATH", or "credential:NAME" for one from systemd"#);
    assert_snapshot!(folder.said(&with("credential:gate", "credential:../gate")),
        @r#"site.toml:22: camera "gate": password = "credential:../gate": the name of a credential has only letters, digits, '.', '_' and '-'; for example password = "credential:gate""#);
    assert_snapshot!(folder.said(&with("credential:gate", "credential:gone")),
        @r#"site.toml:22: camera "gate": password = "credential:gone": the file cannot be read: No such file or directory (os error 2); credentials/gone must hold the password on one line and be readable for Karaul"#);
    assert_snapshot!(folder.said(&with("credential:gate", "file:gone")),
        @r#"site.toml:22: camera "gate": password = "file:gone": the file cannot be read: No such file or directory (os error 2); gone must hold the password on one line and be readable for Karaul"#);
    assert_snapshot!(folder.said(&with("credential:gate", "file:")),
        @r#"site.toml:22: camera "gate": password = "file:": the path is missing; for example password = "file:gate.password""#);
    assert_snapshot!(folder.said(&with("credential:gate", "file:models")),
        @r#"site.toml:22: camera "gate": password = "file:models": it is not a file; models must hold the password on one line and be readable for Karaul"#);
    assert_snapshot!(folder.said(&with("password = \"credential:gate\"\n", "")),
        @r#"site.toml:21: camera "gate": username = "viewer": password is missing beside it; add password = "file:PATH" or "credential:NAME"; an empty file is an empty password"#);
    assert_snapshot!(folder.said(&with("username = \"viewer\"\n", "")),
        @r#"site.toml:21: camera "gate": password = "credential:gate": username is missing beside it; add username = "viewer""#);
    assert_snapshot!(folder.said(&with(r#""viewer""#, r#""viewer:swordfish""#)),
        @r#"site.toml:21: camera "gate": username = "viewer:********": a user name has no ':'; write the password apart from it, as password = "file:PATH""#);
    assert_snapshot!(folder.said(&with(r#"password = "credential:gate""#, r#"passwd = "swordfish""#)),
        @r#"site.toml:22: camera "gate": passwd: there is no such key; did you mean "password"?"#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "rtsp://viewer:swordfish@192.0.2.11/stream2")),
        @r#"site.toml:20: camera "gate": url = "rtsp://********@192.0.2.11/stream2": user and password do not belong into an address; take the login out of it and write username = "…" and password = "file:PATH" or "credential:NAME""#);
    assert_snapshot!(folder.said(&with("rtsp://192.0.2.11/stream2", "rtsp://192.0.2.11/user=viewer_password=swordfish_channel=1")),
        @r#"site.toml:20: camera "gate": url = "rtsp://192.0.2.11/user=viewer_password=********": a password does not belong into an address; take the login out of it and write username = "…" and password = "file:PATH" or "credential:NAME""#);
    assert_snapshot!(folder.said(&with("mqtts://ops.example.org", "mqtts://box:swordfish@ops.example.org")),
        @r#"site.toml:10: [broker]: url = "mqtts://********@ops.example.org": user and password do not belong into an address; take the login out of it and write username = "…" and password = "file:PATH" or "credential:NAME""#);
}

#[test]
fn passwords_of_systemd_and_of_careless_owners() {
    let folder = Folder::new();
    let outcome = Config::parse(&folder.path("site.toml"), SITE, None, Secrets::Tried);
    assert_snapshot!(folder.without_folder(&outcome.problems.to_string()),
        @r#"site.toml:22: warning: camera "gate": password = "credential:gate": CREDENTIALS_DIRECTORY is not set; systemd sets it for units with LoadCredential=gate:PATH; elsewhere use "file:PATH""#);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        folder.write("gate.password", "swordfish");
        fs::set_permissions(folder.path("gate.password"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_snapshot!(folder.said(&with("credential:gate", "file:gate.password")),
        @r#"site.toml:22: warning: camera "gate": password = "file:gate.password": other users of this machine may read the file; chmod 600 gate.password"#);
    }
    folder.write("credentials/gate", "two\nlines\n");
    assert_snapshot!(folder.said(SITE),
        @r#"site.toml:22: camera "gate": password = "credential:gate": the file has more than one line, or control characters; credentials/gate must hold the password on one line and be readable for Karaul"#);
    folder.write("credentials/gate", &"x".repeat(5000));
    assert_snapshot!(folder.said(SITE),
        @r#"site.toml:22: camera "gate": password = "credential:gate": the file is longer than 4096 bytes; credentials/gate must hold the password on one line and be readable for Karaul"#);
}

#[test]
fn geometry() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with("[[0.5, 1.0], [0.5, 0.0]]", "[[320, 480], [320, 0]]")),
        @r#"
    site.toml:30: camera "gate", line "fence": [320, 480] in points: x and y go from 0 to 1, from the picture's top left; if these are pixels, divide x by the picture's width and y by its height
    site.toml:30: camera "gate", line "fence": [320, 0] in points: x and y go from 0 to 1, from the picture's top left; if these are pixels, divide x by the picture's width and y by its height
    "#);
    assert_snapshot!(folder.said(&with("[[0.5, 1.0], [0.5, 0.0]]", "[[0.5, 1.0], [0.5, 1.0]]")),
        @r#"site.toml:30: camera "gate", line "fence": points = [[0.5, 1.0], [0.5, 1.0]]: points 1 and 2 are the same: give the line a length there; move the points, or remove one"#);
    assert_snapshot!(folder.said(&with("[[0.5, 1.0], [0.5, 0.0]]", "[[0.5, 1.0]]")),
        @r#"site.toml:30: camera "gate", line "fence": points = [[0.5, 1.0]]: a list of 2 to 16 points [x, y] is wanted, these are 1; add the missing points"#);
    assert_snapshot!(folder.said(&with("[[0.5, 1.0], [0.5, 0.0]]", "[0.5, 1.0, 0.5, 0.0]")),
        @r#"site.toml:30: camera "gate", line "fence": points = [0.5, 1.0, 0.5, 0.0]: a list of 2 to 16 points [x, y] is wanted; for example points = [[0.5, 1.0], [0.5, 0.0]]"#);
    assert_snapshot!(folder.said(&with("[[0.1, 0.4], [0.9, 0.4], [0.95, 0.98], [0.05, 0.98]]", "[[0.1, 0.4], [0.9, 0.4]]")),
        @r#"site.toml:27: camera "gate", zone "yard": points = [[0.1, 0.4], [0.9, 0.4]]: a list of 3 to 64 points [x, y] is wanted, these are 2; add the missing points"#);
    assert_snapshot!(folder.said(&with("[[0.1, 0.4], [0.9, 0.4], [0.95, 0.98], [0.05, 0.98]]", "[[0.1, 0.4], [0.95, 0.98], [0.9, 0.4], [0.05, 0.98]]")),
        @r#"site.toml:27: camera "gate", zone "yard": points = [[0.1, 0.4], [0.95, 0.98], [0.9, 0.4], [0.05, 0.98]]: side 1 (from point 1) crosses or touches side 3 (from point 3): list the points in order around the zone; move the points, or add one"#);
    assert_snapshot!(folder.said(&with("[[0.1, 0.4], [0.9, 0.4], [0.95, 0.98], [0.05, 0.98]]", "[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]")),
        @r#"site.toml:27: camera "gate", zone "yard": points = [[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]]: the points of the zone lie on one line, so nothing can be inside; move the points, or add one"#);
    assert_snapshot!(folder.said(&with("[[0.1, 0.4], [0.9, 0.4], [0.95, 0.98], [0.05, 0.98]]", r#""yard""#)),
        @r#"site.toml:27: camera "gate", zone "yard": points = "yard": a list of 3 to 64 points [x, y] is wanted; for example points = [[0.1, 0.4], [0.9, 0.4], [0.9, 1.0], [0.1, 1.0]]"#);
}

#[test]
fn schedules() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&with(r#"["19:00-07:30"]"#, r#"["19-7:30", "25:00-26:00"]"#)),
        @r#"
    site.toml:16: schedule "after-hours": "19-7:30" in weekdays: a span HH:MM-HH:MM is wanted; for example "19:00-07:30", which ends the next day
    site.toml:16: schedule "after-hours": "25:00-26:00" in weekdays: a span HH:MM-HH:MM is wanted; for example "19:00-07:30", which ends the next day
    "#);
    assert_snapshot!(folder.said(&with(r#"["19:00-07:30"]"#, r#"["00:00-00:00"]"#)),
        @r#"site.toml:16: schedule "after-hours": "00:00-00:00" in weekdays: the span ends where it begins; write "00:00-24:00" for the whole day"#);
    assert_snapshot!(folder.said(&with(r#"["19:00-07:30"]"#, r#""19:00-07:30""#)),
        @r#"site.toml:16: schedule "after-hours": weekdays = "19:00-07:30": a list of spans of a day is wanted, not a text; for example weekdays = ["19:00-07:30"]"#);
    assert_snapshot!(folder.said(&with(r#"weekdays = ["19:00-07:30"]"#, "")),
        @r#"site.toml:15: schedule "after-hours": the schedule is never on; add for example every_day = ["22:00-06:00"]"#);
    assert_snapshot!(folder.said(&with("weekdays =", "workdays =")),
        @r#"site.toml:16: schedule "after-hours": workdays: there is no such key; did you mean "weekdays"?"#);
}

#[test]
fn warnings() {
    let folder = Folder::new();
    assert_snapshot!(folder.said(&plus(r#"line = "fence""#, "schedule = \"after-hours\"\nmin_score = 0.01")),
        @r#"site.toml:44: warning: camera "gate", rule "fence-crossing": min_score = 0.01: no detection below 0.1 is looked at, so this is the same as 0.1; write what is meant"#);
    assert_snapshot!(folder.said(&with("schedule = \"after-hours\"\n", "")),
        @r#"site.toml:15: warning: schedule "after-hours": no rule uses this schedule; name it in schedule of a rule, or remove it"#);
    assert_snapshot!(folder.said(&with("[[camera.rule]]\nid = \"fence-crossing\"\nkind = \"line_crossing\"\nline = \"fence\"\nclasses = [\"person\", \"car\"]\n", "")),
        @r#"site.toml:29: warning: camera "gate", line "fence": no rule uses this line; name it in a rule, or remove it"#);
    assert_snapshot!(folder.said(&with(r#"classes = ["person"]"#, r#"classes = ["person", "person"]"#)),
        @r#"site.toml:36: warning: camera "gate", rule "night-intrusion": "person" in classes: it is already in the list; remove it"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, "enabled = false")),
        @r#"site.toml:18: warning: no camera is enabled, so nothing is watched; remove enabled = false from a camera"#);
    assert_snapshot!(folder.said(&with(r#"url = "mqtts://ops.example.org""#, "url = \"mqtt://ops.example.org\"\nusername = \"box\"\npassword = \"credential:gate\"")),
        @r#"site.toml:10: warning: [broker]: url = "mqtt://ops.example.org": the password crosses the network unencrypted; write mqtts:// if the broker speaks TLS"#);
    assert_snapshot!(folder.said(&plus(r#"id = "gate""#, r#"label = { kk = "Қақпа" }"#)),
        @r#"site.toml:20: warning: camera "gate", label: the site speaks ru, but the label does not, so alerts show the id; add it to the label"#);
    let again =
        "[[camera]]\nid = \"yard\"\nurl = \"rtsp://192.0.2.11:554/stream2\"\nmodel = \"yard-nano\"\npurpose = \"x\"\n";
    assert_snapshot!(folder.said(&format!("{SITE}{again}")),
        @r#"
    site.toml:44: warning: camera "yard": the camera has no rules, so it never raises an alert; add [[camera.rule]]
    site.toml:44: warning: camera "yard": camera "gate" has the same url; put all rules of one stream into one camera
    "#);
    assert_snapshot!(folder.said(&format!("{SITE}{}", again.replace("yard\"", "gate\""))),
        @r#"
    site.toml:44: warning: camera "gate": camera "gate" has the same url; put all rules of one stream into one camera
    site.toml:45: camera 2: id = "gate": the camera in line 19 has the same id; give each an id of its own
    "#);
}

#[test]
fn models() {
    let folder = Folder::new();
    folder.write("models/yard-nano/model.toml", "id = 3");
    assert_snapshot!(folder.said(SITE),
        @r#"site.toml:23: camera "gate": model = "yard-nano": models/yard-nano/model.toml:1 is not a model manifest: invalid type: integer `3`, expected a string; mend the manifest, or fetch the model again"#);
    folder.write("models/yard-nano/model.toml", &MANIFEST.replace("[8, 16, 32]", "[]"));
    assert_snapshot!(folder.said(SITE),
        @r#"site.toml:23: camera "gate": model = "yard-nano": models/yard-nano/model.toml: head.strides must list the strides of the levels, for example [8, 16, 32]; mend the manifest, or fetch the model again"#);
}

#[test]
fn topics_of_other_outputs() {
    let folder = Folder::new();
    let said = |table: &str, prefix: &str| folder.said(&format!("{SITE}[output.{table}]\n{prefix}\n"));
    assert_snapshot!(said("onvif", "prefix = \"cameras/#\""),
        @r#"site.toml:45: [output.onvif]: prefix = "cameras/#": a topic has no '#' or '+', and no '$' at its beginning; remove it"#);
    assert_snapshot!(said("home_assistant", "discovery_prefix = \"/homeassistant\""),
        @r#"site.toml:45: [output.home_assistant]: discovery_prefix = "/homeassistant": a level of the topic is empty; write single '/' between levels, none around them"#);
    assert_snapshot!(said("home_assistant", "discovery_prefix = 7"),
        @r#"site.toml:45: [output.home_assistant]: discovery_prefix = 7: an MQTT topic in quotes is wanted, not a whole number; for example discovery_prefix = "homeassistant""#);
    assert_snapshot!(said("home-assistant", "enabled = true"),
        @r#"site.toml:44: [output]: home-assistant: there is no such key; did you mean "home_assistant"?"#);
}
