"""Words of comparisons of plans: their columns, what became of a unit, and the classes of the map."""

from gridmgr.words import N_

PAIRS = {
    "was": N_("Out of"),
    "now": N_("Into"),
    "buildings": N_("Buildings"),
    "households": N_("Households"),
    "population": N_("Population"),
    "incidents": N_("Incidents of 12 months"),
    "open_cases": N_("Open cases"),
    "area_m2": N_("Area, m²"),
}
BESIDE = {
    "households": N_("Households"),
    "population": N_("Population"),
    "buildings": N_("Buildings"),
    "incidents": N_("Incidents of 12 months"),
    "hours": N_("Workload, hours a year"),
    "area_m2": N_("Area, m²"),
}
TOTALS = {
    "units": N_("Micro-grids"),
    "households": N_("Households"),
    "population": N_("Population"),
    "buildings": N_("Buildings"),
    "incidents": N_("Incidents of 12 months"),
    "hours": N_("Workload, hours a year"),
    "mean": N_("Households, on average"),
    "farthest": N_("Farthest from the mean"),
    "below": N_("Smaller than the band"),
    "above": N_("Larger than the band"),
    "apart": N_("Not in one piece"),
}
FATES = {
    "new": N_("new"),
    "gone": N_("ends"),
    "reshaped": N_("other ground"),
    "redrawn": N_("drawn anew, same ground"),
}
MOVED = N_("Households on ground that changes hands")
NOBODY = N_("no household")
