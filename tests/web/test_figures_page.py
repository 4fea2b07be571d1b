"""The figures on the page, as files, through the API and the command line; their terms; and who may see persons."""

import io
from datetime import timedelta

import openpyxl
import pytest
from small_city import EAST, WEST

from gridmgr import clock
from gridmgr.account.model import Role
from gridmgr.statistics.rules import COUNTS, RATES, SCORE, TABLES
from gridmgr.tally.queries import DIMENSIONS, PEOPLE

pytestmark = pytest.mark.db


def test_every_table_by_every_row_is_a_page_with_its_formulas(city):
    client = city.client(Role.COMMAND_CENTRE)
    for n, by in enumerate(DIMENSIONS):
        table = list(TABLES)[n % len(TABLES)]
        page = client.get(
            f"/figures?by={by}&table={table}&previous=true&since=2026-01-01&sort=-{TABLES[table][1][0]}"
        )
        assert page.status_code == 200, by
        assert "÷" in page.text and "对比" in page.text
        assert "<script>alert" not in page.text
    page = client.get("/figures?by=street").text
    assert f"/incidents?count=reported&amp;row_by=street&amp;row={WEST}" in page
    listed = client.get(f"/incidents?count=reported&row_by=street&row={WEST}").text
    assert "仅列此数字背后的案件" in listed and city.member_case in listed and city.other_case not in listed


def test_past_days_and_maps_of_today_have_lists_of_their_own(city):
    client = city.client(Role.COMMAND_CENTRE)
    yesterday = clock.today() - timedelta(days=1)
    assert "截至" in client.get(f"/figures?at={yesterday}&previous=true").text
    moved = client.get("/figures?areas=now").text
    assert "/figures/cases?count=reported" in moved
    cases = client.get(f"/figures/cases?count=reported&row_by=street&row={EAST}&areas=now").text
    assert city.other_case in cases and city.member_case not in cases
    assert client.get(f"/figures?at={yesterday}&asked=true").text.count("alert bad") == 1


def test_files_hold_all_counts_and_rates(city):
    client = city.client(Role.COMMAND_CENTRE)
    lines = client.get("/figures.csv?by=category").text.splitlines()
    assert len(lines) == 3 and lines[0].count("÷") == len(RATES)
    sheet = openpyxl.load_workbook(io.BytesIO(client.get("/figures.xlsx").content)).active
    assert sheet.max_column == 2 + len(COUNTS) + len(RATES) + 1
    assert [cell.value for cell in sheet["C"]][1:] == [1, 1, 2]


def test_the_api_tells_rows_total_formulas_and_the_period_before(city):
    client, today = city.client(Role.COMMAND_CENTRE), clock.today()
    told = client.get(
        f"/api/figures?by=source&previous=true&since={today}&until={today}&without=suspended"
    ).json()
    assert (told["by"], told["level"], told["without"]) == ("source", None, ["suspended"])
    assert [row["code"] for row in told["areas"]] == ["patrol"]
    assert told["previous"]["until"] == str(today - timedelta(days=1))
    assert set(told["formulas"]) == {*RATES, SCORE} and set(COUNTS) < set(told["counted"])
    behind = client.get("/api/figures/cases?count=reported&row_by=source&row=patrol&size=1").json()
    assert len(behind["items"]) == 1
    rest = client.get(
        f"/api/figures/cases?count=reported&row_by=source&row=patrol&cursor={behind['next']}"
    ).json()
    assert (rest["items"][0]["number"], rest["next"]) == (city.member_case, None)
    past = client.get(f"/api/figures?at={today - timedelta(days=1)}").json()
    assert (past["total"]["counts"]["reported"], past["areas"]) == (0, [])
    assert len(client.get("/api/incidents?count=reported&row_by=street&row=").json()["items"]) == 0


def test_figures_of_persons_are_for_those_who_lead(city):
    for by in PEOPLE:
        member = city.client(Role.GRID_MEMBER)
        assert member.get(f"/api/figures?by={by}").status_code == 403
        assert member.get(f"/figures.csv?by={by}").status_code == 403
        page = member.get(f"/figures?by={by}").text
        assert "alert bad" in page and f'value="{by}"' not in page
        narrowed = f"row_by={by}&row=1"
        for path in ("/figures", "/figures/cases", "/incidents", "/trends", "/api/figures", "/api/incidents"):
            answer = member.get(f"{path}?{narrowed}")
            assert answer.status_code == 403 or "alert bad" in answer.text, path
            assert str(city.member_case) not in answer.text and Role.ADMIN.value not in answer.text
        assert city.client(Role.STREET_LEADER).get(f"/api/figures?by={by}").status_code == 200
        assert city.client(Role.STREET_LEADER).get(f"/api/incidents?{narrowed}").status_code == 200


def test_terms_are_set_by_the_centre_and_told_with_the_figures(city):
    assert city.client(Role.STREET_LEADER).get("/figures/terms").status_code == 403
    browser, csrf = city.browser(Role.COMMAND_CENTRE)
    form = {
        "csrf": csrf, "effective": str(clock.today()), "satisfied_from": "5", "response_hours": "2",
        "without": "merged", "response_rate": "30", "resolution_rate": "30", "satisfaction_rate": "40",
    }  # fmt: skip
    wrong = browser.post("/figures/terms", data=form | {"response_rate": "80"})
    assert wrong.status_code == 422 and "Σ = 1" in wrong.text and 'value="80"' in wrong.text
    assert browser.post("/figures/terms", data=form | {"effective": "soon"}).status_code == 422
    assert browser.post("/figures/terms", data=form).status_code == 303
    page = browser.get("/figures/terms").text
    assert "并入他案的" in page and 'value="30"' in page
    client = city.client(Role.COMMAND_CENTRE)
    assert client.get("/api/figures").json()["without"] == ["merged"]
    assert client.get("/api/figures/terms").json()["terms"]["satisfied_from"] == 5
    told = {"effective": "2020-01-01", "terms": {"without": ["luck"]}}
    assert client.post("/api/figures/terms", json=told).status_code == 422
