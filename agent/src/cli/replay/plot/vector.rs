use std::fmt::Write as _;

use super::{Anchor, Colour, Mark, Place, SIZE};

/// The marks as an SVG file.
pub(super) fn svg(marks: &[Mark]) -> String {
    let (width, height) = SIZE;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n"
    );
    for mark in marks {
        // Writing to a String cannot fail.
        let _ = match mark {
            Mark::Line { places, width, colour } => {
                let places: Vec<String> = places.iter().map(|Place { x, y }| format!("{x},{y}")).collect();
                let (places, colour) = (places.join(" "), hex(*colour));
                writeln!(
                    out,
                    "<polyline points=\"{places}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>"
                )
            }
            Mark::Dot { at: Place { x, y }, radius, colour } => {
                writeln!(out, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{radius}\" fill=\"{}\"/>", hex(*colour))
            }
            Mark::Box { from: Place { x, y }, to, colour } => {
                let (width, height) = (to.x - x, to.y - y);
                writeln!(
                    out,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{}\"/>",
                    hex(*colour)
                )
            }
            Mark::Text { at: Place { x, y }, words, anchor, colour } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                let (words, colour) = (escaped(words), hex(*colour));
                // dominant-baseline is not known to all viewers.
                writeln!(
                    out,
                    "<text x=\"{x}\" y=\"{}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{words}</text>",
                    y + 4.5
                )
            }
        };
    }
    out.push_str("</svg>\n");
    out
}

fn hex(Colour([r, g, b]): Colour) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::{
        super::{layout::marks, tests::plot},
        *,
    };

    #[test]
    fn a_plot_is_this_file() {
        insta::assert_snapshot!(svg(&marks(&plot())), @r##"
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360" width="640" height="360" font-family="sans-serif" font-size="13">
        <rect width="640" height="360" fill="#ffffff"/>
        <text x="48" y="20.5" text-anchor="start" fill="#000000">fence.dwell</text>
        <polyline points="48,312 616,312" fill="none" stroke="#000000" stroke-width="1"/>
        <text x="40" y="316.5" text-anchor="end" fill="#000000">0</text>
        <polyline points="48,226.7 616,226.7" fill="none" stroke="#e0e0e0" stroke-width="1"/>
        <text x="40" y="231.2" text-anchor="end" fill="#000000">2</text>
        <polyline points="48,141.3 616,141.3" fill="none" stroke="#e0e0e0" stroke-width="1"/>
        <text x="40" y="145.8" text-anchor="end" fill="#000000">4</text>
        <polyline points="48,56 616,56" fill="none" stroke="#e0e0e0" stroke-width="1"/>
        <text x="40" y="60.5" text-anchor="end" fill="#000000">6</text>
        <polyline points="48,312 48,317" fill="none" stroke="#000000" stroke-width="1"/>
        <text x="48" y="332.5" text-anchor="middle" fill="#000000">1s</text>
        <polyline points="190,312 190,317" fill="none" stroke="#000000" stroke-width="1"/>
        <text x="190" y="332.5" text-anchor="middle" fill="#000000">2s</text>
        <polyline points="616,312 616,317" fill="none" stroke="#000000" stroke-width="1"/>
        <text x="616" y="332.5" text-anchor="middle" fill="#000000">5s</text>
        <polyline points="190,50 190,312" fill="none" stroke="#888888" stroke-width="1"/>
        <text x="194" y="48.5" text-anchor="start" fill="#000000">in the config</text>
        <polyline points="48,56 190,56 616,184" fill="none" stroke="#18a058" stroke-width="2"/>
        <circle cx="48" cy="56" r="4" fill="#18a058"/>
        <circle cx="190" cy="56" r="4" fill="#18a058"/>
        <circle cx="616" cy="184" r="4" fill="#18a058"/>
        <polyline points="48,312 190,312 616,184" fill="none" stroke="#e28800" stroke-width="2"/>
        <rect x="44.5" y="308.5" width="7" height="7" fill="#e28800"/>
        <rect x="186.5" y="308.5" width="7" height="7" fill="#e28800"/>
        <rect x="612.5" y="180.5" width="7" height="7" fill="#e28800"/>
        <polyline points="48,141.3 190,269.3 616,312" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="44,137.3 52,145.3" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="44,145.3 52,137.3" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="186,265.3 194,273.3" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="186,273.3 194,265.3" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="612,308 620,316" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="612,316 620,308" fill="none" stroke="#e02028" stroke-width="2"/>
        <circle cx="52" cy="348" r="4" fill="#18a058"/>
        <text x="62" y="352.5" text-anchor="start" fill="#000000">hits</text>
        <rect x="228.5" y="344.5" width="7" height="7" fill="#e28800"/>
        <text x="242" y="352.5" text-anchor="start" fill="#000000">misses</text>
        <polyline points="408,344 416,352" fill="none" stroke="#e02028" stroke-width="2"/>
        <polyline points="408,352 416,344" fill="none" stroke="#e02028" stroke-width="2"/>
        <text x="422" y="352.5" text-anchor="start" fill="#000000">false alarms</text>
        </svg>
        "##);
    }

    #[test]
    fn what_means_something_in_xml_is_written_otherwise() {
        assert_eq!(escaped("a<b>&c"), "a&lt;b&gt;&amp;c");
    }
}
