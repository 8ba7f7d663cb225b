#!/usr/bin/env python3
"""Draws the pictures of docs/rules: for each kind of rule one that fires and one that does not.

    python3 tools/rule_pictures.py [FOLDER]

Standard library only. The same files every time.
"""

import pathlib
import sys

PANEL = (308, 173)
RED, GREY, BLUE, DARK, WHITE, PAPER = "#c62828", "#607d8b", "#1976d2", "#263238", "#fff", "#f5f5f0"

HEAD = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 236" font-family="sans-serif" font-size="11">
<defs><marker id="a" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">\
<path d="M0 0L8 4L0 8z" fill="#37474f"/></marker>
<g id="p"><circle cx="0" cy="-47" r="6"/><path d="M-7-39h14l2 19h-4l-1 20h-8l-1-20h-4z"/></g>
<g id="c"><path d="M-31-4v-13l8-2l8-13h27l10 13l9 3v12z"/><circle cx="-17" cy="-4" r="6"/><circle cx="17" cy="-4" r="6"/></g>
<g id="d"><path d="M-16 0v-14l-4-9l6 3h20l8-8l6 5l-5 5v18h-4v-9h-18v9z"/></g>
<g id="b"><path d="M-10 0v-14h5v-4h10v4h5v14z"/></g></defs>
<rect width="640" height="236" fill="#fff"/>
"""

# Half the width and the height of what can be seen, of which box, and how it is drawn.
SHAPES = {"p": (12, 56), "c": (34, 36), "d": (22, 30), "b": (12, 20)}


def escaped(text):
    return text.replace("&", "&amp;").replace("<", "&lt;")


def pairs(points):
    return " ".join(f"{x},{y}" for x, y in points)


def zone(*points):
    return f'<polygon points="{pairs(points)}" fill="{BLUE}" fill-opacity=".16" stroke="{BLUE}"/>'


def line(*points):
    return f'<polyline points="{pairs(points)}" fill="none" stroke="{DARK}" stroke-width="3"/>'


def way(*points):
    """Where it went; the arrow is where it ends."""
    return (
        f'<polyline points="{pairs(points)}" fill="none" stroke="#37474f" stroke-width="1.5" '
        'stroke-dasharray="5 3" marker-end="url(#a)"/>'
    )


def heading(*points):
    """The right way."""
    return (
        f'<polyline points="{pairs(points)}" fill="none" stroke="{BLUE}" stroke-width="5" stroke-opacity=".5" '
        'marker-end="url(#a)"/>'
    )


def text(x, y, words, colour=DARK, anchor="middle"):
    """Words with a rim, so that they can be read over lines."""
    rim = "" if colour == WHITE else f' stroke="{PAPER}" stroke-width="3" paint-order="stroke"'
    return f'<text x="{x:g}" y="{y}" fill="{colour}" text-anchor="{anchor}"{rim}>{escaped(words)}</text>\n'


def thing(shape, x, y, on=False, size=1.0, seen=True, label="", turn=0, box=None):
    """Something that stands with its foot at a point: red if the rule fires for it, and with dashes if it is not seen."""
    half, high = box or (SHAPES[shape][0] * size, SHAPES[shape][1] * size)
    colour = RED if on else GREY
    how = f"translate({x} {y})" + (f" rotate({turn})" if turn else "") + (f" scale({size})" if size != 1.0 else "")
    dashes = "" if seen else ' stroke-dasharray="3 3"'
    fade = "" if seen else ' opacity=".35"'
    drawn = f'<use href="#{shape}" transform="{how}" fill="{colour}"{fade}/>'
    drawn += (
        f'<rect x="{x - half:g}" y="{y - high:g}" width="{2 * half:g}" height="{high:g}" fill="none" '
        f'stroke="{colour}" stroke-width="1.5"{dashes}/><circle cx="{x}" cy="{y}" r="2.5" fill="{DARK}"/>'
    )
    return drawn + (text(x, round(y - high - 4), label, colour) if label else "")


def person(x, y, on=False, **more):
    return thing("p", x, y, on, **more)


def lying(x, y, on=False, label=""):
    """Somebody on the ground, with the head to the right."""
    return f'<g>{thing("p", x, y, on, turn=90, box=(30, 18), label=label)}</g>'.replace(
        f"translate({x} {y}) rotate(90)", f"translate({x - 26} {y - 9}) rotate(90)"
    )


def car(x, y, on=False, **more):
    return thing("c", x, y, on, **more)


def bag(x, y, on=False, **more):
    return thing("b", x, y, on, **more)


def shade(x, y, w, h, colour="#b0bec5", words=""):
    """A wall, a tree, a table: what hides others."""
    drawn = f'<rect x="{x}" y="{y}" width="{w}" height="{h}" fill="{colour}"/>'
    return drawn + (text(x + w / 2, y + h / 2 + 4, words) if words else "")


def post(x, y, h=90):
    return shade(x - 9, y - h, 18, h, "#8d6e63")


def blank(colour, words):
    """The whole picture is that."""
    return shade(0, 0, *PANEL, colour) + text(PANEL[0] / 2, 92, words, WHITE if colour == DARK else DARK)


YARD = zone((90, 80), (230, 80), (285, 160), (35, 160))
DOOR = line((40, 110), (268, 110))
LANE = zone((120, 20), (188, 20), (270, 168), (38, 168))

# Of each kind: what is drawn and said of what fires, and of what does not.
PICTURES = {
    "intrusion": (
        ([YARD, way((20, 60), (80, 70), (160, 120)), person(160, 120, True), text(30, 52, "0 s"), text(206, 118, "2 s inside")],
         "in the zone for the dwell time"),
        ([YARD, way((10, 70), (295, 70)), person(285, 70), person(60, 78, label="outside"), way((170, 150), (170, 172)),
          person(170, 150, label="0.6 s")],
         "outside, or only for a moment"),
    ),
    "line_crossing": (
        ([DOOR, way((90, 60), (120, 95), (170, 150)), person(170, 150, True), person(90, 60, seen=False),
          text(200, 150, "1.4 s", anchor="start"), text(66, 60, "0 s", anchor="end")],
         "twice seen here, then twice there"),
        ([DOOR, way((70, 60), (90, 100), (110, 60)), person(110, 60, label="turns back"), way((286, 60), (286, 160)),
          person(286, 160, label="around"), person(200, 116, seen=False, label="one picture")],
         "turns back, flickers, goes around the end"),
    ),
    "loitering": (
        ([YARD, way((70, 140), (240, 140), (240, 120), (90, 120), (90, 104), (180, 104)), person(180, 104, True),
          text(200, 76, "12 s + 9 s + 10 s", anchor="start")],
         "31 s inside, all in all"),
        ([YARD, way((10, 130), (298, 130)), person(280, 130), text(150, 124, "8 s")],
         "walks through"),
    ),
    "crowd": (
        ([YARD] + [person(x, y, True, size=0.8) for x, y in
                   [(100, 115), (150, 110), (200, 115), (80, 152), (140, 150), (210, 152)]],
         "six for the dwell time, where six are asked for"),
        ([YARD] + [person(x, y, size=0.8) for x, y in [(100, 115), (150, 110), (200, 115), (80, 152), (140, 150)]]
         + [person(280, 74, size=0.8, label="outside")],
         "five; the sixth is outside"),
    ),
    "occupancy": (
        ([DOOR, text(20, 100, "out", anchor="start"), text(20, 126, "in", anchor="start"),
          way((230, 70), (230, 158)), person(230, 158, True, label="the 6th")]
         + [person(x, 160, size=0.8) for x in (60, 90, 120, 150, 180)],
         "one more than the capacity of 5"),
        ([DOOR, text(20, 100, "out", anchor="start"), text(20, 126, "in", anchor="start"),
          way((230, 160), (230, 72)), person(230, 72)]
         + [person(x, 160, size=0.8) for x in (60, 90, 120, 150)]
         + [person(190, 114, seen=False, size=0.8)],
         "one goes out; a flicker on the line is nobody"),
    ),
    "absence": (
        ([zone((110, 110), (210, 110), (225, 162), (95, 162)), way((150, 140), (50, 140)), person(50, 140, label="outside"),
          text(160, 140, "empty for 60 s", RED)],
         "nobody there for the dwell time"),
        ([zone((110, 110), (210, 110), (225, 162), (95, 162)), person(160, 150, seen=False, label="hidden for 1 s"),
          shade(128, 118, 64, 40), text(160, 142, "lorry")],
         "hidden for a moment; or the camera is blind"),
    ),
    "abandoned_object": (
        ([YARD, bag(120, 140, True, label="stands 30 s"), way((140, 140), (284, 120)), person(284, 120, label="owner")],
         "the owner has been away for 10 s"),
        ([YARD, bag(120, 140), person(152, 142, label="owner"), way((200, 100), (296, 100)), person(296, 100)],
         "the owner stands beside it"),
    ),
    "removed_object": (
        ([zone((110, 100), (210, 100), (220, 150), (100, 150)), thing("b", 160, 140, True, seen=False, label="gone for 5 s"),
          way((190, 150), (280, 160)), person(280, 160), bag(262, 140)],
         "what stood there is missing"),
        ([zone((110, 100), (210, 100), (220, 150), (100, 150)), bag(150, 140), person(160, 152, label="stands before it"),
          bag(250, 150, label="put down")],
         "hidden; or something was put down"),
    ),
    "wrong_way": (
        ([LANE, heading((110, 150), (140, 40)), way((185, 50), (205, 150)), car(205, 150, True, size=0.9),
          text(215, 60, "0 s", anchor="start"), text(245, 150, "3 s", anchor="start")],
         "against the arrow, over the distance"),
        ([LANE, heading((110, 150), (140, 40)), way((205, 150), (185, 60)), car(185, 60, size=0.6),
          way((84, 134), (74, 160)), text(82, 164, "a step back", anchor="start")],
         "with the arrow; back for a step"),
    ),
    "speed": (
        ([LANE, way((160, 30), (120, 140)), car(120, 140, True, label="62 km/h"), text(172, 34, "0 s", anchor="start"),
          text(160, 144, "1.6 s", anchor="start")],
         "faster than 40 km/h for the dwell time"),
        ([LANE, way((200, 150), (170, 50)), car(170, 50, size=0.5, label="28 km/h"), car(90, 150, seen=False, label="jumps once")],
         "slow enough; one wild box"),
    ),
    "running": (
        ([YARD, way((30, 130), (230, 130)), person(230, 130, True, label="2.6 heights/s"), text(30, 124, "0 s"),
          text(262, 130, "1.6 s", anchor="start")],
         "faster than 1.8 of one's heights a second"),
        ([YARD, way((60, 150), (120, 150)), person(120, 150, label="0.9 heights/s"), person(230, 130),
          shade(205, 112, 60, 30, words="wall"), text(232, 66, "legs hidden")],
         "walks; a box that only shrinks"),
    ),
    "stopped_vehicle": (
        ([LANE, way((160, 20), (150, 108)), car(150, 140, True, label="60 s")],
         "stands for the dwell time"),
        ([LANE, way((190, 60), (196, 90), (204, 120), (210, 150)), car(210, 150, size=0.9, label="creeps"), text(60, 150, "20 s each"),
          way((110, 140), (128, 60)), car(128, 60, size=0.5)],
         "creeps on in a jam, or drives on"),
    ),
    "tailgating": (
        ([DOOR, way((140, 50), (140, 160)), way((180, 50), (180, 134)), person(140, 160, label="0 s"),
          person(180, 136, True, label="1 s")],
         "the second within 2 s, the same way"),
        ([DOOR, way((90, 50), (90, 160)), person(90, 160, label="0 s"), way((150, 90), (150, 106)), person(150, 90, label="6 s"),
          way((230, 160), (230, 76)), person(230, 76, label="comes out")],
         "later; or the other way"),
    ),
    "person_down": (
        ([YARD, person(90, 140, seen=False, label="stood"), lying(190, 146, True, label="5 s, head at 0.3")],
         "lies still for the dwell time"),
        ([YARD, person(70, 145, size=0.62, box=(14, 37), label="kneels"), person(160, 150), shade(130, 122, 60, 28, words="table"),
          person(250, 140, box=(30, 56), label="arms out")],
         "kneels, sits behind a table, stretches"),
    ),
    "object_seen": (
        ([YARD, thing("d", 160, 140, True, label="dog 71 %")]
         + [text(100 + 27 * i, 56, mark, RED if mark == "seen" else GREY) for i, mark in enumerate(["seen", "-", "seen", "-", "seen"])],
         "seen in 3 of the last 5 looks"),
        ([YARD, thing("d", 160, 140, seen=False), person(240, 140, label="person")]
         + [text(100 + 27 * i, 56, mark, GREY) for i, mark in enumerate(["-", "-", "seen", "-", "-"])],
         "in 1 of 5; or another class"),
    ),
    "group": (
        ([YARD, line((110, 140), (148, 146), (186, 138)), person(110, 140, True), person(148, 146, True), person(186, 138, True)],
         "three, each near the next, for 5 s"),
        ([YARD, person(60, 150), person(160, 105), person(262, 150)],
         "three who stand apart"),
    ),
    "sequence": (
        ([line((20, 60), (288, 60)), zone((150, 100), (250, 100), (262, 162), (138, 162)), way((60, 40), (70, 80), (200, 145)),
          person(200, 145, True), text(88, 82, "1 crossed, 0 s", anchor="start"), text(216, 132, "2", RED), text(200, 170, "9 s", RED)],
         "over the line, then in the zone within 30 s"),
        ([line((20, 60), (288, 60)), zone((150, 100), (250, 100), (262, 162), (138, 162)), way((298, 140), (220, 145)),
          person(220, 145, label="2 alone"), way((60, 50), (66, 120)), person(66, 120, label="1 alone")],
         "one of the two alone, or too late"),
    ),
    "camera_tampering": (
        ([blank(DARK, "covered for 10 s")], "the picture is covered, turned or blurred"),
        ([YARD, person(60, 140), shade(110, 40, 170, 110, "#90a4ae", "a bus, for 4 s")], "what passes"),
    ),
    "camera_loss": (
        ([blank("#eceff1", "no pictures for 30 s")], "no pictures come"),
        ([YARD, person(150, 130), text(150, 40, "stalled for 6 s, then on")], "a short loss; a covered lens"),
    ),
}


def on_top(drawn):
    """Words after all that could hide them."""
    parts = drawn.replace("<text", "\n<text").split("\n")
    is_text = [part.startswith("<text") for part in parts]
    return "\n".join(
        [p for p, t in zip(parts, is_text) if p and not t] + [p for p, t in zip(parts, is_text) if t]
    )


def panel(left, colour, title, drawn, caption):
    width, height = PANEL
    return (
        f'<g transform="translate({left} 24)"><text x="0" y="-8" font-size="13" font-weight="bold" fill="{colour}">{title}</text>\n'
        f'<svg width="{width}" height="{height}"><rect width="{width}" height="{height}" fill="{PAPER}"/>\n'
        + on_top("\n".join(drawn))
        + f'\n</svg><rect width="{width}" height="{height}" fill="none" stroke="#90a4ae"/>\n'
        + text(width / 2, height + 20, caption).replace("<text", '<text font-size="12"')
        + "</g>\n"
    )


def picture(fires, silent):
    return HEAD + panel(8, RED, "fires", *fires) + panel(324, GREY, "does not", *silent) + "</svg>\n"


def main():
    here = pathlib.Path(__file__).resolve().parent.parent / "docs" / "rules"
    folder = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else here
    for kind, (fires, silent) in PICTURES.items():
        (folder / f"{kind}.svg").write_text(picture(fires, silent), encoding="utf-8")


if __name__ == "__main__":
    main()
