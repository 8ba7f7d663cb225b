//! Clips of incidents: cut out of what the camera sent, as files on the box.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test ends at the first surprise")]

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::Timestamp;
use karaul::{
    camera::{self, Recording},
    vision::Layout,
};
use karaul_simulator::timecode;
use karaul_stage::{Agent, Broker, Heard, Simulator, Subscriber};
use karaul_tests::{TestSite, any_of, onnx_runtime};
use karaul_wire::{AlertEvent, CameraState, Evidence, EvidenceKind, Phase};
use sha2::{Digest, Sha256};

const LIMIT: Duration = Duration::from_secs(90);

/// From a picture's time code to its arrival, on a busy machine.
const WAY: f64 = 2.0;

/// Seconds that a clip begins before its incident and ends after it opened, as configured.
const BEFORE: f64 = 3.0;
const AFTER: f64 = 4.0;

fn with_clips(more: &str) -> String {
    let clips = "[camera.clips]\nenabled = true\nbefore = \"3s\"\nafter = \"4s\"\nmemory = \"16 MiB\"\n";
    format!("{more}{clips}{}", any_of(&["person"]))
}

fn clip_of(alert: &AlertEvent) -> Option<&Evidence> {
    alert.data.evidence.iter().find(|evidence| evidence.kind == EvidenceKind::Clip)
}

fn alerts(heard: &[Heard]) -> impl Iterator<Item = &AlertEvent> {
    heard.iter().filter_map(|heard| if let Heard::Alert(alert) = heard { Some(&**alert) } else { None })
}

/// The steps of the first incident that opened after this time and has a clip, in order.
fn with_a_clip(heard: &[Heard], after: Timestamp) -> Option<Vec<&AlertEvent>> {
    let has_one = |alert: &&AlertEvent| alert.data.incident.opened > after && clip_of(alert).is_some();
    let id = alerts(heard).find(has_one)?.data.incident.id;
    Some(alerts(heard).filter(|alert| alert.data.incident.id == id).collect())
}

struct Picture {
    at: f64,
    size: (usize, usize),
    burned: Option<f64>,
}

fn pictures(path: &Path) -> Vec<Picture> {
    camera::init().unwrap();
    let recording = Recording::open(path, Timestamp::UNIX_EPOCH).unwrap();
    let pictures = recording.map(|frame| {
        let frame = frame.unwrap();
        let planes = frame.planes();
        let Layout::I420 { y, y_stride, .. } = planes.layout else { panic!("software decoders give I420") };
        let burned = timecode::read(y, planes.width, planes.height, y_stride).map(|time| time.as_secs_f64());
        Picture { at: frame.stamp.mono.as_secs_f64(), size: (planes.width, planes.height), burned }
    });
    pictures.collect()
}

/// The file of a clip, which is as its description says.
fn file(site: &TestSite, clip: &Evidence) -> PathBuf {
    let path = site.file("state/evidence").join(format!("{}.mp4", clip.id));
    let bytes = fs::read(&path).unwrap();
    assert_eq!((clip.size, &clip.sha256), (bytes.len() as u64, &hex::encode(Sha256::digest(&bytes))));
    path
}

fn seconds(time: Timestamp) -> f64 {
    time.as_microsecond() as f64 / 1e6
}

#[test]
fn an_incident_has_a_clip_of_what_came_before_and_after() {
    if !onnx_runtime() {
        return;
    }
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    // A keyframe each second. Of the stream to watch only some pictures are decoded; the clip has all.
    let mount = "/yard=scene:yard,fps=15,gop=15,timecode".to_owned();
    let simulator = Simulator::start(0, &[mount], &[]).unwrap();
    let camera = with_clips("decoding = \"on-demand\"\n");
    let site = TestSite::new(&broker.url()).camera("yard", &simulator.urls[0], "yard-nano", &camera);
    let mut agent = Agent::start(&site.write()).unwrap();

    let sees = |heard: &Heard| matches!(heard, Heard::Camera(_, status) if status.state == CameraState::Seeing);
    let mut heard = subscriber.collect(LIMIT, |heard| heard.iter().any(sees));
    // From then on the ring reaches far enough back.
    let ready = Timestamp::now() + Duration::from_secs(5);
    let closed = |heard: &[Heard]| {
        with_a_clip(heard, ready).is_some_and(|steps| steps.iter().any(|step| step.data.incident.phase == Phase::Close))
    };
    heard.extend(subscriber.collect(LIMIT, closed));
    let steps = with_a_clip(&heard, ready).unwrap_or_else(|| panic!("no clip within {LIMIT:?}: {heard:?}"));
    let (first, last) = (steps[0], steps[steps.len() - 1]);
    assert_eq!((first.data.incident.phase, clip_of(first)), (Phase::Open, None));
    assert_eq!(last.data.incident.phase, Phase::Close);
    let clip = clip_of(last).expect("the close step has it in any case").clone();
    let opened = seconds(first.data.incident.opened);
    let lasted = seconds(last.data.incident.closed.unwrap()) - opened;
    let told = steps.iter().filter(|step| clip_of(step).is_some_and(|told| *told == clip)).count();
    assert_eq!(
        told,
        if lasted > AFTER + 1.5 { 2 } else { told },
        "by an update as soon as it is there, and at the end"
    );

    let shown = pictures(&file(&site, &clip));
    assert!(shown.iter().all(|picture| picture.size == (640, 360)));
    // Fifteen a second, without a hole.
    let step = shown.windows(2).map(|pair| pair[1].at - pair[0].at).fold(0.0, f64::max);
    assert!(step < 0.5, "a hole of {step} s");
    let length = shown[shown.len() - 1].at - shown[0].at;
    let wanted = BEFORE + lasted.min(AFTER);
    assert!(
        (wanted - 0.5..wanted + 1.5).contains(&length),
        "{length} s of {wanted} s and at most a keyframe's interval"
    );
    // The first picture is the keyframe before the clip's begin, and the last is that of its end.
    let [begin, end] = [&shown[0], &shown[shown.len() - 1]].map(|picture| picture.burned.unwrap());
    assert!(begin <= opened - BEFORE + 0.1 && begin >= opened - BEFORE - 1.1 - WAY, "{}", opened - begin);
    assert!(
        end <= opened + lasted.min(AFTER) + 0.1 && end >= opened + lasted.min(AFTER) - 0.5 - WAY,
        "{}",
        end - opened
    );

    // Whoever stops the agent leaves no incident open, and no half file.
    let status = agent.program.stop(Duration::from_secs(15)).unwrap().expect("it stops");
    assert!(status.success(), "{status}");
    heard.extend(subscriber.collect(Duration::from_secs(1), |_| false));
    for clip in alerts(&heard).filter_map(clip_of) {
        assert_eq!(pictures(&file(&site, clip)).first().map(|picture| picture.size), Some((640, 360)));
    }
    let folder = fs::read_dir(site.file("state/evidence")).unwrap().map(|entry| entry.unwrap().path());
    assert!(folder.into_iter().all(|path| path.extension().is_some_and(|ending| ending == "jpg" || ending == "mp4")));
}

#[test]
fn clips_are_taken_from_the_other_stream_and_one_that_is_away_disturbs_nothing() {
    if !onnx_runtime() {
        return;
    }
    let broker = Broker::start(0).unwrap();
    let mut subscriber = Subscriber::start(broker.port, "centre").unwrap();
    let mounts = ["/small=scene:yard,fps=10", "/large=scene:yard,fps=10,size=1280x720,gop=10"].map(str::to_owned);
    let simulator = Simulator::start(0, &mounts, &[]).unwrap();
    let [small, large] = [&simulator.urls[0], &simulator.urls[1]];
    let nobody = format!("rtsp://127.0.0.1:{}/large", karaul_stage::free_port().unwrap());
    let of = |url: &str| with_clips(&format!("evidence_url = \"{url}\"\n"));
    let site = TestSite::new(&broker.url()).camera("yard", small, "yard-nano", &of(large)).camera(
        "gate",
        small,
        "yard-nano",
        &of(&nobody),
    );
    let mut agent = Agent::start(&site.write()).unwrap();

    let is_gate = |alert: &AlertEvent| alert.data.location.camera.as_str() == "gate";
    let gate_closed = |heard: &[Heard]| alerts(heard).any(|a| is_gate(a) && a.data.incident.phase == Phase::Close);
    let heard = subscriber.collect(LIMIT, |heard| with_a_clip(heard, Timestamp::MIN).is_some() && gate_closed(heard));
    assert!(gate_closed(&heard), "{heard:?}");
    let steps = with_a_clip(&heard, Timestamp::MIN).unwrap_or_else(|| panic!("no clip within {LIMIT:?}: {heard:?}"));
    assert!(!is_gate(steps[0]));
    let clip = steps.iter().find_map(|step| clip_of(step)).unwrap();
    let shown = pictures(&file(&site, clip));
    assert!(!shown.is_empty() && shown.iter().all(|picture| picture.size == (1280, 720)));
    assert_eq!(alerts(&heard).filter(|alert| is_gate(alert)).find_map(clip_of), None);
    // Once it sees, the camera itself is never blind for it.
    let states = heard.iter().filter_map(|h| match h {
        Heard::Camera(camera, status) if camera == "gate" => Some(status.state),
        _ => None,
    });
    let since_it_sees: Vec<_> = states.skip_while(|state| *state != CameraState::Seeing).collect();
    assert_eq!(since_it_sees, [CameraState::Seeing]);
    let status = agent.program.stop(Duration::from_secs(15)).unwrap().expect("it stops");
    assert!(status.success(), "{status}");
}
