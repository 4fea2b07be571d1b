"""What counts and rates, and the rows they are told by, are called."""

from gridmgr.words import LEVELS, N_

COUNTS = {
    "reported": N_("All incidents"),
    "accepted": N_("Accepted"),
    "due": N_("Due"),
    "closed": N_("Closed"),
    "closed_on_time": N_("Closed on time"),
    "overdue": N_("Unfinished and overdue"),
    "finished": N_("All closed"),
    "in_community": N_("Closed in the community"),
    "in_street": N_("Closed in the street"),
    "whistled": N_("Whistle blown"),
    "settled": N_("Settled on the spot"),
    "patrolled": N_("Found on patrol"),
    "dispatched": N_("Given to a handler"),
    "sent_back": N_("Ever sent back"),
    "extended": N_("Ever extended"),
    "paused": N_("Ever suspended"),
    "fed_back": N_("Ever fed back"),
    "reworked": N_("Ever reworked"),
    "ended": N_("Ever closed"),
    "reopened": N_("Ever reopened"),
    "rated": N_("Rated"),
    "satisfied": N_("Rated as satisfied"),
    "called": N_("Public reports"),
    "responded": N_("Responded in time"),
    "called_due": N_("Public reports due"),
    "resolved": N_("Resolved for good"),
    "timed": N_("Handled by somebody"),
    "running_seconds": N_("Running time, together"),
    "worked_seconds": N_("Worked time, together"),
}
RATES = {
    "acceptance_rate": N_("Acceptance rate"),
    "closing_rate": N_("Closing rate"),
    "on_time_rate": N_("On-time rate"),
    "community_rate": N_("Closed within the community"),
    "street_rate": N_("Closed within the street"),
    "whistle_rate": N_("Whistle rate"),
    "settled_rate": N_("Share settled on the spot"),
    "patrol_rate": N_("Share found on patrol"),
    "rework_rate": N_("Rework rate"),
    "extension_rate": N_("Extension rate"),
    "suspension_rate": N_("Suspension rate"),
    "send_back_rate": N_("Send-back rate"),
    "reopening_rate": N_("Reopening rate"),
    "response_rate": N_("Response rate"),
    "resolution_rate": N_("Resolution rate"),
    "satisfaction_rate": N_("Satisfaction rate"),
    "three_rates": N_("Three rates in one score"),
    "mean_hours": N_("Mean handling time, running"),
    "mean_worked_hours": N_("Mean handling time, worked"),
}
FIGURE_TABLES = {
    "time": N_("In time"),
    "loop": N_("Closed where"),
    "quality": N_("Side ways and rework"),
    "people": N_("Response and satisfaction"),
    "speed": N_("Handling time"),
}
DIMENSIONS = {
    **LEVELS,
    "body": N_("Department or body"),
    "module": N_("Module"),
    "post": N_("Handling person"),
    "reporter": N_("Reporting person"),
    "category": N_("Category"),
    "source": N_("Source"),
}
EXCLUSIONS = {
    "suspended": N_("suspended now"),
    "voided": N_("voided after acceptance"),
    "merged": N_("merged into another"),
    "unclocked": N_("without a time limit"),
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
BASES = {
    "then": N_("where each case is kept"),
    "was": N_("as was: of the day of the report"),
    "now": N_("as now: on the map in force"),
}
