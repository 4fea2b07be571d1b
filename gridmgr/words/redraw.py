"""Words of redrawing."""

from gridmgr.words import N_

BALANCED = {
    "households": N_("Households"),
    "population": N_("Population"),
    "incidents": N_("Incidents of 12 months"),
    "buildings": N_("Buildings"),
}
