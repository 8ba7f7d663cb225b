//! The part of a site's config that belongs to a story.

use std::fmt::Write as _;

use super::{Plot, Story};

/// The rules that a sequence is made of.
const PARTS: &str = "[[camera.rule]]
id = \"comes-over\"
kind = \"line_crossing\"
line = \"fence\"
classes = [\"person\"]
direction = \"left-to-right\"

[[camera.rule]]
id = \"at-the-wall\"
kind = \"intrusion\"
zone = \"wall\"
classes = [\"person\"]
dwell = \"1s\"

";

pub(super) fn text(story: Story) -> String {
    let plot = story.plot();
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(story, &plot, &mut text);
    text
}

fn write(story: Story, plot: &Plot, out: &mut String) -> std::fmt::Result {
    // What is told in metres needs to know where they are.
    if ["km/h\"", "m\""].iter().any(|unit| plot.rule.contains(unit)) {
        let ground = story.ground();
        let (points, metres) = (list(ground.map(|point| point.at)), list(ground.map(|point| point.metres)));
        writeln!(out, "[camera.ground]\npoints = [{points}]\nmetres = [{metres}]\n")?;
    }
    let zones = story.zones().into_iter().map(|(name, points)| ("zone", name, points));
    // The right way of a street is no line that anybody crosses.
    let lines = story.lines().into_iter().filter(|_| story != Story::WrongWay);
    for (what, name, points) in zones.chain(lines.map(|(name, points)| ("line", name, points))) {
        writeln!(out, "[camera.{what}.{name}]\npoints = [{}]\n", list(points))?;
    }
    if story == Story::Sequence {
        out.push_str(PARTS);
    }
    writeln!(out, "[[camera.rule]]\nid = \"{}\"\nkind = \"{}\"", story.rule_id(), story.kind())?;
    // A sequence names its places and classes in its parts.
    if story != Story::Sequence {
        match (plot.zones.first(), plot.lines.first()) {
            (Some((zone, _)), _) => writeln!(out, "zone = \"{zone}\"")?,
            (None, Some((line, _))) => writeln!(out, "line = \"{line}\"")?,
            (None, None) => {}
        }
        // A parcel that is gone is of no class.
        if story != Story::RemovedObject {
            let classes: Vec<String> = plot.classes.iter().map(|class| format!("{class:?}")).collect();
            writeln!(out, "classes = [{}]", classes.join(", "))?;
        }
    }
    if story == Story::WrongWay {
        let heading = story.lines().into_iter().flat_map(|(_, points)| points);
        writeln!(out, "heading = [{}]", list(heading))?;
    }
    out.push_str(&plot.rule);
    Ok(())
}

/// `[x, y]` of each, as TOML wants it.
fn list(points: impl IntoIterator<Item = [f32; 2]>) -> String {
    let points: Vec<String> = points.into_iter().map(|[x, y]| format!("[{x}, {y}]")).collect();
    points.join(", ")
}
