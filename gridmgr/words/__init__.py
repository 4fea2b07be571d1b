"""What the codes of the domain are called: one table a concept, English here, Chinese in the catalogue.

`N_` marks a message for extraction without translating it; `word` translates when it is shown.
"""

from collections.abc import Mapping

from gridmgr.i18n import _


def N_(message: str) -> str:
    """Return the message as it is; it is translated where it is shown."""
    return message


STATES = {
    "reported": N_("Reported"),
    "accepted": N_("Accepted"),
    "dispatched": N_("Dispatched"),
    "handling": N_("Being handled"),
    "suspended": N_("Suspended"),
    "fed_back": N_("Awaiting check"),
    "verified": N_("Checked"),
    "closed": N_("Closed"),
    "evaluated": N_("Evaluated"),
    "voided": N_("Voided"),
    "merged": N_("Merged"),
}
ROLES = {
    "grid_member": N_("Grid member"),
    "grid_leader": N_("Grid leader"),
    "community_clerk": N_("Community clerk"),
    "street_dispatcher": N_("Street dispatcher"),
    "street_leader": N_("Street leader"),
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
HOLDERS = LEVELS | {"district": N_("District")}
LADDER = HOLDERS | {"department": N_("Department")}
UNITS = {
    "working_hours": N_("working hours"),
    "working_days": N_("working days"),
    "hours": N_("hours"),
}
STAGES = {
    "accept": N_("Acceptance"),
    "dispatch": N_("Dispatch"),
    "handle": N_("The whole case"),
    "verify": N_("On-site check"),
    "silence": N_("Silence"),
    "further": N_("Further limits"),
}
CLOCKS = {
    "running": N_("running"),
    "paused": N_("standing still"),
    "met": N_("met in time"),
    "missed": N_("met too late"),
    "cancelled": N_("no longer needed"),
}
AUDITED = {
    "overdue": N_("not served"),
    "missing": N_("without a clock"),
    "uneven": N_("climbs do not add up"),
}
ACTS = {
    "remind": N_("Remind"),
    "tell": N_("Tell"),
    "supervise": N_("Supervise, telling"),
    "whistle": N_("Whistle, telling"),
    "take_over": N_("Hand to"),
}
CALLS = {
    "supervise": N_("a supervision order is issued"),
    "whistle": N_("the departments are to be called by whistle"),
}
WHENS = {"any": N_("at any time"), "worked": N_("in worked time")}
NEEDS = {
    "photo": N_("a photo"),
    "result_photo": N_("a photo of what was done"),
    "on_site": N_("a look on site that found it"),
    "description": N_("a description"),
    "address": N_("an address in words"),
    "phone": N_("the reporter's phone"),
    "condition": N_("the condition, ticked as met"),
    "tasks": N_("the parts of all other bodies"),
    "simple": N_("a category that may be settled on the spot"),
    "due": N_("a due time"),
    "seal": N_("a request of the body at work with its sealed letter as a file"),
}
HOW = {
    "inside": N_("inside the unit"),
    "border": N_("on a shared border"),
    "gap": N_("in a gap of the map, nearest unit"),
    "outside": N_("outside the district, nearest unit"),
    "nowhere": N_("no unit near"),
}
DAY_KINDS = {"holiday": N_("Holiday"), "makeup": N_("Make-up workday")}
ORPHANS = {
    "policy": N_("{n} policies are for {category}, but no category of this table has a code that begins so."),
    "phrase": N_(
        "{n} ready-made notes are for {category}, but no category of this table has a code that begins so."
    ),
}
FATES = {"added": N_("new"), "changed": N_("changed"), "removed": N_("removed"), "unchanged": N_("unchanged")}
SEVERITIES = {"error": N_("Error"), "warning": N_("Warning")}
HOTSPOTS = {
    "3": N_("Hot, 99 % sure"),
    "2": N_("Hot, 95 % sure"),
    "1": N_("Hot, 90 % sure"),
    "0": N_("Not significant"),
    "-1": N_("Cold, 90 % sure"),
    "-2": N_("Cold, 95 % sure"),
    "-3": N_("Cold, 99 % sure"),
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

# What a notice says; its braces are filled from the details of `gridmgr.notice.model.Message`.
LIST_KINDS = {
    "division": N_("Division of duties"),
    "territorial": N_("Territorial items"),
    "handed_down": N_("Handed-down items"),
    "powers": N_("Powers"),
    "grid_services": N_("Grid services"),
    "village": N_("Village list"),
}
ANSWERING = {
    "department": N_("Department"), "street": N_("Street"), "community": N_("Community"), "village": N_("Village"),
}  # fmt: skip
ADMISSIONS = {
    "asked": N_("To be decided"), "granted": N_("Admitted"), "refused": N_("Not admitted"),
    "withdrawn": N_("Request taken back"),
}  # fmt: skip
ADMITTING = {
    "ask": N_("Ask for admission"),
    "argue": N_("Argue"),
    "grant": N_("Admit"),
    "refuse": N_("Do not admit"),
    "withdraw": N_("Take the request back"),
    "end": N_("End the admission"),
}
ORDERS = {
    "open": N_("To be answered"),
    "answered": N_("To be confirmed"),
    "done": N_("Done and confirmed"),
    "withdrawn": N_("Withdrawn"),
}
DEEDS = {
    "issue": N_("Issue an order"),
    "answer": N_("Answer"),
    "confirm": N_("Confirm"),
    "return": N_("Return the answer"),
    "withdraw": N_("Withdraw the order"),
    "urge": N_("Urged by the ladder"),
    "follow": N_("Went over with its unit"),
}
WHISTLES = {
    "proposed": N_("Awaits approval"),
    "blown": N_("Whistle blown"),
    "ended": N_("Ended"),
    "refused": N_("Not approved"),
    "withdrawn": N_("Withdrawn"),
}
WHISTLE_KINDS = {
    "concern": N_("A concern one cannot solve alone"),
    "joint": N_("Joint enforcement"),
    "emergency": N_("Emergency"),
}
WHISTLE_DEEDS = {
    "propose": N_("Ask for a whistle"),
    "blow": N_("Blow the whistle"),
    "refuse": N_("Do not approve"),
    "withdraw": N_("Withdraw the whistle"),
    "call": N_("Call more"),
    "answer": N_("Answer: we are coming"),
    "report_in": N_("Report in"),
    "excuse": N_("Excuse"),
    "miss": N_("Has not reported in in time"),
    "record": N_("Write into the record"),
    "rate": N_("Rate"),
    "end": N_("End the whistle"),
    "follow": N_("Went over with its unit"),
}
WHISTLE_SIGNS = {
    "proposed": N_("Awaits approval"),
    "awaited": N_("Nobody there yet"),
    "partly": N_("Some are there"),
    "missed": N_("Somebody has not come in time"),
    "complete": N_("All are there"),
    "here": N_("Reported in on the spot"),
    "elsewhere": N_("Reported in from elsewhere"),
}
PRESENCES = {
    "waiting": N_("Awaited"),
    "answered": N_("Is coming"),
    "in_time": N_("Reported in in time"),
    "late": N_("Reported in late"),
    "absent": N_("Has not come"),
    "excused": N_("Excused"),
}
NOTICES = {
    "reported": N_("A new case in your area: {number} {category}, at {place}."),
    "assigned": N_("{number} {category}, at {place}, was dispatched to you. Due: {due}"),
    "handed": N_("{number} {category}, at {place}, comes to your desk ({action} by {name}): {note}"),
    "rework": N_("{number} {category} did not pass its check and comes back to you: {note}"),
    "asked": N_("{name} asks your consent for {number}, “{action}”: {note}"),
    "answered": N_("Your request for {number}, “{action}”, was {answer} by {name}: {note}"),
    "mentioned": N_("{name} mentions you on {number}: {note}"),
    "task": N_("{name} gives you a part of {number} {category}, due {due}: {note}"),
    "remind": N_("{number} {category} has used {share} of its time. Due: {due}"),
    "told": N_("{number} {category} has used {share} of its time; the {level} is told. Due: {due}"),
    "ladder_called": N_(
        "{number} {category} has used {share} of its time: {deed}; the {level} is told. Due: {due}"
    ),
    "taken_over": N_("{number} {category} has used {share} of its time; the {level} takes over. Due: {due}"),
    "retimed": N_("The working calendar was corrected; {number} {category} is now due {due}."),
    "supervised": N_("{name} orders on {number} {category}, by {due}: {note}"),
    "order_answered": N_("{name} has answered your order on {number} {category}: {note}"),
    "order_returned": N_("{name} returns the answer to the order on {number} {category}, due {due}: {note}"),
    "order_late": N_("Nobody has answered the order on {number} {category}, due {due}: {note}"),
    "piece_cut": N_("{name} has cut a piece of work at {place}, until {due}: {note}"),
    "piece_handed": N_("{name} hands you a piece of work at {place}, until {due}: {note}"),
    "piece_reported": N_("{name} reports the piece at {place} done; accept or return it: {note}"),
    "piece_given_back": N_("{name} gives back the piece at {place}, until {due}: {note}"),
    "piece_returned": N_("{name} returns the piece at {place} to be done again, until {due}: {note}"),
    "piece_ended": N_("{name} has taken back the piece at {place}: {note}"),
    "piece_unclaimed": N_("A place of the piece at {place}, until {due}, is still free: {note}"),
    "force_joined": N_("{name} has called you into the {place}: {note}"),
    "force_ended": N_("The {place} is past its last day and goes on until it is disbanded: {note}"),
    "whistle_asked": N_("{name} asks to blow the whistle on {number} {category}, at {place}: {note}"),
    "whistle_refused": N_("The whistle you asked for on {number} {category} will not be blown: {note}"),
    "whistled": N_("{name} blows the whistle: report in at {place}, {number} {category}, by {due}: {note}"),
    "whistle_answered": N_("{name} answers your whistle on {number} {category} and is coming: {note}"),
    "reported_in": N_("{name} has reported in to your whistle on {number} {category}, at {place}: {note}"),
    "whistle_missed": N_(
        "{name} has not reported in to the whistle on {number} {category}, due {due}: {note}"
    ),
    "whistle_over": N_("You need not come any more to the whistle of {name} on {number} {category}: {note}"),
    "whistle_rated": N_("{name} has rated how you came to the whistle on {number} {category}: {note}"),
    "check": N_("Look at {number} {category} on site, at {place}, {note} from your area; take it by {due}."),
    "opinion_asked": N_("{name} asks your consent to {category} at {place}, until {due}: {note}"),
    "opinion_given": N_("{name} answers your application for {category} at {place}: {note}"),
    "opinion_objects": N_("{name} objects to {category} at {place}: {note}"),
    "opinion_silent": N_("Nothing was said by {due} to {category} at {place} by: {note}"),
    "overruled": N_("The objection of {name} to {category} at {place} was set aside: {note}"),
    "approval_decided": N_("{name} has decided on {category} at {place}: {note}"),
    "consulted": N_("{name} asks for your opinion on “{title}” ({category}), by {due}: {note}"),
    "consult_said": N_("{name} has answered on “{title}”: {note}"),
    "consult_against": N_("{name} is against “{title}” ({category}): {note}"),
    "consult_remind": N_("Your opinion on “{title}” ({category}) is still awaited, by {due}."),
    "consult_late": N_("Nothing was said on “{title}” by {due}, and is still awaited, by: {note}"),
    "consult_replied": N_("{name} has replied to your objection to “{title}”: {note}"),
    "consult_ended": N_("The consultation on “{title}” has ended: {note}"),
    "plan_step": N_("Plan “{title}”: {step} {note}"),
    "seat_moved": N_("With the new grids what you hold in {before} goes to {after}."),
    "admission": N_("Admission of {category} at {place}, {name}, {action}: {note}"),
    "scan_alarm": N_(
        "{count} × {category} around {place} since {since}, {expected} expected; by chance once in {days} days."
    ),
    "bulletin": N_("{kind}: {addressee}, {first} to {last}, has been written."),
    "reopened": N_("{number} {category}, at {place}, was reopened: {note}"),
    "closed": N_("The case you reported, {number} {category}, is closed."),
    "unserved": N_("Nobody served {count} clocks that were due; the first was that of {number}, due {due}."),
    "dead_letter": N_("Given up after many attempts: {count} deliveries to {address}: {error}"),
    "test": N_("This is a test: notices reach you this way."),
}
NOTICE_KINDS = {
    "reported": N_("New case in my area"),
    "assigned": N_("Dispatched to us"),
    "handed": N_("Comes to our desk"),
    "rework": N_("Did not pass the check"),
    "asked": N_("Awaits my consent"),
    "answered": N_("My request was answered"),
    "mentioned": N_("Somebody mentions me"),
    "task": N_("Part of a case for us"),
    "remind": N_("Reminder of a due time"),
    "told": N_("A case climbs"),
    "ladder_called": N_("A ladder supervises or whistles"),
    "taken_over": N_("A case is taken over"),
    "retimed": N_("Due time corrected"),
    "supervised": N_("Supervision order for us"),
    "order_answered": N_("My order was answered"),
    "order_returned": N_("Answer to an order returned"),
    "order_late": N_("Order not answered in time"),
    "whistle_asked": N_("Whistle to approve"),
    "whistle_refused": N_("My whistle was not approved"),
    "whistled": N_("A whistle calls us"),
    "whistle_answered": N_("My whistle is answered"),
    "reported_in": N_("Somebody reports in to my whistle"),
    "whistle_missed": N_("Not reported in in time"),
    "whistle_over": N_("We need not come any more"),
    "whistle_rated": N_("How we came was rated"),
    "piece_cut": N_("Piece of work in my area"),
    "piece_handed": N_("Piece of work handed to me"),
    "piece_reported": N_("Piece to accept"),
    "piece_given_back": N_("Piece given back"),
    "piece_returned": N_("Piece returned to me"),
    "piece_ended": N_("Piece taken back"),
    "piece_unclaimed": N_("Piece nobody takes"),
    "force_joined": N_("Called into a task force"),
    "force_ended": N_("Task force past its end"),
    "check": N_("Sent to look on site"),
    "opinion_asked": N_("Our consent is asked"),
    "opinion_given": N_("A body answers my application"),
    "opinion_objects": N_("A body objects to my application"),
    "opinion_silent": N_("A body was silent"),
    "overruled": N_("An objection was set aside"),
    "approval_decided": N_("An application is decided"),
    "consulted": N_("Our opinion is asked"),
    "consult_said": N_("Somebody answers my consultation"),
    "consult_against": N_("Somebody objects to, or stops, what I asked about"),
    "consult_remind": N_("Our opinion is still awaited"),
    "consult_late": N_("Opinions missing past the due time"),
    "consult_replied": N_("How our objection was taken"),
    "consult_ended": N_("A consultation has ended"),
    "plan_step": N_("A step of a plan I have submitted"),
    "seat_moved": N_("My roles follow redrawn units"),
    "admission": N_("Admission to a list"),
    "scan_alarm": N_("Alarm of the daily scan"),
    "bulletin": N_("Weekly or monthly report"),
    "reopened": N_("Case reopened"),
    "closed": N_("My report is closed"),
    "unserved": N_("Due times nobody served"),
    "dead_letter": N_("Delivery given up"),
    "test": N_("Test message"),
}
# What the detail `answer` may be; the codes are translated inside a sentence.
ANSWERS = {"granted": N_("granted"), "refused": N_("refused")}
WAYS = {
    "inbox": N_("Inbox"),
    "email": N_("E-mail"),
    "webhook": N_("Webhook"),
    "sms": N_("Short message"),
    "robot": N_("Group robot"),
}
FLAVOURS = {
    "json": N_("System (signed JSON)"),
    "wecom": N_("WeCom group robot"),
    "dingtalk": N_("DingTalk group robot"),
}
PROGRESS = {
    "waiting": N_("Waiting to be sent"),
    "sent": N_("Delivered"),
    "failed": N_("Failed, will be tried again"),
    "dead": N_("Given up"),
    "merged": N_("Sent together with another"),
    "unsent": N_("Not sent, no gateway"),
}


def word(table: Mapping[str, str], code: object) -> str:
    """Return what a code is called in the language of this request; an unknown code is shown as it is."""
    key = str(getattr(code, "value", code))
    return _(table[key]) if key in table else key
