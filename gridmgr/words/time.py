"""The words of the time line, of comparisons, and of the wall."""

from gridmgr.words import N_

STEPS = {"hour": N_("Hour"), "day": N_("Day"), "week": N_("Week")}
