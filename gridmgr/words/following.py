"""Words of what follows units: what it is, and what becomes of it."""

from gridmgr.words import N_

FOLLOWED = {
    "order": N_("Supervision order"),
    "whistle": N_("Whistle blown by a street"),
    "call": N_("Whistle that calls a street"),
    "approval": N_("Application for a permit"),
    "admission_asked": N_("Request for admission"),
    "task_force": N_("Task force"),
    "room": N_("Command room or team"),
    "station": N_("Station"),
    "report_plan": N_("Reports that are planned"),
    "webhook": N_("Robot or system that is told"),
    "list": N_("Responsibility list"),
    "draft_list": N_("Draft of a responsibility list"),
    "admission": N_("Admission to the list"),
    "hours": N_("Working hours"),
    "days": N_("Days of the calendar"),
    "dispatch": N_("Settings of dispatch"),
    "modules": N_("Modules and their posts"),
    "draft_plan": N_("Boundary plan"),
}
WAYS = {
    "goes": N_("goes over"),
    "begins": N_("holds there too"),
    "stays": N_("stays with the unit left; decide who has it in the part cut off"),
    "ends": N_("ends; the unit that takes over keeps its own, or has none"),
}
