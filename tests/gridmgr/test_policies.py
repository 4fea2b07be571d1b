"""Tables of policies: read with every bad cell named, published by day, the most specific one answering."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridmgr import sheet
from gridmgr.category import queries as matters
from gridmgr.life.model import HOLDERS
from gridmgr.policy import queries, rules, service
from gridmgr.policy.model import LADDER, NoPolicies, Policy, Stage
from gridmgr.sheet import BadSheet

SAMPLE = Path(__file__).resolve().parents[2] / "sample_maps" / "policies.csv"
HEAD = "category,severity,stage,amount,unit,share,act,level,every,times,when,answer\n"
CODES = ["S0102", "S0503", "B0101"]


def read(rows: str, head: str = HEAD, seats=frozenset(LADDER)) -> rules.PoliciesRead:
    told = sheet.read((head + rows).encode(), "policies.csv", rules.policy_columns())
    return rules.read_policies(told, CODES, seats)


def told(found: rules.PoliciesRead) -> list[tuple]:
    places = [(each.details["row"], each.details["column"]) for each in found.errors]
    return [(*place, type(each.reason).__name__) for place, each in zip(places, found.errors, strict=True)]


def test_the_levels_of_a_ladder_are_those_that_hold_a_case_and_the_department():
    assert set(LADDER) - set(HOLDERS) == {"department"}
    assert [level for level in LADDER if level in HOLDERS] == list(HOLDERS)


def test_the_sample_is_sound_and_has_a_ladder_for_every_stage():
    found = read(SAMPLE.read_text("utf-8").partition("\n")[2])
    assert found.errors == ()
    assert {policy["stage"] for policy in found.policies} == set(Stage)


def test_rows_of_one_stage_are_one_ladder_and_the_limit_stands_on_the_first():
    found = read("S01,,verify,4,working_hours,50%,remind,micro_grid\nS01,,verify,,,1.5,take_over,street\n")
    assert found.policies == (
        {
            "category": "S01", "severity": None, "holder": None, "stage": "verify", "amount": 4,
            "unit": "working_hours",
            "ladder": [
                {"share": 0.5, "act": "remind", "level": "micro_grid"},
                {"share": 1.5, "act": "take_over", "level": "street"},
            ],
        },
    )  # fmt: skip


def test_an_office_may_write_it_in_its_own_words():
    head = "事项编码,紧急程度,环节,时限,单位,时限占比,动作,层级\n"
    found = read("S01,３,受理,0.5,工作时,１００％,升级接管,社区\n", head)
    assert (found.errors, found.policies[0]["stage"], found.policies[0]["severity"]) == ((), "accept", 3)
    assert found.policies[0]["ladder"] == [{"share": 1, "act": "take_over", "level": "community"}]


def test_a_limit_may_have_no_ladder():
    assert read(",,accept,30,hours,,,\n").policies[0]["ladder"] == []


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("X9,,accept,1,hours,1,tell,street\n", [(2, "category", "UnknownPrefix")]),
        (",4,accept,1,hours,1,tell,street\n", [(2, "severity", "NotWhole")]),
        (",,sleep,1,hours,1,tell,street\n", [(2, "stage", "NotOneOf")]),
        (",,accept,0,hours,1,tell,street\n", [(2, "amount", "NotANumber")]),
        (",,accept,1,minutes,1,tell,street\n", [(2, "unit", "NotOneOf")]),
        (",,accept,1,,1,tell,street\n", [(2, "unit", "UnitAlone")]),
        (",,accept,,,1,tell,street\n", [(2, "amount", "LimitMissing")]),
        (",,further,3,hours,1,tell,street\n", [(2, "amount", "LimitElsewhere")]),
        (",,accept,1,hours,11,tell,street\n", [(2, "share", "NoShare")]),
        (",,accept,1,hours,nan,tell,street\n", [(2, "share", "NoShare")]),
        (",,accept,1,hours,1,shout,street\n", [(2, "act", "NotOneOf")]),
        (",,accept,1,hours,1,tell,moon\n", [(2, "level", "NotOneOf")]),
        (",,accept,1,hours,1,,\n", [(2, "share", "RungIncomplete")]),
        (",,accept,1,hours,1,tell,department\n", [(2, "level", "NoBodyYet")]),
        (",,handle,,,1,take_over,department\n", [(2, "level", "HoldsNoCases")]),
        (",,accept,1,hours,1,tell,street\n,,accept,2,hours,2,tell,street\n", [(3, "amount", "LimitUnlike")]),
        (",,accept,1,hours,1,tell,street\n,,accept,,,0.5,tell,district\n", [(3, "share", "ShareFalls")]),
        (",,accept,1,hours,1,tell,street\n,,accept,,,,,\n", [(3, "share", "RungIncomplete")]),
        (",,handle,,,1,take_over,street\n,,handle,,,2,take_over,community\n", [(3, "level", "NotAbove")]),
        (",,handle,,,1,take_over,street\n,,handle,,,2,take_over,street\n", [(3, "level", "NotAbove")]),
        (
            "X9,,accept,1,hours,1,tell,street\n,,dispatch,,,1,tell,moon\n,,handle,,,9,tell,street\n,,handle,,,8,tell,street\n",
            [(2, "category", "UnknownPrefix"), (3, "level", "NotOneOf"), (5, "share", "ShareFalls")],
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_by_row_and_column(rows, expected):
    found = read(rows)
    assert sorted(told(found)) == expected


def test_the_first_row_that_cannot_be_read_is_not_followed_by_errors_of_its_own_making():
    assert told(read(",,accept,1,minutes,1,tell,street\n,,accept,,,2,tell,district\n")) == [
        (2, "unit", "NotOneOf")
    ]


def test_a_last_rung_that_would_reach_nobody_is_refused():
    found = read(",,accept,1,hours,1,tell,street\n,,accept,,,2,tell,district\n", seats={"street"})
    assert told(found) == [(3, "level", "NobodyThere")]


def test_a_ladder_has_an_end():
    rows = ",,accept,1,hours,0,tell,street\n" + ",,accept,,,1,tell,street\n" * 20
    assert told(read(rows)) == [(22, "share", "TooManyRungs")]


def policy(category, severity, stage="accept") -> Policy:
    return Policy(category=category, severity=severity, stage=stage, amount=1, unit="hours", ladder=[])


@pytest.mark.parametrize(
    ("code", "severity", "answer"),
    [
        ("S0102", 1, ("S01", None)),
        ("S0102", 3, ("S01", None)),  # the longer beginning before the named severity
        ("S0503", 3, ("", 3)),
        ("S0503", 1, ("", None)),
        ("", 3, ("", 3)),  # another system's category
    ],
)
def test_the_longest_beginning_answers_then_the_named_severity(code, severity, answer):
    table = [policy("", None), policy("", 3), policy("S01", None), policy("S0102", None, "verify")]
    found = rules.most_specific(table, code, severity, "accept")
    assert (found.category, found.severity) == answer


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "S", "S01", "S0102"]), st.sampled_from([None, 1, 2, 3])), unique=True
    )
)
def test_no_policy_that_fits_is_more_specific_than_the_one_that_answers(keys):
    found = rules.most_specific([policy(*key) for key in keys], "S0102", 2, "accept")
    fitting = [key for key in keys if key[1] in (None, 2)]
    assert (found is None) == (not fitting)
    for category, severity in fitting:
        assert len(category) <= len(found.category)
        assert len(category) < len(found.category) or severity is None or found.severity == severity


def test_differences_say_what_a_new_table_changes():
    old = read(",,accept,1,hours,1,tell,street\n,,verify,1,hours,,,\n").policies
    new = read(",,accept,2,hours,1,tell,street\nS,,accept,1,hours,,,\n").policies
    kinds = [(each.kind, (each.after or each.before)["stage"]) for each in rules.differences(old, new)]
    assert kinds == [("changed", "accept"), ("removed", "verify"), ("added", "accept")]
    assert rules.differences(old, old) == []


@pytest.mark.db
def test_each_day_has_its_own_table(district):
    for day, amount in ((date(2026, 1, 1), 1), (date(2026, 7, 1), 2)):
        service.publish(district, "试点", day, read(f",,accept,{amount},hours,,,\n"))
    amounts = [
        queries.policy_for(district, "S0102", 1, Stage.ACCEPT, date(2026, month, 30)).amount
        for month in (6, 7)
    ]
    assert amounts == [1, 2]
    assert queries.policy_for(district, "S0102", 1, Stage.ACCEPT, date(2025, 12, 31)) is None
    assert queries.policy_for(district, "S0102", 1, Stage.VERIFY, date(2026, 7, 1)) is None


@pytest.mark.db
def test_all_of_a_table_is_published_or_nothing(district):
    with pytest.raises(BadSheet) as refused:
        service.publish(district, "试点", date(2026, 1, 1), read(",,accept,1,hours,,,\n,,verify,,,,,\n"))
    assert len(refused.value.errors) == 1
    with pytest.raises(NoPolicies):
        service.publish(district, "试点", date(2026, 1, 1), rules.PoliciesRead((), ()))
    assert queries.policy_tables(district) == []


@pytest.mark.db
def test_the_whole_case_takes_as_long_as_its_policy_says_else_as_its_category_does(district):
    service.publish(
        district, "试点", date(2026, 1, 1), read("S05,,handle,1,hours,,,\n,,handle,,,1,tell,street\n")
    )
    limits = [
        queries.limit_of(district, matters.by_code(district, code), 1, date(2026, 7, 1))
        for code in ("S0102", "S0503")
    ]
    assert limits == [(4, "working_hours"), (1, "hours")]
