"""What the codes of bodies, modules and task forces are called: another page of `gridmgr.words`."""

from gridmgr.words import N_

BODIES = {
    "department": N_("Government department"),
    "station": N_("Station"),
    "team": N_("Enforcement team"),
    "command_room": N_("Command room"),
    "task_force": N_("Task force"),
}
GRID_HINTS = {
    "uncovered": N_("nobody serves: {what}"),
    "several": N_("several people: {what}"),
    "many_grids": N_("one person in many micro-grids: {what}"),
}
POSTS = {"lead": N_("Module lead"), "deputy": N_("Deputy"), "post": N_("Post")}
FORCES = {
    "running": N_("In operation"),
    "ended": N_("Past its end"),
    "disbanded": N_("Disbanded"),
}
FORCE_DEEDS = {
    "raise": N_("founded it"),
    "join": N_("let join"),
    "leave": N_("let leave"),
    "lead": N_("let lead"),
    "prolong": N_("changed its last day"),
    "put": N_("put cases under it"),
    "disband": N_("disbanded it"),
    "follow": N_("Went over with its unit"),
}
