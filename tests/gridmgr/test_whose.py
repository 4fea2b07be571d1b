"""Whoever types what was seen finds whose it is, though nobody types the name of a category itself."""

from datetime import date

import pytest

from gridmgr.category import rules, service
from gridmgr.category.model import Category
from gridmgr.responsibility import queries
from gridmgr.simulation.samples import category_rows


@pytest.fixture(scope="module")
def table() -> list[Category]:
    return [Category(**row) for row in category_rows()]


def first(words: str, table: list[Category]) -> str:
    return rules.matching(words, table)[0].name_zh


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("垃圾没人收", "暴露垃圾"),
        ("井盖不见了", "井盖"),
        ("小广告", "非法小广告"),
        ("rubbish", "暴露垃圾"),
        ("店外经营", "店外经营"),
    ],
)
def test_words_of_ones_own_find_the_matter(table, words, name):
    found = [each.name_zh for each in rules.matching(words, table)[:3]]
    assert any(name in each for each in found), found


def test_a_code_is_found_by_its_beginning_and_the_very_code_first(table):
    code = table[5].code
    assert rules.matching(code, table)[0].code == code
    assert all(each.code.startswith(code[:3]) for each in rules.matching(code[:3], table))


@pytest.mark.parametrize("words", ["", "   ", "？！", "%", "'; DROP", "zzzzqqq", "\0"])
def test_what_says_nothing_finds_nothing(table, words):
    assert rules.matching(words, table) == []


def test_only_the_table_in_force_is_looked_through(session):
    service.publish(session, "now", date(2020, 1, 1), category_rows())
    service.publish(session, "later", date(2999, 1, 1), [category_rows()[0]])
    assert len(queries.whose(session, "垃圾", size=2)) == 2
