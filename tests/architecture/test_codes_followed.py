"""Every column that could hold a unit's code is declared: it follows the unit, or keeps the code of its day."""

from collections import Counter

from sqlalchemy import String

from gridmgr.following import rules
from gridmgr.following.rules import BEGINNERS, FOLLOWERS, UNDECIDED
from gridmgr.schema import METADATA
from gridmgr.words.following import FOLLOWED, WAYS

AS_WIDE_AS_A_CODE = 32
HIDDEN = {  # codes inside of something else
    "saved_view.query", "boundary_plan.locked", "bulletin.key", "bulletin_plan.key", "bulletin_due.key", "flag.key",
}  # fmt: skip


def test_every_column_as_wide_as_a_code_is_declared_once():
    there = {
        f"{table.name}.{column.name}"
        for table in METADATA.sorted_tables
        for column in table.columns
        if isinstance(column.type, String) and column.type.length == AS_WIDE_AS_A_CODE
    }
    told = rules.declared()
    assert there - set(told) == set(), "say in gridmgr/following/rules.py whether it follows, and why if not"
    assert set(told) - there == HIDDEN
    assert [name for name, times in Counter(told).items() if times > 1] == []


def test_what_follows_has_its_words():
    told = {each.matter for each in (*FOLLOWERS, *BEGINNERS, *UNDECIDED)} - {""}
    assert told == set(FOLLOWED) and set(WAYS) == set(rules.Way)


def test_whoever_keeps_a_record_can_say_that_it_followed():
    for each in FOLLOWERS:
        if each.record is not None:
            assert {"seq", "deed", "note", each.record.key, *each.blank} <= set(
                each.record.class_.__table__.columns.keys()
            )
