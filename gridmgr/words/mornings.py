"""What the lists of the morning page are called: another page of `gridmgr.words`."""

from gridmgr.words import N_

MORNING = {
    "overdue": N_("Newly late"),
    "climbed": N_("Climbed a ladder"),
    "ordered": N_("Newly supervised"),
    "unheard": N_("Whistles unanswered"),
    "returned": N_("Came back"),
    "soon": N_("Late within four working hours"),
    "today": N_("Late before midnight"),
}
