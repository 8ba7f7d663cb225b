use karaul_wire::RuleKind as Kind;

use super::{
    choose,
    filter::classes,
    geometry::points,
    measure::{distance, pace},
    rule::{Head, Scene},
    table::Table,
    value::{duration, number, text, time, whole, word, words},
};
use crate::{
    config::{Daily, Direction, Distance, Line, Pace, RuleKind, Same, Zone},
    rules::geometry::Point,
    sight::Condition,
};

/// What only rules of this kind have.
pub(super) fn kind(table: &Table<'_>, kind: Kind, all: &[Head], scene: &Scene<'_>) -> Option<RuleKind> {
    let read = Reader { table, scene };
    // All of them before the first `?`, so that whatever is wrong is told at once.
    let dwell = table.get("dwell", duration);
    match kind {
        Kind::Intrusion => Some(RuleKind::Intrusion { zone: read.zone()?, dwell: dwell? }),
        Kind::LineCrossing => {
            let (line, direction) = (read.line(), read.direction("direction"));
            Some(RuleKind::LineCrossing { line: line?, direction: direction? })
        }
        Kind::Loitering => {
            let (zone, away) = (read.zone(), table.get("away", duration));
            Some(RuleKind::Loitering { zone: zone?, dwell: dwell?, away: away? })
        }
        Kind::Crowd => {
            let zone = read.zone();
            let (at_least, density) = read.how_many(zone.as_ref())?;
            Some(RuleKind::Crowd { zone: zone?, at_least, density, dwell: dwell? })
        }
        Kind::Occupancy => {
            let (line, inward, capacity) = (read.line(), read.direction("inward"), read.count("capacity"));
            let reset = read.reset();
            Some(RuleKind::Occupancy { line: line?, inward: inward?, capacity: capacity?, reset: reset? })
        }
        Kind::Absence => {
            let (zone, at_least) = (read.zone(), read.count("at_least"));
            Some(RuleKind::Absence { zone: zone?, at_least: at_least?, dwell: dwell? })
        }
        Kind::AbandonedObject => {
            let (zone, owner_within) = (read.zone(), read.distance("owner_within"));
            let owner_away = table.get("owner_away", duration);
            Some(RuleKind::AbandonedObject {
                zone: zone?,
                dwell: dwell?,
                owner_within: owner_within?,
                owner_away: owner_away?,
            })
        }
        Kind::RemovedObject => Some(RuleKind::RemovedObject { zone: read.zone()?, dwell: dwell? }),
        Kind::WrongWay => {
            let (zone, heading) = (read.zone(), read.heading());
            let (tolerance, distance) = (table.get("tolerance", number), read.distance("distance"));
            Some(RuleKind::WrongWay { zone: zone?, heading: heading?, tolerance: tolerance?, distance: distance? })
        }
        Kind::Speed => {
            let (zone, over) = (read.anywhere(), read.pace());
            Some(RuleKind::Speed { zone: zone?, over: over?, dwell: dwell? })
        }
        Kind::Running => {
            let (zone, over) = (read.anywhere(), read.pace());
            Some(RuleKind::Running { zone: zone?, over: over?, dwell: dwell? })
        }
        Kind::StoppedVehicle => Some(RuleKind::StoppedVehicle { zone: read.zone()?, dwell: dwell? }),
        Kind::Tailgating => {
            let (line, direction) = (read.line(), read.direction("direction"));
            let within = table.get("within", duration);
            Some(RuleKind::Tailgating { line: line?, direction: direction?, within: within? })
        }
        Kind::PersonDown => {
            let zone = read.anywhere();
            let given = table.has("down_classes");
            let down = if given { classes(table, "down_classes", scene.model) } else { Some(Vec::new()) };
            Some(RuleKind::PersonDown { zone: zone?, dwell: dwell?, down_classes: down? })
        }
        Kind::ObjectSeen => Some(RuleKind::ObjectSeen { zone: read.anywhere()? }),
        Kind::Group => {
            let (zone, at_least, distance) = (read.anywhere(), read.count("at_least"), read.distance("distance"));
            Some(RuleKind::Group { zone: zone?, at_least: at_least?, distance: distance?, dwell: dwell? })
        }
        Kind::Sequence => read.sequence(all),
        Kind::CameraTampering => {
            let conditions = table.get("conditions", words(&Condition::ALL, Condition::as_str));
            if scene.sight == Some(false) {
                let what = "[camera.sight] is switched off, so nobody looks at the picture itself";
                table.error("kind", what, "write enabled = true there, or remove the rule");
            }
            Some(RuleKind::CameraTampering { conditions: conditions?, dwell: dwell? })
        }
        Kind::CameraLoss => Some(RuleKind::CameraLoss { dwell: dwell? }),
        // Not among the words of `kind`.
        Kind::DeliveryTest => None,
    }
}

/// The keys of kinds that need more than their value.
#[derive(Clone, Copy)]
struct Reader<'a> {
    table: &'a Table<'a>,
    scene: &'a Scene<'a>,
}

impl Reader<'_> {
    fn zone(self) -> Option<Zone> {
        self.scene.zones.of(self.table).map(|(id, polygon)| Zone { id, polygon })
    }

    /// A zone that may be left out.
    fn anywhere(self) -> Option<Option<Zone>> {
        if self.table.has("zone") { self.zone().map(Some) } else { Some(None) }
    }

    fn line(self) -> Option<Line> {
        self.scene.lines.of(self.table).map(|(id, path)| Line { id, path })
    }

    fn direction(self, name: &str) -> Option<Direction> {
        let ways: &'static [Direction] =
            if name == "inward" { &[Direction::LeftToRight, Direction::RightToLeft] } else { &Direction::ALL };
        self.table.get(name, word(ways, Direction::as_str))
    }

    fn count(self, name: &str) -> Option<u32> {
        self.table.get(name, whole).and_then(|count| u32::try_from(count).ok())
    }

    /// Metres need the ground.
    fn distance(self, name: &str) -> Option<Distance> {
        let distance = self.table.get(name, distance)?;
        if matches!(distance, Distance::Metres(_)) {
            self.needs_ground(name, "metres can be told only from the ground", "\"1.5heights\"");
        }
        Some(distance)
    }

    /// Kilometres an hour need the ground.
    fn pace(self) -> Option<Pace> {
        let pace = self.table.get("over", pace)?;
        if matches!(pace, Pace::KmPerHour(_)) {
            self.needs_ground("over", "km/h can be told only from the ground", "\"1.8heights/s\"");
        }
        Some(pace)
    }

    fn needs_ground(self, name: &str, what: &str, otherwise: &str) {
        if self.scene.ground.is_none() {
            let remedy =
                format!("add [camera.ground] with four points and where they lie in metres, or write {otherwise}");
            self.table.undefined(name, what, remedy);
        }
    }

    /// `at_least` or `at_least_per_m2` of a crowd.
    fn how_many(self, zone: Option<&Zone>) -> Option<(Option<u32>, Option<f64>)> {
        let table = self.table;
        let (count, density) = (self.count("at_least"), table.get("at_least_per_m2", number));
        match (table.has("at_least"), table.has("at_least_per_m2")) {
            (true, true) => {
                table.error("at_least_per_m2", "at_least is there already", "remove one of both");
                return None;
            }
            (false, false) if !table.misspelt("at_least") && !table.misspelt("at_least_per_m2") => {
                let what = "at_least is missing".to_owned();
                let remedy = Some("add at_least = 10, or at_least_per_m2 = 2.0".to_owned());
                table.report.absence(&table.place, &table.span, what, remedy);
            }
            _ => {}
        }
        if density.is_some() {
            if self.scene.ground.is_none() {
                let remedy = "add [camera.ground] with four points and where they lie in metres, or write at_least";
                table.undefined("at_least_per_m2", "square metres can be told only from the ground", remedy);
            }
            let ground = self.scene.ground.flatten();
            let beyond = |zone: &Zone| ground.is_some_and(|g| g.area(zone.polygon.corners()).is_none());
            if let Some(zone) = zone.filter(|zone| beyond(zone)) {
                let what = format!("zone \"{}\" reaches to the horizon of [camera.ground], so it has no area", zone.id);
                table.error("at_least_per_m2", &what, "draw the zone lower, or write at_least");
            }
        }
        (count.is_some() || density.is_some()).then_some((count, density))
    }

    fn reset(self) -> Option<Option<Daily>> {
        if !self.table.has("reset") {
            return Some(None);
        }
        let time = self.table.get("reset", time)?;
        let minute = u16::from(time.hour().unsigned_abs()) * 60 + u16::from(time.minute().unsigned_abs());
        Some(Some(Daily { minute, time_zone: self.scene.site?.time_zone.clone() }))
    }

    fn heading(self) -> Option<[Point; 2]> {
        let heading = <[Point; 2]>::try_from(self.table.get("heading", points)?).ok()?;
        if heading[0] == heading[1] {
            let remedy = "write where from and where to the right way goes, as in [[0.5, 0.9], [0.5, 0.5]]";
            self.table.error("heading", "both points are the same, so it has no direction", remedy);
            return None;
        }
        Some(heading)
    }

    fn sequence(self, all: &[Head]) -> Option<RuleKind> {
        let table = self.table;
        let (first, then) = (self.part("first", all), self.part("then", all));
        let within = table.get("within", duration);
        let same = table.get("same", word(&Same::ALL, Same::as_str));
        let (first, then) = (first?, then?);
        if first == then {
            table.error("then", "this is the rule that comes first", "name another rule of this camera");
            return None;
        }
        let without_track = [first, then].into_iter().find(|i| all[*i].kind.is_some_and(|kind| !is_about_track(kind)));
        if let (Some(i), Some(Same::Track)) = (without_track, same) {
            let id = all[i].id.as_ref().map(ToString::to_string).unwrap_or_default();
            let what = format!("rule \"{id}\" is not about one object");
            table.error("same", &what, "write same = \"camera\"");
            return None;
        }
        Some(RuleKind::Sequence { first, then, within: within?, same: same? })
    }

    /// The index of the rule that a sequence names.
    fn part(self, name: &str, all: &[Head]) -> Option<usize> {
        let wanted = self.table.get(name, text)?;
        let is = |head: &Head| head.id.as_ref().is_some_and(|id| id.as_str() == wanted);
        if let Some(i) = all.iter().position(is) {
            if all[i].kind == Some(Kind::Sequence) {
                let what = "this is a sequence itself";
                self.table.error(name, what, "name a rule of another kind");
                return None;
            }
            return Some(i);
        }
        if all.iter().any(|head| head.id.is_none()) {
            // It may be the one whose id is wrong, which was reported.
            return None;
        }
        let others = all.iter().filter(|head| head.kind != Some(Kind::Sequence));
        let names: Vec<&str> = others.filter_map(|head| head.id.as_ref()).map(|id| id.as_str()).collect();
        let remedy = choose(&wanted, &names, "add the rules that it is made of to this camera");
        self.table.undefined(name, "this camera has no such rule", remedy);
        None
    }
}

/// Is such a rule about one object that is followed?
const fn is_about_track(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::Intrusion
            | Kind::LineCrossing
            | Kind::Loitering
            | Kind::WrongWay
            | Kind::Speed
            | Kind::Running
            | Kind::StoppedVehicle
            | Kind::Tailgating
            | Kind::PersonDown
            | Kind::ObjectSeen
    )
}
