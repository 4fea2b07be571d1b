"""C5 任免建议权: the head of a station is moved only after the street is asked; of twenty proposed it stops two."""

from datetime import date

import pytest
from climbing import after
from little import STREET

from gridmgr import sheet
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import Role
from gridmgr.account.rules import SYSTEM, Grant
from gridmgr.consultation import queries, rules, service
from gridmgr.consultation.model import Asking, NotConsulted, Said, StillRunning, UnknownConsultation, Vetoed
from gridmgr.simulation.samples import SAMPLE_MAPS

pytestmark = pytest.mark.db
KINDS = SAMPLE_MAPS / "consultation_kinds.csv"
STOPPED = {4: "群众反映强烈的问题长期不到场", 13: "重点工作尚未交接"}


def test_a_station_head_is_moved_only_after_the_street_is_asked(desk, staff):
    """C5: 拟任免二十人，街道同意十八人，否决两人；未征求意见或被否决的不得任免；街道以外的人看不到."""
    session, leader = desk.session, staff[Role.STREET_LEADER]
    read = sheet.read(KINDS.read_bytes(), KINDS.name, rules.KINDS)
    service.import_kinds(session, SYSTEM, read, date(2026, 1, 1))
    opened = account_service.open_account(
        session, "personnel", "组织干事", "a long enough password", [Grant(Role.DEPARTMENT_HANDLER, STREET)],
        body="组织部",
    )  # fmt: skip
    personnel = accounts.actor_of(opened)
    subjects = [f"post:{n}" for n in range(20)]

    def may_move(subject: str) -> bool:
        try:
            queries.check_consulted(session, "appointment.head", subject)
        except (NotConsulted, StillRunning, Vetoed):
            return False
        return True

    def propose(n: int):
        facts = {"person": f"拟任{n}", "station": "派出所", "move": "任职"}
        told = Asking(f"派出所负责人任职：拟任{n}", facts=facts)
        return service.ask(session, personnel, "appointment.head", subjects[n], [STREET], told)

    def answer(n: int, found) -> None:
        said = Said.VETO if n in STOPPED else Said.AGREE
        service.say(session, leader, found.id, said, STOPPED.get(n, ""), {"work": "称职"})

    assert not any(map(may_move, subjects))  # before anybody was asked, nobody is moved
    for n, subject in enumerate(subjects):
        found = desk.at(after(n), lambda n=n: propose(n))
        assert not may_move(subject)
        with pytest.raises(UnknownConsultation):  # what is about a person is not for everybody
            queries.consultation(session, staff[Role.GRID_MEMBER], found.id)
        desk.at(after(n + 0.5), lambda n=n, found=found: answer(n, found))

    assert [n for n, subject in enumerate(subjects) if not may_move(subject)] == list(STOPPED)
    with pytest.raises(Vetoed, match=r"荷花池街道.*长期不到场"):
        queries.check_consulted(session, "appointment.head", subjects[4])
    (figures,) = queries.figures(session, SYSTEM, after(-1), after(48))
    assert (figures.sphere, figures.asked, figures.agreed, figures.stopped) == ("appointment", 20, 18, 2)
    assert figures.share_in_time == 1
