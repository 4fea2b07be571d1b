"""One search: what a text may mean, and that nobody finds what lies beyond the own area."""

import pytest
from little import SOUTH, STEP, STREET, WEST

from gridmgr.account import queries as account_queries
from gridmgr.account import service as accounts
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.hierarchy.model import Crosswalk, Edition, Lineage
from gridmgr.intake import service as intake
from gridmgr.lookup import queries, rules
from gridmgr.lookup.model import Found
from gridmgr.notice.model import NoticeAddress, Way
from gridmgr.position import service as position

MIDDLE = f"{WEST + 0.5 * STEP},{SOUTH + 0.5 * STEP}"


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("104.05,30.69", (104.05, 30.69)), ("（104.05，30.69）", (104.05, 30.69)), ("30.69 104.05", (104.05, 30.69)),
        ("-77.03, 38.9", (-77.03, 38.9)), ("7-2-802", None), ("104,30", None), ("104.05", None), ("999.1,30.2", None),
        ("荷花路3号", None),
    ],
)  # fmt: skip
def test_coordinates_are_told_from_other_numbers(typed, meant):
    assert rules.point(rules.tidied(typed)) == meant


def test_a_phone_is_three_figures_at_least():
    assert [rules.phone(each) for each in ("138 0000-0001", "12", "荷花路1", "+86138")] == [
        "13800000001", None, None, "+86138",
    ]  # fmt: skip


def test_a_text_is_made_narrow_and_storable():
    assert rules.tidied(" ＡＢ　１２\0 \ud800 ") == "AB 12"
    assert len(rules.tidied("x" * 999)) == rules.MOST


def codes(found: Found) -> list[str]:
    return [each.unit.code for each in found.places]


@pytest.mark.db
def test_places_are_found_by_name_code_address_and_what_others_call_them(district):
    edition = district.query(Edition).first().id
    district.add(
        Crosswalk(
            list_name="民政",
            foreign_code="XZ-1",
            foreign_name="老城厢",
            code=f"{STREET}001",
            matched_by="code",
        )
    )
    district.add(
        Lineage(
            edition_id=edition,
            level="micro_grid",
            kind="renamed",
            old_code="OLD7",
            new_code=f"{STREET}002001",
        )
    )

    def find(typed: str) -> list[str]:
        return codes(queries.find(district, SYSTEM, typed))

    assert find("荷花池") == [STREET]
    assert find(f"{STREET}001")[:2] == [f"{STREET}001", f"{STREET}001001"]
    assert find("荷花路3号") == [f"{STREET}00200001"]
    assert find("老城厢") == find("XZ-1") == [f"{STREET}001"]
    assert find("OLD7") == [f"{STREET}002001"]
    spot = queries.find(district, SYSTEM, MIDDLE).spot
    assert spot.unit.code == f"{STREET}00100001"
    assert queries.find(district, SYSTEM, "0.5,0.5").spot.unit is None
    for nasty in ("", "%", "_", "\\", "' OR 1=1 --", "<img src=x onerror=1>", "\0", "(" * 300):
        assert codes(queries.find(district, SYSTEM, nasty)) == []


@pytest.mark.db
def test_other_names_of_units_elsewhere_hide_none_of_the_own_area(district):
    elsewhere, own = f"{STREET}001", f"{STREET}002"
    codes_of = [elsewhere] * queries.WIDE + [own]
    district.add_all(
        Crosswalk(list_name="民政", foreign_code=f"A{n}", foreign_name="老城厢", code=code, matched_by="code")
        for n, code in enumerate(codes_of)
    )
    clerk = Actor(None, "", (Grant(Role.COMMUNITY_CLERK, own),))
    assert codes(queries.find(district, clerk, "老城厢")) == [own]


@pytest.mark.db
def test_cases_and_people_are_found_within_the_own_area_alone(district, staff, told):
    case = intake.report(district, SYSTEM, told(address="荷花路1号", description="井盖丢失"))
    member = staff[Role.GRID_MEMBER]
    district.add(NoticeAddress(account_id=member.id, way=Way.SMS, address="13900000007"))
    stranger = account_queries.actor_of(
        accounts.open_account(
            district,
            "stranger",
            "邻街派遣",
            "a long enough password",
            [Grant(Role.STREET_DISPATCHER, "510106002")],
        )
    )
    position.share(district, member)
    position.send(district, member, WEST + 0.1 * STEP, SOUTH + 0.1 * STEP, "wgs84")
    desk = staff[Role.STREET_DISPATCHER]
    for typed in (case.number, "井盖"):
        assert [each.number for each in queries.find(district, desk, typed).cases] == [case.number]
    for typed in ("1390000", "grid_member"):
        person = queries.find(district, desk, typed).people[0]
        assert (person.account.id, person.on_duty, person.seen.code) == (member.id, True, f"{STREET}001001")
    for typed in (case.number, "井盖", "1390000", "grid_member", "荷花"):
        assert queries.find(district, stranger, typed) == Found(None, [], [], [])
    assert (
        queries.find(district, staff[Role.DEPARTMENT_HANDLER], "1390000").people == []
    )  # no office: no phones
    seen = queries.find(district, staff[Role.DEPARTMENT_HANDLER], "grid_member").people
    assert [each.seen for each in seen] == [None]
