"""The words of the time line, of comparisons, and of the wall."""

from gridmgr.words import N_

STEPS = {"hour": N_("Hour"), "day": N_("Day"), "week": N_("Week")}
TOLD_AS = {"recorded": N_("it was known then"), "occurred": N_("it happened")}
MEASURES = {
    "reported": N_("Reported in the period"),
    "closed": N_("Closed in the period"),
    "open": N_("Unfinished at its end"),
    "late": N_("Overdue at its end"),
}
GROUNDS = {
    "was": N_("As was: on the units of each day"),
    "now": N_("As now: every case located anew in the newer map"),
}
VIEWS = {
    "hotspots": N_("Map with hotspots"),
    "open": N_("Map of unfinished cases"),
    "late": N_("Map of overdue cases"),
    "whistles": N_("Whistle board"),
    "figures": N_("Figures: best and worst"),
    "latest": N_("Latest reports"),
}
