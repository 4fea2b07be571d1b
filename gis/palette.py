"""Colours and shapes of the maps and their legends, told apart by colour-blind readers too.

Ten disposal states are more than colour alone can carry, so the shape says the phase (waiting, at
work, done, set aside) and the colour the state within it.
"""

from typing import NamedTuple


class Sign(NamedTuple):
    """How one kind of point is drawn: a colour, and a shape that reads without colour."""

    colour: str
    shape: str


# Blues, reds and a yellow-brown scale after Okabe & Ito (2008), darkened where white text lies on them.
STATUS: dict[str, Sign] = {
    "reported": Sign("#e69f00", "disc"),
    "accepted": Sign("#a8430c", "disc"),
    "dispatched": Sign("#f2c94c", "diamond"),
    "handling": Sign("#d55e00", "diamond"),
    "suspended": Sign("#e377c2", "ring"),
    "fed_back": Sign("#6a2c70", "diamond"),
    "verified": Sign("#8fd3f4", "square"),
    "closed": Sign("#2a7fba", "square"),
    "evaluated": Sign("#083d64", "square"),
    "voided": Sign("#5f5f5f", "ring"),
    "merged": Sign("#a9a9a9", "ring"),
}

# Whistles by how those called stand, and where somebody reported in.
WHISTLE: dict[str, Sign] = {
    "proposed": Sign("#5f5f5f", "ring"),
    "awaited": Sign("#e69f00", "disc"),
    "partly": Sign("#f2c94c", "diamond"),
    "missed": Sign("#b2182b", "diamond"),
    "complete": Sign("#2a7fba", "square"),
    "here": Sign("#083d64", "pin"),
    "elsewhere": Sign("#d55e00", "pin"),
}

# What waits to be dispatched, and who is on duty.
DISPATCH: dict[str, Sign] = {
    "late": Sign("#b2182b", "diamond"),
    "waiting": Sign("#e69f00", "disc"),
    "member": Sign("#2a7fba", "ring"),
    "body": Sign("#083d64", "square"),
}

# Hotspot class of gis.hotspot → colour: red hot, blue cold, darker is surer (ColorBrewer RdBu).
HOTSPOT: dict[int, str] = {
    3: "#b2182b",
    2: "#ef8a62",
    1: "#fddbc7",
    0: "#f0f0f0",
    -1: "#d1e5f0",
    -2: "#67a9cf",
    -3: "#2166ac",
}

# Emerging hot spots: the colour says which side and how settled (fresh, lasting, on and off, past); the letter
# which of the seventeen, since no eye tells so many colours apart. ▲ is hot, ▼ cold.
EMERGING: dict[str, Sign] = {
    f"{pattern}_{side}": Sign(colour, letter + arrow)
    for side, arrow, (fresh, lasting, varying, past) in (
        ("hot", "▲", ("#e8743b", "#99101f", "#fbd3bd", "#b79a4b")),
        ("cold", "▼", ("#4fa3d1", "#1c3f8f", "#cfe4f2", "#7f7fa8")),
    )
    for pattern, letter, colour in (
        ("new", "N", fresh), ("consecutive", "C", fresh), ("intensifying", "I", lasting),
        ("persistent", "P", lasting), ("diminishing", "D", lasting), ("sporadic", "S", varying),
        ("oscillating", "O", varying), ("historical", "H", past),
    )
}  # fmt: skip
EMERGING["none"] = Sign("#f0f0f0", "")

# Units of which no rate can be told: too small a base, or none known.
UNSAID: dict[str, str] = {"few": "#c9ced6", "unknown": "#ffffff"}

# From few to many: one hue, so that order is read from lightness alone (ColorBrewer YlOrBr).
COUNTS: tuple[str, ...] = ("#ffffd4", "#fed98e", "#fe9929", "#d95f0e", "#8c2d04")

# Parts of a chart, in order: Okabe & Ito (2008), without yellow and black, which text and paper need; one grey.
SERIES: tuple[str, ...] = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9", "#cc79a7", "#6a2c70", "#8a949e",
)  # fmt: skip

# How much attention a unit needs: told apart by lightness, and by letters on maps and in tables.
GRADE: dict[str, Sign] = {
    "red": Sign("#b2182b", "diamond"),
    "yellow": Sign("#f2c94c", "disc"),
    "green": Sign("#1b7f5c", "square"),
}

# How far a grid is from the mean: below to above, even ones pale, locked ones grey (ColorBrewer PuOr).
BALANCE: dict[int, str] = {
    -2: "#5e3c99", -1: "#b2abd2", 0: "#f7f7f7", 1: "#fdb863", 2: "#e66101", 9: "#8a949e",
}  # fmt: skip

SEVERITY: dict[str, str] = {"error": "#b2182b", "warning": "#e69f00"}

# What a unit without a value is filled with.
NOTHING = "#ffffff"

# Outline of each level, coarse borders heavier than fine ones.
OUTLINE: dict[str, dict] = {
    "street": {"color": "#1f3a5f", "weight": 3, "opacity": 0.9, "fill": False},
    "community": {"color": "#3d6a99", "weight": 2, "opacity": 0.8, "fill": False},
    "micro_grid": {
        "color": "#7a8fa6",
        "weight": 1,
        "opacity": 0.8,
        "fill": True,
        "fillColor": NOTHING,
        "fillOpacity": 0.05,
    },
    "building": {
        "color": "#8a7f74",
        "weight": 0.5,
        "opacity": 0.9,
        "fill": True,
        "fillColor": "#d9d2c9",
        "fillOpacity": 0.7,
    },
}

# What became of a unit from one edition of the grids to the next (Okabe & Ito): light where little happened.
FATE: dict[str, str] = {
    "new": "#0072b2",
    "retired": "#b2182b",
    "reshaped": "#e69f00",
    "redrawn": "#f7e3a1",
    "renamed": "#cc9fd0",
}
