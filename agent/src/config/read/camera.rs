use std::{cell::Cell, collections::BTreeMap, ops::Range};

use karaul_wire::{Language, Segment, Text};
use toml::{Spanned, de::DeValue};

use super::{
    Surroundings,
    broker::authorities,
    choose,
    geometry::{metres, points},
    inference::Models,
    login::login,
    rule,
    schedule::Schedules,
    table::Table,
    value::{Checked, Wrong, duration, flag, id, number, size, text, word},
};
use crate::{
    config::{
        Camera, CameraUrl, Clips, Decoder, Decoding, Detection, Sight, Site, Transport, keys::Key, url::UrlError,
    },
    rules::{
        Ground, GroundError,
        geometry::{Point, Polygon, Polyline},
    },
};

/// What a camera refers to outside its own table.
pub(super) struct Context<'a> {
    pub(super) around: &'a Surroundings,
    /// Those of the site.
    pub(super) languages: &'a [Language],
    pub(super) models: &'a Models<'a>,
    pub(super) schedules: &'a Schedules,
    /// `None` if something is wrong with it.
    pub(super) site: Option<&'a Site>,
}

/// All cameras. The list is whole only if nothing was reported.
pub(super) fn cameras(root: &Table<'_>, context: &Context<'_>) -> Vec<Camera> {
    let Some(tables) = root.children("camera") else { return Vec::new() };
    if tables.is_empty() && !root.misspelt("camera") {
        let remedy = "add [[camera]] with id, url, model and purpose".to_owned();
        root.report.absence("", &root.span_of("camera"), "there is no camera".to_owned(), Some(remedy));
    }
    let mut ids = BTreeMap::new();
    let mut urls: BTreeMap<String, String> = BTreeMap::new();
    let mut cameras = Vec::new();
    for table in tables {
        let span = table.span.clone();
        let Some((place, camera)) = camera(table, &mut ids, context) else { continue };
        if let Some(first) = urls.insert(camera.url.to_string(), place.clone()) {
            let what = format!("{first} has the same url");
            root.report.warning(&place, &span, what, "put all rules of one stream into one camera");
        }
        cameras.push(camera);
    }
    if !cameras.is_empty() && cameras.iter().all(|c| !c.enabled) {
        let what = "no camera is enabled, so nothing is watched".to_owned();
        root.report.warning("", &root.span_of("camera"), what, "remove enabled = false from a camera");
    }
    cameras
}

fn camera(mut table: Table<'_>, ids: &mut BTreeMap<Segment, usize>, context: &Context<'_>) -> Option<(String, Camera)> {
    let id = table.get("id", id);
    if let Some(id) = &id {
        unique(&table, id, "camera", ids);
        table = table.called(format!("camera \"{id}\""));
    }
    table.check_keys();
    let (url, evidence_url) = (table.get("url", address), table.get("evidence_url", address));
    let with_tls: Vec<&CameraUrl> = [&url, &evidence_url].into_iter().flatten().filter(|url| url.tls).collect();
    let tls = url.is_none() || !with_tls.is_empty();
    let ca_file = authorities(&table, tls, "rtsps://", context.around);
    let login = login(&table, context.around);
    let transport = table.get("transport", word(&Transport::ALL, Transport::as_str));
    if !with_tls.is_empty() && transport == Some(Transport::Udp) {
        let what = "rtsps:// protects only what goes through its own connection, and UDP does not";
        table.error("transport", what, "remove it, or write rtsp:// in url");
    }
    let decoder = table.get("decoder", word(&Decoder::ALL, Decoder::as_str));
    let decoding = table.get("decoding", word(&Decoding::ALL, Decoding::as_str));
    let detection = table.get("detection", word(&Detection::ALL, Detection::as_str));
    let look_every = table.get("look_every", duration);
    let enabled = table.get("enabled", flag);
    let detections_per_second = table.get("detections_per_second", number);
    let purpose = table.get("purpose", text);
    let sight = table.child("sight").and_then(|table| {
        let (enabled, learn) = (table.get("enabled", flag), table.get("learn", duration));
        Some(Sight { enabled: enabled?, learn: learn? })
    });
    let clips = table.child("clips").and_then(|table| clips(&table));
    check_evidence_url(&table, url.as_ref(), evidence_url.as_ref(), clips);
    let mut label = label(&table, context.languages);
    let model = context.models.of(&table);

    let zones = Shapes::read(&table, "zone", |key, value| {
        Polygon::new(points(key, value)?).or_else(|why| Wrong::new(why.to_string(), "move the points, or add one"))
    });
    let lines = Shapes::read(&table, "line", |key, value| {
        Polyline::new(points(key, value)?).or_else(|why| Wrong::new(why.to_string(), "move the points, or remove one"))
    });
    let ground = table.child("ground").map(|table| ground(&table));
    let scene = rule::Scene {
        zones: &zones,
        lines: &lines,
        model: model.as_ref(),
        schedules: context.schedules,
        site: context.site,
        ground: ground.as_ref().map(Option::as_ref),
        sight: sight.map(|sight| sight.enabled),
    };
    let rules = rule::rules(&table, &scene);
    zones.warn_unused(&table);
    lines.warn_unused(&table);
    if !table.has("rule") && enabled == Some(true) {
        let what = "the camera has no rules, so it never raises an alert".to_owned();
        table.report.idle(&table.place, &table.span, what, "add [[camera.rule]]");
    }

    let id = id?;
    for language in Language::ALL {
        label.entry(language).or_insert_with(|| id.to_string());
    }
    let camera = Camera {
        id,
        label,
        enabled: enabled?,
        url: url?,
        ca_file,
        login,
        transport: transport?,
        decoder: decoder?,
        decoding: decoding?,
        detection: detection?,
        look_every: look_every?,
        model: model?,
        detections_per_second: detections_per_second?,
        sight: sight?,
        clips: clips?,
        evidence_url,
        ground: ground.flatten(),
        purpose: purpose?,
        rules,
    };
    Some((table.place, camera))
}

fn address(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<CameraUrl> {
    let text = text(key, value)?;
    text.parse::<CameraUrl>().or_else(|why: UrlError| Wrong::new(why.to_string(), why.remedy()))
}

/// `[camera.ground]`; `None` if something is wrong with it.
fn ground(table: &Table<'_>) -> Option<Ground> {
    let (points, metres) = (table.get("points", points), table.get("metres", metres));
    // The reader has counted them.
    let points = <[Point; 4]>::try_from(points?).ok()?;
    Ground::new(points, metres?)
        .map_err(|why| {
            let remedy = match why {
                GroundError::InLine => "choose the corners of a large rectangle on the ground, such as a parking space",
                GroundError::Order => "list the same four corners in the same order around in points and in metres",
            };
            table.error("metres", &why.to_string(), remedy);
        })
        .ok()
}

fn clips(table: &Table<'_>) -> Option<Clips> {
    let enabled = table.get("enabled", flag);
    let (before, after) = (table.get("before", duration), table.get("after", duration));
    let memory = table.get("memory", size).and_then(|bytes| usize::try_from(bytes).ok());
    Some(Clips { enabled: enabled?, before: before?, after: after?, memory: memory? })
}

/// Warns about a second stream that nobody needs.
fn check_evidence_url(
    camera: &Table<'_>,
    url: Option<&CameraUrl>,
    evidence_url: Option<&CameraUrl>,
    clips: Option<Clips>,
) {
    if evidence_url.is_none() {
        return;
    }
    if clips.is_some_and(|clips| !clips.enabled) {
        let what = "no clips are kept, so this stream is not opened";
        camera.warning("evidence_url", what, "write enabled = true into [camera.clips], or remove evidence_url");
    } else if evidence_url == url {
        let what = "it is the same as url, and the camera would have to send it twice";
        camera.warning("evidence_url", what, "remove it: clips are then taken from url");
    }
}

fn label(camera: &Table<'_>, languages: &[Language]) -> Text {
    let Some(table) = camera.child("label") else { return Text::new() };
    for language in languages.iter().filter(|l| !table.has(l.as_str())) {
        let what = format!("the site speaks {}, but the label does not, so alerts show the id", language.as_str());
        table.report.idle(&table.place, &table.span, what, "add it to the label");
    }
    Language::ALL.into_iter().filter_map(|l| Some((l, table.get(l.as_str(), text)?))).collect()
}

/// Reports an id that is already taken.
pub(super) fn unique(table: &Table<'_>, id: &Segment, what: &str, seen: &mut BTreeMap<Segment, usize>) {
    let span = table.span_of("id");
    let line = table.report.source.line(span.start);
    if let Some(first) = seen.get(id) {
        table.error("id", &format!("the {what} in line {first} has the same id"), "give each an id of its own");
    } else {
        seen.insert(id.clone(), line);
    }
}

/// The zones or lines of a camera, and which of them are used.
pub(super) struct Shapes<T> {
    noun: &'static str,
    entries: BTreeMap<String, Shape<T>>,
}

struct Shape<T> {
    /// `None` if something is wrong with it.
    shape: Option<(Segment, T)>,
    /// Where to say that it is not used; `None` if something else was said.
    place: Option<(String, Range<usize>)>,
    used: Cell<bool>,
}

impl<T: Clone> Shapes<T> {
    fn read(
        camera: &Table<'_>,
        noun: &'static str,
        convert: impl Fn(&'static Key, &Spanned<DeValue<'_>>) -> Checked<T>,
    ) -> Self {
        let entries = camera.named(noun).into_iter().map(|(name, found)| {
            let used = Cell::new(false);
            let Some((id, table)) = found else { return (name, Shape { shape: None, place: None, used }) };
            let shape = table.get("points", &convert).map(|shape| (id, shape));
            (name, Shape { shape, place: Some((table.place, table.span)), used })
        });
        Self { noun, entries: entries.collect() }
    }

    /// The zone or line that a rule names.
    pub(super) fn of(&self, rule: &Table<'_>) -> Option<(Segment, T)> {
        let name = rule.get(self.noun, text)?;
        self.find(&name).unwrap_or_else(|remedy| {
            rule.undefined(self.noun, &format!("this camera has no such {}", self.noun), remedy);
            None
        })
    }

    /// One by its name: `None` if something is wrong with it, the remedy if there is none.
    pub(super) fn find(&self, name: &str) -> Result<Option<(Segment, T)>, String> {
        if let Some(entry) = self.entries.get(name) {
            entry.used.set(true);
            return Ok(entry.shape.clone());
        }
        if self.entries.values().any(|entry| entry.place.is_none()) {
            // It may be the one whose header is wrong, which was reported.
            return Ok(None);
        }
        let names: Vec<&str> = self.entries.keys().map(String::as_str).collect();
        Err(choose(name, &names, &format!("add [camera.{}.<id>] with its points to this camera", self.noun)))
    }

    fn warn_unused(&self, camera: &Table<'_>) {
        let unused = self.entries.values().filter(|entry| !entry.used.get());
        for (place, span) in unused.filter_map(|entry| entry.place.as_ref()) {
            let what = format!("no rule uses this {}", self.noun);
            camera.report.idle(place, span, what, "name it in a rule, or remove it");
        }
    }
}

pub(super) type Zones = Shapes<Polygon>;
pub(super) type Lines = Shapes<Polyline>;
