use toml::{Spanned, de::DeValue};

use super::{
    value::{Checked, Wrong, float},
    wanted::wanted,
};
use crate::{
    config::keys::{Key, Takes},
    rules::geometry::Point,
};

const PIXELS: &str = "if these are pixels, divide x by the picture's width and y by its height";

/// A list of points.
pub(super) fn points(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<Vec<Point>> {
    let form = || format!("{} is wanted", wanted(&key.takes));
    let example = format!("for example {} = {}", key.name, key.example());
    let (Takes::Points(min, max), DeValue::Array(items)) = (&key.takes, value.get_ref()) else {
        return Wrong::new(form(), example);
    };
    if !items.iter().any(|item| matches!(item.get_ref(), DeValue::Array(_))) {
        return Wrong::new(form(), example);
    }
    let mut points = Vec::new();
    let mut wrongs = Vec::new();
    for item in items.iter() {
        let wrong = |what: &str, remedy: &str| Wrong {
            what: what.to_owned(),
            remedy: Some(remedy.to_owned()),
            at: Some(item.span()),
        };
        match pair(item.get_ref()) {
            Some([x, y]) if share(x) && share(y) => points.push(Point::new(x as f32, y as f32)),
            Some(_) => wrongs.push(wrong("x and y go from 0 to 1, from the picture's top left", PIXELS)),
            None => wrongs.push(wrong("a point [x, y] of two numbers is wanted", "for example [0.25, 0.5]")),
        }
    }
    if !wrongs.is_empty() {
        return Err(wrongs);
    }
    if !(min..=max).contains(&&points.len()) {
        let remedy = if points.len() < *min { "add the missing points" } else { "leave some out" };
        return Wrong::new(format!("{}, these are {}", form(), points.len()), remedy);
    }
    Ok(points)
}

/// Places on the ground.
pub(super) fn metres(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<[[f64; 2]; 4]> {
    let form = || format!("{} is wanted", wanted(&key.takes));
    let example = format!("for example {} = {}", key.name, key.example());
    let (Takes::Metres(_, most), DeValue::Array(items)) = (&key.takes, value.get_ref()) else {
        return Wrong::new(form(), example);
    };
    let mut places = Vec::new();
    let mut wrongs = Vec::new();
    for item in items.iter() {
        let wrong = |what: String, remedy: &str| Wrong::at(what, remedy, item.span());
        match pair(item.get_ref()) {
            Some(place) if place.iter().all(|v| v.abs() <= *most) => places.push(place),
            Some(_) => wrongs.push(wrong(format!("x and y go from -{most} to {most}"), "write them in metres")),
            None => wrongs.push(wrong("a place [x, y] of two numbers is wanted".to_owned(), "for example [6, 12.5]")),
        }
    }
    if !wrongs.is_empty() {
        return Err(wrongs);
    }
    let found = places.len();
    <[[f64; 2]; 4]>::try_from(places).or_else(|_| {
        let remedy = if found < 4 { "add the missing places" } else { "leave some out" };
        Wrong::new(format!("{}, these are {found}", form()), remedy)
    })
}

/// `[width, height]` in shares of the picture.
pub(super) fn extent(key: &'static Key, value: &Spanned<DeValue<'_>>) -> Checked<[f32; 2]> {
    match pair(value.get_ref()) {
        Some([w, h]) if share(w) && share(h) => Ok([w as f32, h as f32]),
        Some(_) => Wrong::new("width and height go from 0 to 1, as shares of the picture's", PIXELS),
        None => {
            let remedy = format!("for example {} = [0.02, 0.05]", key.name);
            Wrong::new(format!("{} is wanted", wanted(&key.takes).trim_end_matches(',')), remedy)
        }
    }
}

fn pair(value: &DeValue<'_>) -> Option<[f64; 2]> {
    let DeValue::Array(items) = value else { return None };
    let mut numbers = items.iter().map(|item| float(item.get_ref()));
    let pair = [numbers.next()??, numbers.next()??];
    numbers.next().is_none().then_some(pair)
}

fn share(number: f64) -> bool {
    (0.0..=1.0).contains(&number)
}
