"""What the papers on weeks and months call things, and the sentences they are told in."""

from gridmgr.words import N_

BULLETIN_SUBJECTS = {
    "district": N_("The whole district"),
    "street": N_("Street"),
    "community": N_("Community"),
    "module": N_("Module"),
    "body": N_("Department or other body"),
    "person": N_("Person at a post"),
}
BULLETIN_PERIODS = {"week": N_("Weekly work report"), "month": N_("Monthly work report")}
BULLETIN_OFTEN = {"week": N_("every week, Monday 06:00"), "month": N_("every month, on the 1st at 06:00")}
BULLETIN_PROGRESS = {"waiting": N_("to be written"), "written": N_("written"), "failed": N_("failed")}
FLOW = {
    "reported": N_("Reported in the period"),
    "accepted": N_("Accepted in the period"),
    "closed": N_("Closed in the period"),
    "open": N_("Open at its end"),
    "overdue": N_("Of these, past their time"),
    "suspended": N_("Of these, suspended"),
}
THIS = {"week": N_("this week"), "month": N_("this month")}
LAST = {"week": N_("the week before"), "month": N_("the month before")}
