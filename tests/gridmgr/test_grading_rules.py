"""Grades from signs and terms, in milliseconds."""

from datetime import date

import pytest

from gridmgr.flag import rules as flags
from gridmgr.grading import rules
from gridmgr.grading.model import Grade, Signs
from gridmgr.terms import rules as terms
from gridmgr.terms.model import TermOutside, TermsContradict, TermUnknown

USUAL = terms.read(rules.TERMS, {})


def graded(middle: float = 0.1, **signs) -> tuple[Grade, dict[str, float]]:
    found = rules.grade(Signs("1", **signs), middle, USUAL)
    return found.grade, {each.sign: each.points for each in found.reasons}


def test_a_quiet_grid_is_green_without_a_reason():
    assert graded(silent_days=1) == (Grade.GREEN, {})


def test_points_of_all_signs_are_added_and_the_weightiest_stands_first():
    grade, reasons = graded(overdue=2, hazards=2, serious=1)
    assert grade is Grade.RED
    assert list(reasons.items()) == [("hazards", 8), ("overdue", 6), ("serious", 1)]


def test_no_sign_alone_goes_beyond_its_most():
    assert graded(overdue=100) == (Grade.YELLOW, {"overdue": 10})


def test_few_households_or_reports_say_nothing_about_a_rate():
    assert graded(reports=20, households=100) == (Grade.GREEN, {"rate": 5})
    assert graded(reports=4, households=10) == (Grade.GREEN, {})
    assert graded(reports=20, households=10) == (Grade.GREEN, {})
    assert graded(reports=20, households=None) == (Grade.GREEN, {})
    assert rules.middle_rate([Signs("1", reports=10, households=100), Signs("2", reports=1)], USUAL) == 0.1
    assert rules.middle_rate([], USUAL) == 0.0


def test_silence_counts_from_its_day_on():
    assert graded(silent_days=6)[1] == {}
    assert graded(silent_days=7)[1] == {"silence": 4}


def test_the_suggestion_comes_from_the_terms():
    often = {grade: USUAL[f"{grade}_patrols"] for grade in Grade}
    assert often == {Grade.RED: 14, Grade.YELLOW: 7, Grade.GREEN: 3.5}
    assert rules.grade(Signs("1", overdue=9), 0, USUAL | {"yellow_patrols": 10}).patrols == 10


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"days": "x"}, TermOutside),
        ({"days": 7.5}, TermOutside),
        ({"days": 1000}, TermOutside),
        ({"days": True}, TermOutside),
        ({"cap": "nan"}, TermOutside),
        ({"odd": 1}, TermUnknown),
    ],
)
def test_terms_are_numbers_within_their_limits(given: dict, error: type):
    with pytest.raises(error):
        terms.read(rules.TERMS, given)


def test_terms_by_which_nothing_could_be_yellow_are_refused():
    with pytest.raises(TermsContradict):
        rules.check(USUAL | {"red_from": 1})


def test_weeks_begin_on_mondays_and_areas_are_what_all_cases_share():
    assert rules.monday_of(date(2026, 9, 13)) == date(2026, 9, 7)
    assert flags.area(["510106001001", "510106002001"]) == "51010600"
    assert flags.area([]) == ""
