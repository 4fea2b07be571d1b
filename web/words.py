"""What the codes of the domain are called on a page: one table a concept, English here, Chinese in the catalogue.

`N_` marks a message for extraction without translating it; `word` translates when the page is made.
"""

from collections.abc import Mapping
from datetime import timedelta

from gis.findings import KINDS
from gridmgr.i18n import _, number


def N_(message: str) -> str:
    """Return the message as it is; it is translated where it is shown."""
    return message


STATES = {
    "reported": N_("Reported"),
    "accepted": N_("Accepted"),
    "dispatched": N_("Dispatched"),
    "handling": N_("Being handled"),
    "fed_back": N_("Awaiting check"),
    "verified": N_("Checked"),
    "closed": N_("Closed"),
    "evaluated": N_("Evaluated"),
    "voided": N_("Voided"),
    "merged": N_("Merged"),
}
# The step as a button says it, and as the history tells it.
ACTIONS = {
    "report": N_("Report"),
    "accept": N_("Accept"),
    "dispatch": N_("Dispatch"),
    "handle": N_("Start handling"),
    "feed_back": N_("Feed back as done"),
    "verify": N_("Check passed"),
    "rework": N_("Check failed, send back"),
    "close": N_("Close"),
    "evaluate": N_("Evaluate"),
    "void": N_("Void"),
    "merge": N_("Merge into another"),
    "adopt": N_("Take over"),
    "rehome": N_("Re-home"),
}
DONE = {
    "report": N_("reported it"),
    "accept": N_("accepted it"),
    "dispatch": N_("dispatched it"),
    "handle": N_("started handling"),
    "feed_back": N_("fed back that it is done"),
    "verify": N_("checked it on site: passed"),
    "rework": N_("checked it on site: failed, sent back"),
    "close": N_("closed it"),
    "evaluate": N_("evaluated it"),
    "void": N_("voided it"),
    "merge": N_("merged it into another"),
    "adopt": N_("took it over from another system"),
    "rehome": N_("moved it to the units of the new map"),
}
SOURCES = {
    "patrol": N_("Grid patrol"),
    "resident": N_("Resident"),
    "hotline": N_("Hotline 12345"),
    "leader": N_("Leader's note"),
    "media": N_("Media"),
    "sensor": N_("Sensor or video"),
    "system": N_("Other system"),
}
ROLES = {
    "grid_member": N_("Grid member"),
    "grid_leader": N_("Grid leader"),
    "community_clerk": N_("Community clerk"),
    "street_dispatcher": N_("Street dispatcher"),
    "department_handler": N_("Department handler"),
    "command_centre": N_("Command centre"),
    "planner": N_("Planner"),
    "admin": N_("Administrator"),
}
LEVELS = {
    "street": N_("Street"),
    "community": N_("Community"),
    "micro_grid": N_("Micro-grid"),
    "building": N_("Building"),
}
LINEAGE = {
    "renamed": N_("Attributes changed"),
    "redrawn": N_("Redrawn, same ground"),
    "reshaped": N_("Ground changed"),
    "new": N_("New"),
    "retired": N_("Retired"),
    "passed": N_("Ground passed on"),
    "same": N_("Unchanged"),
    "kept": N_("Unchanged"),
    "unchanged": N_("Unchanged"),
}
HOW = {
    "inside": N_("inside the unit"),
    "border": N_("on a shared border"),
    "gap": N_("in a gap of the map, nearest unit"),
    "outside": N_("outside the district, nearest unit"),
    "nowhere": N_("no unit near"),
}
DATUMS = {
    "wgs84": N_("WGS-84 (GPS)"),
    "cgcs2000": N_("CGCS2000 (national)"),
    "gcj02": N_("GCJ-02 (AMap, Tencent)"),
    "bd09": N_("BD-09 (Baidu)"),
}
SEVERITIES = {"error": N_("Error"), "warning": N_("Warning")}
URGENCIES = {"1": N_("Ordinary"), "2": N_("Serious"), "3": N_("Urgent")}
LIMITS = {
    "working_hours": N_("{n} working hours"),
    "working_days": N_("{n} working days"),
    "hours": N_("{n} hours"),
}
CATEGORY_KINDS = {
    "component": N_("Components"),
    "event": N_("Events"),
    "platform": N_("Platforms"),
    "foreign": N_("Other systems"),
}
COUNTS = {
    "reported": N_("All incidents"),
    "accepted": N_("Accepted"),
    "due": N_("Due"),
    "closed": N_("Closed"),
    "closed_on_time": N_("Closed on time"),
    "overdue": N_("Unfinished and overdue"),
}
RATES = {
    "acceptance_rate": N_("Acceptance rate"),
    "closing_rate": N_("Closing rate"),
    "on_time_rate": N_("On-time rate"),
}
HOTSPOTS = {
    "3": N_("Hot, 99 % sure"),
    "2": N_("Hot, 95 % sure"),
    "1": N_("Hot, 90 % sure"),
    "0": N_("Not significant"),
    "-1": N_("Cold, 90 % sure"),
    "-2": N_("Cold, 95 % sure"),
    "-3": N_("Cold, 99 % sure"),
}
BATCH_KINDS = {"grids": N_("Grid map"), "incidents": N_("Incidents")}
BATCH_STATUS = {
    "uploaded": N_("Waiting to be described"),
    "checking": N_("Being checked"),
    "checked": N_("Check finished"),
    "loading": N_("Being loaded"),
    "loaded": N_("Loaded"),
    "failed": N_("Failed"),
}
FINDINGS = {
    "empty_geometry": N_("No geometry"),
    "wrong_type": N_("Not a polygon"),
    "invalid_ring": N_("Invalid outline"),
    "missing_code": N_("No code"),
    "duplicate_code": N_("Code used twice"),
    "missing_parent": N_("No parent named"),
    "orphan": N_("Parent does not exist"),
    "bad_edge": N_("Edges do not match"),
    "gap": N_("Gap"),
    "sliver_gap": N_("Narrow gap"),
    "overlap": N_("Overlap"),
    "sliver_overlap": N_("Narrow overlap"),
    "uncovered": N_("Ground without a unit"),
    "child_outside": N_("Leaves its parent"),
    "wholly_elsewhere": N_("Code and place disagree: wholly elsewhere"),
    "mostly_elsewhere": N_("Code and place disagree: mostly elsewhere"),
    "partly_elsewhere": N_("Code and place disagree: partly elsewhere"),
    "multipart": N_("Several parts"),
    "building_nowhere": N_("Building outside all units"),
    "building_straddles": N_("Building across a border"),
    "building_sticks_out": N_("Building sticks out"),
    "building_overlap": N_("Buildings overlap"),
    "building_within": N_("Building inside another"),
}
FIELDS = {
    "code": N_("Code"),
    "name": N_("Name"),
    "parent": N_("Parent's code"),
    "households": N_("Households"),
    "population": N_("Population"),
    "land_use": N_("Land use"),
    "address": N_("Address"),
    "source_id": N_("Number in that system"),
    "lon": N_("Longitude"),
    "lat": N_("Latitude"),
    "reported_at": N_("Reported at"),
    "category": N_("Category"),
    "category_name": N_("Name of the category"),
    "status": N_("Status"),
    "due_at": N_("Due at"),
    "closed_at": N_("Closed at"),
    "handler": N_("Handler"),
    "description": N_("Description"),
    "reporter_name": N_("Reporter's name"),
    "reporter_phone": N_("Reporter's phone"),
    "note": N_("Note"),
    "into": N_("Number of the other incident"),
    "satisfaction": N_("Satisfaction"),
}


def word(table: Mapping[str, str], code: object) -> str:
    """Return what a code is called in the language of this request; an unknown code is shown as it is."""
    key = str(getattr(code, "value", code))
    return _(table[key]) if key in table else key


def finding(row: Mapping) -> str:
    """Return one finding as a sentence in the language of this request.

    Its detail may name a level, which is translated too.
    """
    values = {**row, **row["detail"]}
    if values.get("level_of_parent") in LEVELS:
        values["level_of_parent"] = word(LEVELS, values["level_of_parent"])
    try:
        return _(KINDS[row["kind"]][1]).format(**values)
    except (KeyError, ValueError, TypeError):  # a batch checked by an older version may lack a detail
        return word(FINDINGS, row["kind"])


def distance(metres: float) -> str:
    """Return a distance in metres, from one kilometre on in kilometres."""
    if metres >= 1000:
        return _("{n} km", n=number(metres / 1000, 1))
    return _("{n} m", n=number(metres, 1))


def span(length: timedelta) -> str:
    """Return a length of time in the two largest units that matter."""
    minutes = int(length.total_seconds()) // 60
    days, hours = divmod(minutes // 60, 24)
    if days >= 10:
        return _("{n} d", n=days)
    if days:
        return _("{n} d {h} h", n=days, h=hours)
    return _("{h} h {m} min", h=hours, m=minutes % 60) if hours else _("{m} min", m=minutes)
