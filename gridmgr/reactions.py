"""Every place where nouns meet: what happened, and who listens. Read it top to bottom, it is all there is."""

from sqlalchemy.orm import Session

from gridmgr import jobs
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.admission import service as admission
from gridmgr.calendar import service as calendar
from gridmgr.calendar.model import CalendarCorrected
from gridmgr.casebook import service as casebook
from gridmgr.claim import service as claim
from gridmgr.coapproval import service as coapproval
from gridmgr.consultation import service as consultation
from gridmgr.consultation.model import ConsultationEnded
from gridmgr.discussion.model import Commented, Mentioned
from gridmgr.dispatch import queries as dispatch
from gridmgr.dispatch import service as dispatch_settings
from gridmgr.duty import service as duty
from gridmgr.escalation import service as escalation
from gridmgr.escalation.model import LadderCalled
from gridmgr.following import service as following
from gridmgr.hierarchy import service as hierarchy
from gridmgr.hierarchy.model import EditionPublished, UnitsSucceeded
from gridmgr.i18n import _
from gridmgr.incident import service as incident
from gridmgr.incident.model import IncidentsMoved, IncidentsReported
from gridmgr.life.model import Action
from gridmgr.life.rules import FINAL
from gridmgr.module import service as modules
from gridmgr.one_grid import service as one_grid
from gridmgr.onsite import service as onsite
from gridmgr.organisation.model import BodyRenamed
from gridmgr.policy.model import Act
from gridmgr.publication import service as publication
from gridmgr.responsibility import service as responsibility
from gridmgr.saved_view import service as saved_view
from gridmgr.supervision import service as supervision
from gridmgr.telling import service as telling
from gridmgr.whistle import service as whistle


def _rehome_open_cases(session: Session, event: EditionPublished) -> None:
    """Open cases, pieces of work and applications for a building move to the units that now hold their place."""
    incident.rehome_open(session, SYSTEM)
    claim.rehome_open(session)
    coapproval.rehome_open(session)


def _follow_later(session: Session, event: EditionPublished) -> None:
    """Reports that were located on the old map while the new one was written follow it once it is there."""
    jobs.defer(session, jobs.FOLLOW_EDITION, lock=jobs.FOLLOW_EDITION)


def _let_people_follow(session: Session, event: EditionPublished) -> None:
    """Who holds roles and turns in a unit follows it, at once if the edition is in force."""
    hierarchy.follow(session)


def _go_along(session: Session, event: UnitsSucceeded) -> None:
    """All that is bound to units goes from those that are no more to those that follow them: see `following.rules`."""
    moved = accounts.follow_units(session, event.heirs, event.founded)
    moved |= duty.follow_units(session, event.heirs, event.founded)
    one_grid.follow_units(session, event.heirs, event.founded)
    for noun in (dispatch_settings, calendar, responsibility, admission, modules, following):
        noun.follow_units(session, event)
    saved_view.follow_units(session, event.heirs)
    consultation.follow_units(session, event.heirs)
    casebook.hand_on(session, event.heirs)
    telling.tell_seats(session, moved)


def _prepare_maps(session: Session, event: EditionPublished) -> None:
    """Tiles and the locator of the new state are made in the background."""
    jobs.defer(session, jobs.PREPARE_MAPS)


def _start_clocks(session: Session, event: IncidentsReported) -> None:
    """The clocks of new cases begin to run."""
    escalation.begin(session, event.filed)


def _keep_clocks(session: Session, event: IncidentsMoved) -> None:
    """Clocks follow the steps of their cases."""
    escalation.follow(session, event.moves)


def _recount_clocks(session: Session, event: CalendarCorrected) -> None:
    """Clocks counted over days of a calendar that were corrected are counted anew, in the background."""
    days = {"first_day": event.first_day.isoformat(), "last_day": event.last_day.isoformat()}
    jobs.defer(session, jobs.RECOUNT_CLOCKS, lock=jobs.RECOUNT_CLOCKS, code=event.code, **days)


def _remember_items(session: Session, event: IncidentsMoved) -> None:
    """An accepted case keeps the item of the list it was accepted under."""
    accepted = [move for move in event.moves if move.action is Action.ACCEPT]
    responsibility.remember(
        session,
        [
            (move.incident_id, move.payload.get("item"), move.payload.get("admission"))
            for move in accepted
            if "item" in move.payload or "admission" in move.payload
        ],
    )


def _tell_of_reports(session: Session, event: IncidentsReported) -> None:
    """The desks of the place hear of new cases."""
    telling.tell_reported(session, event.filed)


def _tell_of_steps(session: Session, event: IncidentsMoved) -> None:
    """Whom a step concerns is told of it."""
    telling.tell_of(session, event.moves)


def _end_orders(session: Session, event: IncidentsMoved) -> None:
    """A supervision order ends with its case."""
    supervision.follow(session, event.moves)


def _end_whistles(session: Session, event: IncidentsMoved) -> None:
    """A whistle ends with its case."""
    whistle.follow(session, event.moves)


def _tell_the_mentioned(session: Session, event: Mentioned) -> None:
    """Whoever is named in a comment is told."""
    telling.tell_mentioned(session, event.incident_id, event.account_ids, event.author, event.text)


def _end_pieces(session: Session, event: IncidentsMoved) -> None:
    """Pieces of work of a case that is finished are no longer wanted."""
    finished = [move.incident_id for move in event.moves if move.after in FINAL and move.before not in FINAL]
    if finished:
        claim.end_with_cases(session, SYSTEM, finished, _("The case is finished."))


def _call_by_new_name(session: Session, event: BodyRenamed) -> None:
    """All that is open for a body that was renamed is its own under the new name."""
    incident.hand_over(session, SYSTEM, event.before, event.after, renamed=True)
    claim.follow_name(session, event.before, event.after)
    coapproval.follow_name(session, event.before, event.after)
    consultation.follow_name(session, event.before, event.after)
    supervision.follow_name(session, event.before, event.after)
    whistle.follow_name(session, event.before, event.after)


def _hear_comments(session: Session, event: Commented) -> None:
    """A case on which something is said is not silent."""
    escalation.hear(session, event.incident_id, event.at)


def _do_as_the_ladder_says(session: Session, event: LadderCalled) -> None:
    """An order is issued, or the street's leader asked for a whistle, where a ladder says so."""
    if event.act is Act.SUPERVISE:
        supervision.issue_by_ladder(session, event)
    elif event.act is Act.WHISTLE:
        whistle.propose_for(session, event.incident_id)


def _dispatch_by_list(session: Session, event: IncidentsMoved) -> None:
    """What areas let the system dispatch is dispatched as soon as it is accepted, in the background."""
    if any(move.action is Action.ACCEPT for move in event.moves) and dispatch.automatic_anywhere(session):
        jobs.defer(session, jobs.DISPATCH_WAITING)


def _send_on_site(session: Session, event: IncidentsReported) -> None:
    """Somebody near is sent to look at what the public reports."""
    onsite.send(session, [case.id for case in event.filed if case.closed_at is None])


def _keep_checks(session: Session, event: IncidentsMoved) -> None:
    """Checks on site follow the steps of their cases."""
    onsite.follow(session, event.moves)


def _go_on_with_plans(session: Session, event: ConsultationEnded) -> None:
    """What the opinions on a plan came to is noted; a veto sends it back."""
    publication.hear(session, event)


REACTIONS = {
    BodyRenamed: [_call_by_new_name],
    Commented: [_hear_comments],
    LadderCalled: [_do_as_the_ladder_says],
    Mentioned: [_tell_the_mentioned],
    ConsultationEnded: [_go_on_with_plans],
    EditionPublished: [_rehome_open_cases, _let_people_follow, _follow_later, _prepare_maps],
    UnitsSucceeded: [_go_along],
    IncidentsReported: [_start_clocks, _tell_of_reports, _send_on_site],
    IncidentsMoved: [
        _remember_items,
        _keep_clocks,
        _tell_of_steps,
        _end_pieces,
        _end_orders,
        _end_whistles,
        _keep_checks,
        _dispatch_by_list,
    ],
    CalendarCorrected: [_recount_clocks],
}
