"""Work is cut into pieces; people on duty take and do them, whoever has cut them accepts; no place is given twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from climbing import MONDAY, after
from little import SOUTH, STEP, STREET, WEST, layer, little_district, square
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from gridmgr import clock, db
from gridmgr.account import queries as accounts
from gridmgr.account import service as account_service
from gridmgr.account.model import NotGranted, Role, UnknownAccount
from gridmgr.account.rules import SYSTEM, Actor, Grant
from gridmgr.attachment import service as attachment
from gridmgr.claim import queries, rules, service
from gridmgr.claim.model import (
    CaseFinished,
    Cutting,
    Deed,
    EndsBefore,
    HandsFull,
    NoPlaceGiven,
    NoPlaceLeft,
    NotALeader,
    NotOfTheArea,
    NotOnDuty,
    NotYourCase,
    NotYourPiece,
    OwnWork,
    Part,
    Piece,
    PieceDeedImpossible,
    PieceNoteMissing,
    PlacesWrong,
    PointElsewhere,
    Standing,
    TakenAlready,
    TimeOver,
    UnknownPiece,
)
from gridmgr.duty.model import Leave, Shift
from gridmgr.hierarchy import service as hierarchy
from gridmgr.life.model import Action
from gridmgr.notice.model import Notice
from gridmgr.reactions import REACTIONS
from gridmgr.settings import settings

GRID, OTHER = f"{STREET}001001", f"{STREET}002001"


# ---- rules, without a database -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seat", "code", "there"),
    [(GRID, GRID, True), (GRID, STREET, True), (STREET, GRID, True), (GRID, OTHER, False), ("", GRID, True)],
)
def test_a_seat_is_on_duty_for_places_in_it_and_for_areas_around_it(seat, code, there):
    assert rules.on_duty([seat], code) is there


def test_a_free_place_is_told_of_in_the_last_quarter_of_its_time():
    assert rules.near_at(MONDAY, after(8)) == after(6)


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"what": " "}, PieceNoteMissing), ({"what": "长" * 501}, PieceNoteMissing), ({"places": 0}, PlacesWrong),
        ({"places": 100}, PlacesWrong), ({"until": MONDAY}, EndsBefore),
        ({"until": MONDAY + timedelta(days=93)}, EndsBefore),
    ],
)  # fmt: skip
def test_a_piece_says_what_for_how_many_and_until_when(changes, refusal):
    with pytest.raises(refusal):
        rules.check(Cutting(**{"what": "做", "until": after(4), "code": GRID} | changes), MONDAY)


# ---- on PostGIS ------------------------------------------------------------------------------------------


def cut(desk, actor, *, at=MONDAY, hours: float = 8, **changes) -> Piece:
    wanted = {"what": "清点独居老人", "until": at + timedelta(hours=hours), "code": GRID} | changes
    return desk.at(at, lambda: service.cut(desk.session, actor, Cutting(**wanted)))


def take(desk, actor, piece, hours: float = 1) -> Piece:
    return desk.at(after(hours), lambda: service.take(desk.session, actor, piece.id))


def do(desk, actor, piece, deed, note="好", hours: float = 2, **more) -> Piece:
    return desk.at(after(hours), lambda: service.do(desk.session, actor, piece.id, deed, note, **more))


def told(desk, actor) -> list[str]:
    asked = select(Notice.kind).where(Notice.account_id == actor.id).order_by(Notice.id)
    return [kind for kind in desk.session.scalars(asked) if kind.startswith("piece")]


@pytest.fixture
def colleague(district) -> Actor:
    """Another grid member of the same micro-grid."""
    account = account_service.open_account(
        district, "colleague", "李梅", "a long enough password", [Grant(Role.GRID_MEMBER, GRID)]
    )
    return accounts.actor_of(account)


db_marked = pytest.mark.db


@db_marked
def test_a_piece_is_cut_taken_reported_returned_and_accepted(desk, staff):
    clerk, member = staff[Role.COMMUNITY_CLERK], staff[Role.GRID_MEMBER]
    piece = cut(desk, clerk)
    assert (piece.street_code, piece.place, piece.near_at) == (STREET, "第1微网格", after(6))
    take(desk, member, piece)
    with pytest.raises(PieceNoteMissing):
        do(desk, member, piece, Deed.REPORT, " ")
    photo = attachment.store(desk.session, member, "现场.txt", "做完了".encode())
    do(desk, member, piece, Deed.REPORT, "查了六户", files=[{"sha256": photo.sha256, "name": "../现场.txt"}])
    do(desk, clerk, piece, Deed.RETURN, "还差两户", 3)
    assert piece.state == Standing.OPEN
    do(desk, member, piece, Deed.REPORT, "八户都查了", 4)
    do(desk, clerk, piece, Deed.ACCEPT, "", 5)
    assert (piece.state, piece.ended_at) == (Standing.DONE, after(5))
    deeds = queries.deeds(desk.session, [piece.id])[piece.id]
    assert [(each.seq, each.deed, each.doer_id) for each in deeds] == [
        (1, "cut", None), (2, "claim", member.id), (3, "report", member.id), (4, "return", member.id),
        (5, "report", member.id), (6, "accept", member.id),
    ]  # fmt: skip
    assert deeds[2].files[0]["name"] == "现场.txt"
    assert told(desk, member) == ["piece_cut", "piece_returned"]
    assert told(desk, clerk) == ["piece_reported", "piece_reported"]
    assert queries.shown_file(desk.session, member, photo.sha256).piece_id == piece.id
    far = Actor(None, "far", (Grant(Role.STREET_DISPATCHER, "999"),))
    assert queries.shown_file(desk.session, far, photo.sha256) is None
    assert queries.attached(desk.session, [photo.sha256, "0" * 64]) == {photo.sha256}


@db_marked
def test_what_was_done_is_never_changed(desk, staff):
    cut(desk, staff[Role.COMMUNITY_CLERK])
    for statement in ("UPDATE claim_deed SET note = ''", "DELETE FROM claim_deed", "TRUNCATE claim_deed"):
        with pytest.raises(DBAPIError), desk.session.begin_nested():
            desk.session.execute(text(statement))


@db_marked
def test_who_cuts_work(desk, staff):
    handler, member = staff[Role.DEPARTMENT_HANDLER], staff[Role.GRID_MEMBER]
    with pytest.raises(NotGranted):
        cut(desk, member)
    with pytest.raises(NotALeader):
        cut(desk, handler)
    with pytest.raises(NoPlaceGiven):
        cut(desk, staff[Role.STREET_DISPATCHER], code="")
    case = desk.handling()
    assert cut(desk, handler, number=case.number, code="").incident_id == case.id
    other = desk.report()
    for actor in (handler, staff[Role.GRID_LEADER]):  # not theirs: the micro-grid holds it, the leader may
        if actor is handler:
            with pytest.raises(NotYourCase):
                cut(desk, actor, number=other.number)
        else:
            assert cut(desk, actor, number=other.number).places == 1
    desk.move(other, MONDAY, Action.VOID, staff[Role.COMMAND_CENTRE], note="误报")
    with pytest.raises(CaseFinished):
        cut(desk, staff[Role.STREET_DISPATCHER], number=other.number)


@db_marked
def test_a_building_is_for_the_people_of_its_micro_grid(desk, staff):
    piece = cut(desk, staff[Role.STREET_DISPATCHER], code=f"{STREET}00100002")
    assert (piece.code, piece.place) == (f"{STREET}001002", "荷花路2号")


@db_marked
def test_a_point_lies_where_the_code_says(desk, staff):
    here = (WEST + 0.1 * STEP, SOUTH + 0.1 * STEP)
    clerk, dispatcher = staff[Role.COMMUNITY_CLERK], staff[Role.STREET_DISPATCHER]
    piece = cut(desk, clerk, point=here)
    cut(desk, dispatcher, point=(WEST + 1.5 * STEP, SOUTH + 0.1 * STEP), code=STREET)
    with pytest.raises(PointElsewhere):
        cut(desk, clerk, point=(WEST + 3.5 * STEP, SOUTH + 0.1 * STEP))
    with clock.travel(after(1)):
        found = queries.near(desk.session, staff[Role.GRID_MEMBER], *here, queries.Search(free=True))
    assert (found[0][0].id, round(found[0][1])) == (piece.id, 0)
    assert 1200 < found[1][1] < 1500  # one micro-grid farther east
    assert queries.points(desk.session, [piece.id])[piece.id] == pytest.approx(here)


@db_marked
def test_only_who_is_of_the_area_and_on_duty_takes_it(desk, staff, colleague):
    clerk, member = staff[Role.COMMUNITY_CLERK], staff[Role.GRID_MEMBER]
    piece, elsewhere = cut(desk, clerk), cut(desk, staff[Role.STREET_DISPATCHER], code=OTHER)
    with pytest.raises(UnknownPiece):
        take(desk, member, elsewhere)
    with pytest.raises(NotGranted):
        take(desk, staff[Role.STREET_DISPATCHER], piece)
    for hour in (0, 10):
        desk.session.add(
            Shift(
                account_id=member.id, role=Role.GRID_MEMBER, code=GRID, substitute=False,
                begins=after(hour), ends=after(hour + 4),
            )
        )  # fmt: skip
    desk.session.add(Leave(account_id=colleague.id, begins=MONDAY, ends=after(9), reason=""))
    desk.session.flush()
    with pytest.raises(NotOnDuty):
        take(desk, member, piece, 5)  # between two turns
    with pytest.raises(NotOnDuty):
        take(desk, colleague, piece)  # away
    assert take(desk, member, piece, 3).id == piece.id
    with clock.travel(after(3)):
        assert queries.seats_of(desk.session, member.id) == (GRID,)


@db_marked
def test_a_place_is_for_one_and_hands_hold_so_many(desk, staff, colleague, monkeypatch):
    monkeypatch.setattr(settings(), "pieces_at_once", 2)
    clerk, member = staff[Role.COMMUNITY_CLERK], staff[Role.GRID_MEMBER]
    pieces = [cut(desk, clerk) for _ in range(3)]
    take(desk, member, pieces[0])
    with pytest.raises(TakenAlready):
        take(desk, member, pieces[0])
    with pytest.raises(NoPlaceLeft):
        take(desk, colleague, pieces[0])
    take(desk, member, pieces[1])
    with pytest.raises(HandsFull):
        take(desk, member, pieces[2])
    do(desk, member, pieces[0], Deed.GIVE_BACK, "要去开会")
    assert told(desk, clerk) == ["piece_given_back"]
    take(desk, colleague, pieces[0], 3)
    take(desk, member, pieces[2], 3)
    with pytest.raises(TimeOver):
        take(desk, colleague, cut(desk, clerk, hours=2), 3)


@db_marked
def test_an_author_hands_a_piece_to_a_person_and_several_do_one(desk, staff, colleague):
    clerk, member, leader = (
        staff[each] for each in (Role.COMMUNITY_CLERK, Role.GRID_MEMBER, Role.GRID_LEADER)
    )
    piece = cut(desk, clerk, places=2)

    def hand(who: Actor, to: str) -> None:
        desk.at(after(1), lambda: service.hand(desk.session, who, piece.id, to, "请去一趟"))

    with pytest.raises(NotYourPiece):
        hand(leader, "colleague")
    with pytest.raises(UnknownAccount):
        hand(clerk, "nobody")
    with pytest.raises(NotOfTheArea):
        hand(clerk, Role.STREET_DISPATCHER)
    hand(clerk, "colleague")
    assert told(desk, colleague) == ["piece_cut", "piece_handed"]
    take(desk, member, piece)
    for actor in (member, colleague):
        do(desk, actor, piece, Deed.REPORT)
    do(desk, clerk, piece, Deed.ACCEPT, whose="colleague")
    assert piece.state == Standing.OPEN
    do(desk, clerk, piece, Deed.ACCEPT)
    assert piece.state == Standing.DONE


@db_marked
def test_nobody_accepts_the_own_work_and_what_does_not_fit_is_refused(desk, staff):
    leader, member, dispatcher = (
        staff[each] for each in (Role.GRID_LEADER, Role.GRID_MEMBER, Role.STREET_DISPATCHER)
    )
    piece = cut(desk, leader)
    take(desk, leader, piece)
    for deed in (Deed.ACCEPT, Deed.RETURN, Deed.CLAIM):
        with pytest.raises(PieceDeedImpossible):
            do(desk, leader, piece, deed)
    do(desk, leader, piece, Deed.REPORT)
    with pytest.raises(OwnWork):
        do(desk, leader, piece, Deed.ACCEPT)
    with pytest.raises(NotYourPiece):
        do(desk, member, piece, Deed.ACCEPT)
    do(desk, dispatcher, piece, Deed.ACCEPT)
    with pytest.raises(PieceDeedImpossible):
        do(desk, leader, piece, Deed.END)


@db_marked
def test_a_finished_case_takes_its_pieces_back(desk, staff):
    case, member = desk.handling(), staff[Role.GRID_MEMBER]
    pieces = [cut(desk, staff[Role.DEPARTMENT_HANDLER], number=case.number, code="") for _ in range(2)]
    assert queries.open_of_case(desk.session, case.id) == 2
    take(desk, member, pieces[0])
    do(desk, member, pieces[0], Deed.REPORT)
    do(desk, staff[Role.DEPARTMENT_HANDLER], pieces[0], Deed.ACCEPT)
    take(desk, member, pieces[1])
    desk.move(case, after(3), Action.VOID, staff[Role.COMMAND_CENTRE], note="误报")
    assert [each.state for each in pieces] == [Standing.DONE, Standing.ENDED]
    assert told(desk, member)[-1] == "piece_ended"
    assert queries.held(desk.session, [pieces[1].id]) == {}


@db_marked
def test_its_author_hears_once_that_nobody_takes_a_piece(desk, staff, colleague):
    clerk = staff[Role.COMMUNITY_CLERK]
    free, taken = cut(desk, clerk), cut(desk, clerk)
    take(desk, colleague, taken)
    found = [desk.at(after(h), lambda: service.tell_unclaimed(desk.session)) for h in (5.9, 6.1, 7)]
    assert found == [0, 1, 0]
    assert told(desk, clerk) == ["piece_unclaimed"]
    assert free.near_told_at == after(6.1)
    do(desk, colleague, taken, Deed.GIVE_BACK, "来不及", 7)  # now a place is left there, too
    assert desk.at(after(7.1), lambda: service.tell_unclaimed(desk.session)) == 1


@db_marked
def test_open_pieces_follow_a_map_that_is_drawn_anew(desk, staff):
    dispatcher, spot = staff[Role.STREET_DISPATCHER], (WEST + 1.1 * STEP, SOUTH + 0.1 * STEP)
    there = cut(desk, dispatcher, code=f"{STREET}001002", point=spot)
    wide = cut(desk, dispatcher, code=STREET, point=spot)
    gone, stays = cut(desk, dispatcher, code=f"{STREET}002002"), cut(desk, dispatcher, code=OTHER)
    after_ = little_district()
    after_["micro_grid"] = layer(
        [
            (f"{STREET}001001", "第1微网格", f"{STREET}001", square(0, 0, 1.3)),
            (f"{STREET}001002", "第2微网格", f"{STREET}001", square(1.3, 0, 0.7)),
            (OTHER, "第3微网格", f"{STREET}002", square(2, 0, 2)),
        ]
    )
    after_["building"] = after_["building"].assign(
        parent_code=[f"{STREET}001001", f"{STREET}001002", OTHER, OTHER]
    )
    hierarchy.load(desk.session, after_, date(2026, 9, 8), "二版")
    with clock.travel(after(30)):
        assert service.rehome_open(desk.session) == 2
        assert service.rehome_open(desk.session) == 0
    codes = [each.code for each in (there, wide, gone, stays)]
    assert codes == [f"{STREET}001001", STREET, f"{STREET}002", OTHER]


@db_marked
def test_lists_and_counts_are_those_of_the_asker(desk, staff):
    clerk, member = staff[Role.COMMUNITY_CLERK], staff[Role.GRID_MEMBER]
    own, wide = cut(desk, clerk), cut(desk, staff[Role.STREET_DISPATCHER], code=STREET)
    cut(desk, staff[Role.STREET_DISPATCHER], code=OTHER)
    take(desk, member, own)
    with clock.travel(after(2)):

        def ids(search: queries.Search, who: Actor = member) -> list[int]:
            return [each.id for each in queries.page(desk.session, who, search, 10)]

        assert ids(queries.Search()) == [wide.id, own.id]
        assert ids(queries.Search(free=True)) == [wide.id]
        assert ids(queries.Search(taken_by=member.id)) == [own.id]
        assert ids(queries.Search(cut_by=clerk.id), SYSTEM) == [own.id]
        assert ids(queries.Search(area=OTHER)) == []
        assert len(ids(queries.Search(state=Standing.OPEN), SYSTEM)) == 3
        assert queries.counts(desk.session, member) == {"free": 1, "mine": 1, "cut": 0, "reported": 0}
        assert queries.counts(desk.session, clerk)["cut"] == 1
        deeds = rules.deeds(member, own, [(member.id, Part.AT_WORK)], (GRID,), True)
    assert deeds == [Deed.REPORT, Deed.GIVE_BACK]


@db_marked
def test_two_who_reach_for_the_last_place_do_not_both_get_it(own_district):
    with db.transaction(own_district, REACTIONS) as session:
        people = [
            accounts.actor_of(
                account_service.open_account(
                    session, f"m{n}", f"m{n}", "a long enough password", [Grant(Role.GRID_MEMBER, GRID)]
                )
            )
            for n in range(6)
        ]
        wanted = Cutting("数一数", clock.now() + timedelta(hours=4), code=GRID, places=2)
        piece_id = service.cut(session, SYSTEM, wanted).id

    def reach(person: Actor) -> bool:
        try:
            with db.transaction(own_district, REACTIONS) as session:
                service.take(session, person, piece_id)
                session.execute(text("SELECT pg_sleep(0.05)"))
        except NoPlaceLeft:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(reach, people)) == 2
    with db.transaction(own_district) as session:
        assert len(queries.held(session, [piece_id])[piece_id]) == 2
