"""Words of the redraw desk: its numbers, its sentences, and what the edits of a plan are called."""

from gridmgr.words import N_

NUMBERS = {
    "deviation": N_("Deviation"),
    "households": N_("Households"),
    "population": N_("Population"),
    "buildings": N_("Buildings"),
    "incidents": N_("Incidents of 12 months"),
    "hours": N_("Workload, hours a year"),
    "area_m2": N_("Area, ha"),
    "band": N_("Size band"),
    "contiguous": N_("In one piece"),
    "polsby_popper": N_("Roundness (Polsby-Popper)"),
    "reock": N_("Fills its circle (Reock)"),
    "hull": N_("Fills its hull"),
}
TOTALS = {
    "units": N_("Micro-grids"),
    "households": N_("Households"),
    "population": N_("Population"),
    "buildings": N_("Buildings"),
    "incidents": N_("Incidents of 12 months"),
    "hours": N_("Workload, hours a year"),
    "mean.households": N_("Households, on average"),
    "farthest": N_("Farthest from the mean"),
    "below": N_("Smaller than the band"),
    "above": N_("Larger than the band"),
    "apart": N_("Not in one piece"),
}
CHANGES = {
    "new": N_("New micro-grids"),
    "gone": N_("Micro-grids that end"),
    "redrawn": N_("Micro-grids drawn anew"),
    "buildings": N_("Buildings moved"),
    "households": N_("Households moved"),
    "population": N_("People moved"),
    "open_cases": N_("Open cases moved"),
    "staff": N_("Staff of changed grids"),
}
BALANCES = {
    -2: N_("more than 20 % below"), -1: N_("5 to 20 % below"), 0: N_("within 5 %"),
    1: N_("5 to 20 % above"), 2: N_("more than 20 % above"),
}  # fmt: skip
BANDS = {-1: N_("too small"), 0: N_("in the band"), 1: N_("too large")}
PIECES_OF_UNITS = {True: N_("in one piece"), False: N_("in several pieces")}
FATES_OF_UNITS = {"new": N_("new"), "redrawn": N_("drawn anew")}
SAID = {
    "lost": N_("The server does not answer. Nothing was changed; try again in a moment."),
    "yes": N_("yes"),
    "no": N_("no"),
    "code": N_("Code"),
    "name": N_("Name"),
    "changed": N_("Change"),
    "saving": N_("Saving …"),
    "saved": N_("Saved {time}"),
    "unsaved": N_("Not saved"),
    "yours": N_("You draw here until {time}"),
    "theirs": N_("{by} draws here until {time}"),
    "looks": N_("You may look at this plan, not draw on it."),
    "closed": N_("This plan is no draft any more; it is only looked at."),
    "baseMoved": N_(
        "The edition this plan stands on has been corrected since; nothing is drawn until that is taken in."
    ),
    "openedBy": N_("opened by {by}"),
    "compare": N_("Set side by side"),
    "locked": N_("locked"),
    "picked": N_("{n} grids"),
    "sum": N_("In all"),
    "homes": N_("{n} households"),
    "stays": N_("{code} stays"),
    "taken": N_("{n} buildings, {households} households"),
    "noHouses": N_("No building is chosen."),
    "nowhere": N_("The line runs through no grid of this plan."),
    "crosses": N_("The line would cross itself here; lead it another way."),
    "noBorder": N_("These two grids share no border."),
    "ringed": N_("One of them lies within the other; move buildings instead."),
    "ends": N_("The ends of a border hang on others; drag a point between them."),
    "held": N_("The border of {one} and {two} is in your hand."),
}
EDITS = {
    "split": N_("Split"),
    "merge": N_("Merge"),
    "reshape": N_("Drag a border"),
    "move": N_("Move buildings"),
    "found": N_("New grid"),
    "rename": N_("Another name"),
    "recode": N_("Another code"),
    "transfer": N_("Another parent"),
    "adopt": N_("Take over a drawing"),
    "repair": N_("Repair"),
    "renumber": N_("Number anew"),
}
