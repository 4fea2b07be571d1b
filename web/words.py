"""What the codes of the domain are called on a page: the tables of `gridmgr.words`, and those only pages need.

`N_` marks a message for extraction without translating it; `word` translates when the page is made.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from gis.findings import KINDS
from gridmgr import clock
from gridmgr.dispatch.model import BASES as BASES
from gridmgr.dispatch.model import MODES as MODES
from gridmgr.i18n import _, number
from gridmgr.onsite.model import CHECKS as CHECKS
from gridmgr.onsite.model import ENDINGS as ENDINGS
from gridmgr.onsite.model import SENT as SENT
from gridmgr.words import ACTS as ACTS
from gridmgr.words import ADMISSIONS as ADMISSIONS
from gridmgr.words import ADMITTING as ADMITTING
from gridmgr.words import ANSWERING as ANSWERING
from gridmgr.words import AUDITED as AUDITED
from gridmgr.words import CLOCKS as CLOCKS
from gridmgr.words import DAY_KINDS as DAY_KINDS
from gridmgr.words import DEEDS as DEEDS
from gridmgr.words import FATES as FATES
from gridmgr.words import FINDINGS as FINDINGS
from gridmgr.words import FLAVOURS as FLAVOURS
from gridmgr.words import HOLDERS as HOLDERS
from gridmgr.words import HOTSPOTS as HOTSPOTS
from gridmgr.words import HOW as HOW
from gridmgr.words import LADDER as LADDER
from gridmgr.words import LEVELS as LEVELS
from gridmgr.words import LINEAGE as LINEAGE
from gridmgr.words import LIST_KINDS as LIST_KINDS
from gridmgr.words import N_ as N_
from gridmgr.words import NEEDS as NEEDS
from gridmgr.words import NOTICE_KINDS as NOTICE_KINDS
from gridmgr.words import NOTICES as NOTICES
from gridmgr.words import ORDERS as ORDERS
from gridmgr.words import ORPHANS as ORPHANS
from gridmgr.words import PRESENCES as PRESENCES
from gridmgr.words import PROGRESS as PROGRESS
from gridmgr.words import ROLES as ROLES
from gridmgr.words import SEVERITIES as SEVERITIES
from gridmgr.words import STAGES as STAGES
from gridmgr.words import STATES as STATES
from gridmgr.words import UNITS as UNITS
from gridmgr.words import WAYS as WAYS
from gridmgr.words import WHENS as WHENS
from gridmgr.words import WHISTLE_DEEDS as WHISTLE_DEEDS
from gridmgr.words import WHISTLE_KINDS as WHISTLE_KINDS
from gridmgr.words import WHISTLE_SIGNS as WHISTLE_SIGNS
from gridmgr.words import WHISTLES as WHISTLES
from gridmgr.words import word as word
from gridmgr.words.bodies import BODIES as BODIES
from gridmgr.words.bodies import FORCE_DEEDS as FORCE_DEEDS
from gridmgr.words.bodies import FORCES as FORCES
from gridmgr.words.bodies import GRID_HINTS as GRID_HINTS
from gridmgr.words.bodies import POSTS as POSTS
from gridmgr.words.consulting import CONSULTING as CONSULTING
from gridmgr.words.consulting import OUTCOMES as OUTCOMES
from gridmgr.words.consulting import PARTIES as PARTIES
from gridmgr.words.consulting import SAYINGS as SAYINGS
from gridmgr.words.consulting import SILENT as SILENT
from gridmgr.words.consulting import SPHERES as SPHERES
from gridmgr.words.figures import COUNTS as COUNTS
from gridmgr.words.figures import DIMENSIONS as DIMENSIONS
from gridmgr.words.figures import EXCLUSIONS as EXCLUSIONS
from gridmgr.words.figures import FIGURE_TABLES as FIGURE_TABLES
from gridmgr.words.figures import RATES as RATES
from gridmgr.words.figures import SOURCES as SOURCES
from gridmgr.words.joint import APPROVAL_DEEDS as APPROVAL_DEEDS
from gridmgr.words.joint import APPROVALS as APPROVALS
from gridmgr.words.joint import CLAIM_DEEDS as CLAIM_DEEDS
from gridmgr.words.joint import PARTS as PARTS
from gridmgr.words.joint import PIECES as PIECES
from gridmgr.words.joint import SAID as SAID
from gridmgr.words.joint import SILENCES as SILENCES
from gridmgr.words.methods import COURSE as COURSE
from gridmgr.words.methods import EMERGING as EMERGING
from gridmgr.words.methods import LOOKS as LOOKS
from gridmgr.words.methods import PER as PER
from gridmgr.words.methods import PERIODS as PERIODS
from gridmgr.words.methods import RATE_BASES as RATE_BASES
from gridmgr.words.methods import SAID_CLASSES as SAID_CLASSES
from gridmgr.words.methods import told as told
from gridmgr.words.mornings import MORNING as MORNING
from gridmgr.words.redraw import BALANCED as BALANCED
from gridmgr.words.reports import BULLETIN_OFTEN as BULLETIN_OFTEN
from gridmgr.words.reports import BULLETIN_PERIODS as BULLETIN_PERIODS
from gridmgr.words.reports import BULLETIN_PROGRESS as BULLETIN_PROGRESS
from gridmgr.words.reports import BULLETIN_SUBJECTS as BULLETIN_SUBJECTS
from gridmgr.words.time import GROUNDS as GROUNDS
from gridmgr.words.time import MEASURES as MEASURES
from gridmgr.words.time import STEPS as STEPS
from gridmgr.words.time import TOLD_AS as TOLD_AS
from gridmgr.words.time import VIEWS as VIEWS
from gridmgr.words.trends import CLOSERS as CLOSERS
from gridmgr.words.trends import FLAG_SAYS as FLAG_SAYS
from gridmgr.words.trends import FLAG_STANDINGS as FLAG_STANDINGS
from gridmgr.words.trends import FLAGS as FLAGS
from gridmgr.words.trends import GRADE_LETTERS as GRADE_LETTERS
from gridmgr.words.trends import GRADE_REASONS as GRADE_REASONS
from gridmgr.words.trends import GRADES as GRADES
from gridmgr.words.trends import KEPT as KEPT
from gridmgr.words.trends import LOOPS as LOOPS
from gridmgr.words.trends import SERIES as SERIES
from gridmgr.words.trends import STEP_NAMES as STEP_NAMES
from gridmgr.words.trends import TRENDS as TRENDS
from gridmgr.words.trends import VERDICTS as VERDICTS

ACT_STATES = {  # the colour of an act on a timeline
    "remind": "reported",
    "tell": "handling",
    "supervise": "suspended",
    "whistle": "dispatched",
    "take_over": "accepted",
}

DISPATCH_SIGNS = {
    "late": N_("Late"),
    "waiting": N_("Waits to be dispatched"),
    "member": N_("Grid members on duty"),
    "body": N_("Bodies on duty"),
}
# The step as a button says it, and as the history tells it.
ACTIONS = {
    "report": N_("Report"),
    "confirm": N_("Confirm on site"),
    "settle": N_("Settle on the spot"),
    "accept": N_("Accept"),
    "dispatch": N_("Dispatch"),
    "handle": N_("Start handling"),
    "feed_back": N_("Feed back as done"),
    "verify": N_("Check passed"),
    "rework": N_("Check failed, send back"),
    "close": N_("Close"),
    "evaluate": N_("Evaluate"),
    "ask": N_("Ask for"),
    "refuse": N_("Refuse the request"),
    "extend": N_("Extend"),
    "send_back": N_("Return to dispatch"),
    "suspend": N_("Suspend"),
    "resume": N_("Resume"),
    "redirect": N_("Redirect"),
    "void": N_("Void"),
    "merge": N_("Merge into another"),
    "reopen": N_("Open again"),
    "hand_up": N_("Hand up"),
    "hand_down": N_("Hand down"),
    "take_over": N_("Raise to a level"),
    "assign_task": N_("Assign a part"),
    "finish_task": N_("Finish a part"),
    "meet": N_("A limit is met"),
    "attach": N_("Attach files"),
    "retime": N_("Work out anew"),
    "adopt": N_("Take over"),
    "hand_over": N_("Hand over"),
    "rehome": N_("Re-home"),
    "whistle": N_("Blow the whistle"),
    "report_in": N_("Report in"),
}
DONE = {
    "report": N_("reported it"),
    "confirm": N_("looked on site"),
    "settle": N_("settled it on the spot"),
    "accept": N_("accepted it"),
    "dispatch": N_("dispatched it"),
    "handle": N_("started handling"),
    "feed_back": N_("fed back that it is done"),
    "verify": N_("checked it on site: passed"),
    "rework": N_("checked it on site: failed, sent back"),
    "close": N_("closed it"),
    "evaluate": N_("evaluated it"),
    "ask": N_("asked for"),
    "refuse": N_("refused the request"),
    "extend": N_("extended its time"),
    "send_back": N_("returned it to dispatch"),
    "suspend": N_("suspended it"),
    "resume": N_("resumed it"),
    "redirect": N_("redirected it"),
    "reopen": N_("opened it again"),
    "hand_up": N_("handed it up"),
    "hand_down": N_("handed it down"),
    "take_over": N_("raised it"),
    "assign_task": N_("assigned a part of it"),
    "finish_task": N_("finished a part of it"),
    "meet": N_("met a limit"),
    "attach": N_("attached files"),
    "retime": N_("worked its due time out anew after a correction of the calendar"),
    "void": N_("voided it"),
    "merge": N_("merged it into another"),
    "adopt": N_("took it over from another system"),
    "hand_over": N_("handed it over"),
    "rehome": N_("moved it to the units of the new map"),
    "whistle": N_("blew the whistle"),
    "report_in": N_("reported in"),
}
DATUMS = {
    "wgs84": N_("WGS-84 (GPS)"),
    "cgcs2000": N_("CGCS2000 (national)"),
    "gcj02": N_("GCJ-02 (AMap, Tencent)"),
    "bd09": N_("BD-09 (Baidu)"),
}
LATENESS = {"soon": N_("Due soon"), "late": N_("Overdue"), "long": N_("Overdue by more than a day")}
URGENCIES = {"1": N_("Ordinary"), "2": N_("Serious"), "3": N_("Urgent")}
LIMITS = {
    "working_hours": N_("{n} working hours"),
    "working_days": N_("{n} working days"),
    "hours": N_("{n} hours"),
}
ONE = {"working_hours": N_("1 working hour"), "working_days": N_("1 working day"), "hours": N_("1 hour")}
SORTS = {
    "newest": N_("Newest first"),
    "oldest": N_("Oldest first"),
    "due": N_("Due first"),
    "severity": N_("Most urgent first"),
}
CATEGORY_KINDS = {
    "component": N_("Components"),
    "event": N_("Events"),
    "platform": N_("Platforms"),
    "foreign": N_("Other systems"),
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


def limit(amount: float, unit: str) -> str:
    """Return a time limit in words."""
    return _((ONE if amount == 1 else LIMITS)[unit]).format(n=f"{amount:g}")


def counted(length: timedelta, unit: str) -> str:
    """Return a length of time as its clock counts it: of worked time a day is one that is worked, not 24 hours."""
    if unit == "hours":
        return span(length)
    whole = timedelta(days=1) if unit == "working_days" else timedelta(hours=1)
    if unit == "working_hours" and length < whole:
        return _("{n} min of working time", n=int(length.total_seconds()) // 60)
    return limit(max(round(length / whole, 1), 0.1), unit)


def hours(begins: datetime, ends: datetime) -> str:
    """Return a stretch of time by the clock of the district: 18:00–08:00 (+1) ends on the day after."""
    first, last = clock.local(begins), clock.local(ends)
    days = (last.date() - first.date()).days
    return f"{first:%H:%M}–{last:%H:%M}" + (f" (+{days})" if days else "")
