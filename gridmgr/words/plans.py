"""Words of plans and of their way to the map."""

from gridmgr.words import N_

STATUS = {
    "draft": N_("draft plan"),
    "submitted": N_("submitted plan"),
    "published": N_("published plan"),
    "discarded": N_("discarded"),
}
PUBLICATIONS = {
    "checked": N_("Checked"),
    "notice": N_("On public notice"),
    "consulting": N_("Opinions being asked for"),
    "approved": N_("Approved"),
    "published": N_("Published"),
    "stopped": N_("Stopped by a veto"),
    "withdrawn": N_("Taken back"),
}
STEPS = {
    "submit": N_("submitted and checked"),
    "announce": N_("put on public notice"),
    "consult": N_("asked for opinions"),
    "hear": N_("the opinions are in"),
    "stop": N_("stopped by a veto"),
    "approve": N_("approved"),
    "rebase": N_("taken to the newest state of the map"),
    "publish": N_("published"),
    "recall": N_("recalled on the day it was published"),
    "fail": N_("could not be published"),
    "withdraw": N_("taken back"),
}
DOINGS = {
    "announce": N_("Put it on public notice"),
    "consult": N_("Ask for opinions"),
    "approve": N_("Approve it"),
    "publish": N_("Publish it now"),
    "withdraw": N_("Take it back"),
    "recall": N_("Recall it today"),
    "roll-back": N_("Roll it back"),
}
COMMENTS = {"waiting": N_("not read yet"), "shown": N_("shown"), "hidden": N_("not shown")}
