"""Words of plans."""

from gridmgr.words import N_

STATUS = {"draft": N_("draft plan"), "discarded": N_("discarded")}
