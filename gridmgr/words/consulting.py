"""What the codes of consultation are called: another page of `gridmgr.words`."""

from gridmgr.words import N_

SPHERES = {
    "plan": N_("Making of plans"),
    "acceptance": N_("Acceptance of projects"),
    "decision": N_("Decisions"),
    "appointment": N_("Appointments"),
    "boundary": N_("Borders of grids"),
}
PARTIES = {
    "street": N_("Street"),
    "community": N_("Community"),
    "residents": N_("Residents"),
    "body": N_("Body"),
}
OUTCOMES = {
    "open": N_("Opinions being asked for"),
    "agreed": N_("Agreed by all"),
    "heard": N_("Heard, with objections"),
    "stopped": N_("Stopped by a veto"),
    "lapsed": N_("Lapsed without all opinions"),
    "withdrawn": N_("Consultation withdrawn"),
}
SAYINGS = {
    "agree": N_("Agrees"),
    "object": N_("Objects"),
    "veto": N_("Vetoes"),
    "adopt": N_("Objection adopted"),
    "decline": N_("Objection not adopted"),
}
CONSULTING = {
    "ask": N_("asked for opinions"),
    "agree": N_("agrees"),
    "object": N_("objects"),
    "veto": N_("vetoes it"),
    "remind": N_("reminded those who had said nothing"),
    "silent": N_("was silent past the due time"),
    "adopt": N_("adopts the objection"),
    "decline": N_("does not adopt the objection"),
    "withdraw": N_("withdrew the consultation"),
    "end": N_("closed the consultation"),
}
SILENT = {
    "agree": N_("silence counts as consent"),
    "wait": N_("silence is no consent: their answer is waited for"),
    "lapse": N_("silence is no consent: it lapses and has to be asked again"),
}
