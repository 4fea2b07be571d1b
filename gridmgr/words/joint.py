"""What the codes of ant work (claim) and of co-approval are called: another page of `gridmgr.words`."""

from gridmgr.words import N_

PIECES = {"open": N_("In progress"), "done": N_("Piece done"), "ended": N_("Taken back")}
PARTS = {
    "at_work": N_("At work"),
    "reported": N_("To be accepted"),
    "accepted": N_("Accepted as done"),
    "given_back": N_("Given back"),
    "ended": N_("Taken back"),
}
CLAIM_DEEDS = {
    "cut": N_("Cut a piece of work"),
    "hand": N_("Hand to a person"),
    "claim": N_("Take it up"),
    "give_back": N_("Give it back"),
    "report": N_("Report it done"),
    "accept": N_("Accept it as done"),
    "return": N_("Return it to be done again"),
    "end": N_("Take the piece back"),
}
APPROVALS = {
    "open": N_("Being asked about"),
    "granted": N_("Permitted"),
    "refused": N_("Not permitted"),
    "withdrawn": N_("Application withdrawn"),
}
SAID = {
    "agree": N_("Agrees"),
    "conditions": N_("Agrees with conditions"),
    "object": N_("Objects"),
    "silent": N_("Silent past the due time"),
}
APPROVAL_DEEDS = {
    "ask": N_("asked all bodies it touches"),
    "agree": N_("agrees"),
    "conditions": N_("agrees with conditions"),
    "object": N_("objects"),
    "silent": N_("was silent past the due time"),
    "overrule": N_("set the objection aside"),
    "grant": N_("permitted it"),
    "refuse": N_("did not permit it"),
    "withdraw": N_("withdrew the application"),
    "follow": N_("Went over with its unit"),
}
SILENCES = {"agree": N_("silence counts as consent"), "wait": N_("silence is no consent")}
