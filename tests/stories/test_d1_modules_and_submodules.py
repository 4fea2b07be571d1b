"""D1 六主模块加十一子模块: each of 103 towns picks three to five, each module has a lead (牵头人)."""

from itertools import combinations, cycle, islice

import pytest
from climbing import MONDAY, after

from gridmgr import clock
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Grant, Role
from gridmgr.module import queries, rules, service
from gridmgr.module.model import PicksOutOfRange, SeesNothingThere

pytestmark = pytest.mark.db
TOWNS = [f"330802{n:03}" for n in range(100, 203)]


def chosen(session, town: str, *picks: str, at=MONDAY, **more) -> None:
    with clock.travel(at):
        service.regroup(session, SYSTEM, town, "six_and_eleven", picks, lambda codes: (), **more)


def test_103_towns_pick_three_to_five_of_eleven_each_in_its_own_way(session):
    codes = [each.code for each in rules.template("six_and_eleven").picks]
    ways = cycle(each for size in (3, 4, 5) for each in islice(combinations(codes, size), 20))
    picked = {town: next(ways) for town in TOWNS}
    for town, picks in picked.items():
        chosen(session, town, *picks)
    groupings = queries.groupings(session)
    assert len(groupings) == 103
    for town, picks in picked.items():
        subs = {each.code for each in groupings[town].modules if each.under}
        assert (subs, len(groupings[town].modules)) == (set(picks), 6 + len(picks))
    for count in (2, 6):
        with pytest.raises(PicksOutOfRange):
            chosen(session, TOWNS[0], *codes[:count])


def test_each_module_has_a_lead_who_works_there_and_leads_it_until_another_does(session):
    chosen(session, TOWNS[0], "tiaojie", "xiaofang", "zhishui")
    for username, code in (("li", TOWNS[0]), ("wu", TOWNS[0]), ("far", TOWNS[1])):
        grants = [Grant(Role.STREET_DISPATCHER, code)]
        accounts.open_account(session, username, f"{username}某", "x" * 12, grants)
    ids = [each.id for each in queries.own(session, TOWNS[0]).modules]
    seats = queries.seats(session, ids)
    for found in seats.values():
        service.appoint(session, SYSTEM, found[0].post.id, "li")
    assert {queries.lead(session, each).username for each in ids} == {"li"}
    with pytest.raises(SeesNothingThere):
        service.appoint(session, SYSTEM, seats[ids[0]][0].post.id, "far")
    with clock.travel(after(24)):
        service.appoint(session, SYSTEM, seats[ids[0]][0].post.id, "wu")
    assert queries.lead(session, ids[0]).username == "wu"
    chosen(session, TOWNS[0], "tiaojie", "xiaofang", "yingji", at=after(48), agreed=True)
    held = queries.history(session, TOWNS[0])[0].held
    assert (
        len([each for each in held if each[2] == "li某" and each[4] is None]) == 7
    )  # two of nine have ended
