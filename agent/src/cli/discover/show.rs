use std::{collections::BTreeSet, fmt::Write as _, path::Path};

use jiff::SignedDuration;
use karaul_wire::Segment;
use serde_json::{Value, json};

use crate::onvif::{Access, Camera, Profile, choice::Choice};

/// What a camera shows and does is out by less, by the answer's way alone.
const NOTEWORTHY: SignedDuration = SignedDuration::from_secs(10);

/// What a person reads: each camera with its profiles and what is to be said about it.
pub(super) fn table(cameras: &[Camera]) -> String {
    let mut text = String::new();
    for camera in cameras {
        // Writing to a String cannot fail, here and below.
        let _ = writeln!(text, "{}", headline(camera));
        match &camera.answers.profiles {
            Ok(profiles) => text += &rows(profiles),
            Err(problem) => {
                let _ = writeln!(text, "  {problem}");
            }
        }
        for remark in remarks(camera) {
            let _ = writeln!(text, "  {remark}");
        }
        text.push('\n');
    }
    let streams = cameras.iter().flat_map(|camera| camera.answers.profiles.iter().flatten());
    let streams = streams.filter(|profile| profile.stream.is_ok()).count();
    let count = |n: usize, noun: &str| format!("{n} {noun}{}", if n == 1 { "" } else { "s" });
    let _ = writeln!(text, "{}, {}", count(cameras.len(), "camera"), count(streams, "stream"));
    text
}

/// Name, address, and what kind of camera it is.
fn headline(camera: &Camera) -> String {
    let about = kind(camera);
    let name = camera.name();
    let mut line = if name == camera.host { name.to_owned() } else { format!("{name}  {}", camera.host) };
    let parts = [
        about.filter(|about| about != name),
        camera.answers.firmware.as_ref().map(|version| format!("firmware {version}")),
        camera.introduction.location.clone(),
    ];
    let parts: Vec<_> = parts.into_iter().flatten().collect();
    if !parts.is_empty() {
        let _ = write!(line, "  {}", parts.join(", "));
    }
    line
}

/// Maker and model.
fn kind(camera: &Camera) -> Option<String> {
    let model = camera.answers.model.as_ref().or(camera.introduction.hardware.as_ref());
    match (&camera.answers.maker, model) {
        (Some(maker), Some(model)) if !model.starts_with(maker.as_str()) => Some(format!("{maker} {model}")),
        (maker, model) => model.or(maker.as_ref()).cloned(),
    }
}

fn rows(profiles: &[Profile]) -> String {
    const HEADER: [&str; 7] = ["PROFILE", "CODEC", "SIZE", "PICTURES/S", "KBIT/S", "FOR", "STREAM"];
    let choice = Choice::of(profiles);
    let unknown = || "?".to_owned();
    let mut rows = vec![HEADER.map(str::to_owned)];
    rows.extend(profiles.iter().enumerate().map(|(n, profile)| {
        [
            profile.name.clone(),
            profile.codec.as_ref().map_or_else(unknown, ToString::to_string),
            profile.size.map_or_else(unknown, |[width, height]| format!("{width}x{height}")),
            profile.rate.map_or_else(unknown, rate),
            profile.bit_rate.map_or_else(unknown, |rate| rate.to_string()),
            uses(choice, n).join(", "),
            match &profile.stream {
                Ok(stream) => stream.url.to_string(),
                Err(problem) => problem.to_string(),
            },
        ]
    }));
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..HEADER.len()).map(width).collect();
    rows.iter().fold(String::new(), |mut text, row| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
        let _ = writeln!(text, "  {}", cells.join("  ").trim_end());
        text
    })
}

/// What a profile is recommended for.
fn uses(choice: Choice, n: usize) -> Vec<&'static str> {
    let uses = [("detection", choice.detection), ("evidence", choice.evidence)];
    uses.into_iter().filter(|(_, place)| *place == Some(n)).map(|(name, _)| name).collect()
}

/// As "12.5", and "25" without a fraction.
fn rate(rate: f64) -> String {
    format!("{}", (rate * 10.0).round() / 10.0)
}

/// What an installer should do something about.
fn remarks(camera: &Camera) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(ahead) = camera.answers.clock_ahead.filter(|ahead| ahead.abs() >= NOTEWORTHY) {
        let side = if ahead.is_negative() { "behind" } else { "ahead of" };
        let by = largest_unit(ahead);
        remarks.push(format!("its clock is {by} {side} this machine's: set the wrong one, best by NTP on both"));
    }
    let profiles = camera.answers.profiles.as_deref().unwrap_or_default();
    if !profiles.is_empty() && camera.answers.access == Access::Anybody {
        remarks.push("it tells this to anybody, without a login: give it users and passwords".to_owned());
    }
    let said: BTreeSet<_> = profiles.iter().filter_map(|p| p.stream.as_ref().ok()?.said.as_deref()).collect();
    for said in said {
        remarks.push(format!("it says that its streams are at {said}; the address at which it answers is put there"));
    }
    remarks
}

/// As "3 years" or "1 minute".
fn largest_unit(duration: SignedDuration) -> String {
    let seconds = duration.as_secs().unsigned_abs();
    let units = [(31_557_600, "year"), (86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")];
    let (length, noun) = units.into_iter().find(|(length, _)| seconds >= *length).unwrap_or((1, "second"));
    let number = seconds / length;
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A camera for programs. Fields that are not known are left out.
pub(super) fn json(camera: &Camera) -> Value {
    let answers = &camera.answers;
    let profiles = answers.profiles.as_deref().unwrap_or_default();
    let choice = Choice::of(profiles);
    let profiles: Vec<Value> = profiles
        .iter()
        .enumerate()
        .map(|(n, profile)| {
            let stream = profile.stream.as_ref();
            without_nulls(json!({
                "name": profile.name,
                "codec": profile.codec.as_ref().map(ToString::to_string),
                "width": profile.size.map(|[width, _]| width),
                "height": profile.size.map(|[_, height]| height),
                "pictures_per_second": profile.rate,
                "kbit_per_second": profile.bit_rate,
                "for": uses(choice, n),
                "url": stream.ok().map(|stream| stream.url.to_string()),
                "host_said": stream.ok().and_then(|stream| stream.said.clone()),
                "problem": stream.err().map(ToString::to_string),
            }))
        })
        .collect();
    let introduction = &camera.introduction;
    without_nulls(json!({
        "name": camera.name(),
        "host": camera.host,
        "service": camera.service,
        "endpoint": introduction.endpoint,
        "location": introduction.location,
        "maker": answers.maker,
        "model": answers.model.as_ref().or(introduction.hardware.as_ref()),
        "firmware": answers.firmware,
        "clock_ahead_seconds": answers.clock_ahead.map(|ahead| ahead.as_secs()),
        "access": answers.profiles.is_ok().then_some(answers.access),
        "problem": answers.profiles.as_ref().err().map(ToString::to_string),
        "profiles": profiles,
    }))
}

fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(fields) = &mut value {
        fields.retain(|_, field| !field.is_null());
    }
    value
}

/// What goes into each `[[camera]]`.
pub(super) struct Blocks<'a> {
    pub(super) user: Option<&'a str>,
    pub(super) password_file: Option<&'a Path>,
    pub(super) model: &'a Segment,
    pub(super) purpose: &'a str,
}

impl Blocks<'_> {
    /// One block for each camera with a stream, and a comment for each without.
    pub(super) fn write(&self, cameras: &[Camera]) -> String {
        let mut ids = BTreeSet::new();
        let blocks: Vec<_> = cameras.iter().map(|camera| self.block(camera, &mut ids)).collect();
        blocks.join("\n")
    }

    fn block(&self, camera: &Camera, ids: &mut BTreeSet<Segment>) -> String {
        let profiles = camera.answers.profiles.as_deref().unwrap_or_default();
        let choice = Choice::of(profiles);
        let at = |place: Option<usize>| profiles.get(place?).and_then(|p| Some((p, p.stream.as_ref().ok()?)));
        // No text of a camera's has a line break, so none can leave its comment.
        let mut text = format!("# {}\n", headline(camera));
        let Some((profile, stream)) = at(choice.detection) else {
            let why = match &camera.answers.profiles {
                Err(problem) => problem.to_string(),
                Ok(profiles) => profiles.iter().find_map(|p| p.stream.as_ref().err()).map_or_else(
                    || "has no stream that could be decoded: set H.264 or H.265 in it".to_owned(),
                    ToString::to_string,
                ),
            };
            let _ = writeln!(text, "# left out: {why}");
            return text;
        };
        let size = profile.size.map(|[width, height]| format!(", {width}x{height}")).unwrap_or_default();
        let _ = writeln!(text, "# Profile {}{size}.", profile.name);
        if let Some((_, evidence)) = at(choice.evidence).filter(|(_, evidence)| evidence.url != stream.url) {
            let _ =
                writeln!(text, "# Its largest stream, for clips: evidence_url = {}", quoted(&evidence.url.to_string()));
        }
        let id = unique(camera, ids);
        let _ = writeln!(text, "[[camera]]\nid = \"{id}\"\nurl = {}", quoted(&stream.url.to_string()));
        if let Some(user) = self.user {
            // The config lies elsewhere, so the path has to hold from there too.
            let file = self.password_file.map(|path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned()));
            let file = file.map_or_else(|| format!("{id}.password"), |path| path.display().to_string());
            let _ = writeln!(text, "username = {}\npassword = {}", quoted(user), quoted(&format!("file:{file}")));
        }
        let _ = writeln!(text, "model = \"{}\"\npurpose = {}", self.model, quoted(self.purpose));
        text
    }
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// An id from the camera's name, or its address where that has no letters of ASCII, that no other camera has.
fn unique(camera: &Camera, ids: &mut BTreeSet<Segment>) -> Segment {
    let has_letters = |id: &Segment| id.as_str().contains(|c: char| c.is_ascii_lowercase());
    let address = || Segment::suggest(&format!("camera-{}", camera.host));
    let wanted = Segment::suggest(camera.name()).filter(has_letters).or_else(address);
    let base = wanted.map_or_else(|| "camera".to_owned(), |id| id.to_string());
    let mut end = String::new();
    let mut number = 1;
    loop {
        let room = base.len().min(Segment::MAX_LEN - end.len());
        let id = format!("{}{end}", base[..room].trim_end_matches('-'));
        if let Some(id) = Segment::suggest(&id).filter(|id| ids.insert(id.clone())) {
            return id;
        }
        number += 1;
        end = format!("-{number}");
    }
}
