"""Talk of cases over HTTP: comments on the page and by the API, ready-made notes and who keeps them."""

import io

import pytest
from small_city import SCRIPT, City

from gridmgr.account.model import Role


@pytest.fixture
def clerk(city: City):
    """The clerk's browser, with the secret of its forms."""
    return city.browser(Role.COMMUNITY_CLERK)


def test_a_comment_is_shown_as_it_was_typed_and_never_as_html(city: City, clerk):
    browser, csrf = clerk
    page = f"/incidents/{city.member_case}"
    answer = browser.post(f"{page}/comments", data={"csrf": csrf, "text": f"已联系物业 {SCRIPT}"})
    assert (answer.status_code, answer.headers["location"]) == (303, f"{page}#talk")
    shown = browser.get(page).text
    assert "已联系物业 &lt;script&gt;" in shown and SCRIPT not in shown


def test_whom_a_comment_names_stands_out_and_what_only_looks_like_a_name_does_not(city: City, clerk):
    browser, csrf = clerk
    page = f"/incidents/{city.member_case}"
    said = f"请@admin看，@nobody也看{SCRIPT}"
    box = browser.post(f"{page}/comments", data={"csrf": csrf, "text": said}, headers={"HX-Request": "true"})
    for shown in (box.text, browser.get(page).text):
        assert '请<strong class="mention">@admin</strong>看，@nobody也看&lt;script&gt;' in shown


def test_with_htmx_only_the_box_comes_back_and_keeps_what_could_not_be_said(city: City, clerk):
    browser, csrf = clerk
    path, headers = f"/incidents/{city.member_case}/comments", {"HX-Request": "true"}
    said = browser.post(path, data={"csrf": csrf, "text": "请看"}, headers=headers)
    assert said.status_code == 200 and said.text.lstrip().startswith("<section") and "请看" in said.text
    long = browser.post(path, data={"csrf": csrf, "text": "长" * 2001}, headers=headers)
    assert long.status_code == 422 and "长" * 2001 in long.text and 'role="alert"' in long.text
    assert browser.post(path, data={"text": "伪造"}).status_code == 403


def test_who_does_not_see_the_case_neither_reads_nor_comments(city: City, as_role):
    path = f"/api/incidents/{city.other_case}/comments"
    member = as_role(Role.GRID_MEMBER)
    assert member.get(path).status_code == 404
    assert member.post(path, json={"text": "看不到"}).status_code == 404
    assert as_role().get(path).status_code == 401


def test_comments_go_on_from_a_cursor_and_say_whom_they_name(city: City, as_role):
    path = f"/api/incidents/{city.other_case}/comments"
    admin = as_role(Role.ADMIN)
    for text in ("一", "二", "@admin 和 @command_centre请看"):
        assert admin.post(path, json={"text": text}).status_code == 201
    first = admin.get(path, params={"size": 2}).json()
    assert [each["text"] for each in first["items"]] == ["一", "二"]
    rest = admin.get(path, params={"size": 2, "cursor": first["next"]}).json()
    assert rest["next"] is None and len(rest["items"][0]["mentions"]) == 1  # and not the author himself
    assert admin.post(path, json={"text": "  "}).status_code == 422


def test_administrators_keep_notes_and_steps_offer_them_in_the_readers_language(city: City, as_role):
    admin = as_role(Role.ADMIN)
    note = {"action": "void", "category": "02", "zh": "不属受理范围", "en": "Not a matter of ours"}
    assert admin.post("/api/phrases", json=note).status_code == 204
    assert as_role(Role.COMMUNITY_CLERK).post("/api/phrases", json=note).status_code == 403
    page = f"/incidents/{city.member_case}"
    assert "<option>不属受理范围</option>" in city.client(Role.ADMIN).get(page).text
    assert "<option>Not a matter of ours</option>" in city.client(Role.ADMIN, "en").get(page).text
    (kept,) = [each for each in admin.get("/api/phrases").json()["items"] if each["zh"] == "不属受理范围"]
    assert admin.delete(f"/api/phrases/{kept['id']}").status_code == 204
    assert admin.delete(f"/api/phrases/{kept['id']}").status_code == 404
    assert "不属受理范围" not in city.client(Role.ADMIN).get(page).text


def test_a_table_of_notes_is_checked_first_and_each_bad_cell_is_named(city: City):
    browser, csrf = city.browser(Role.ADMIN)

    def sent(table: str, do: str):
        file = {"file": ("常用语.csv", io.BytesIO(table.encode()), "text/csv")}
        return browser.post("/phrases/import", files=file, data={"csrf": csrf, "do": do})

    good = "步骤,类别编码,用语,英文\nclose,,办结归档,Closed and filed\n"
    assert "1" in sent(good, "check").text and "办结归档" not in browser.get("/phrases").text
    wrong = sent(good + "吃饭,,好,\n", "import")
    assert wrong.status_code == 422 and "吃饭" in wrong.text
    assert "办结归档" not in browser.get("/phrases").text
    assert sent(good, "import").status_code == 303
    assert "办结归档" in browser.get("/phrases").text


def test_a_note_can_be_set_and_removed_on_the_page_by_administrators_only(city: City, clerk):
    browser, csrf = city.browser(Role.ADMIN)
    note = {"csrf": csrf, "action": "refuse", "zh": "理由不足", "en": ""}
    assert browser.post("/phrases", data=note).status_code == 303
    (kept,) = [e for e in browser.get("/api/phrases").json()["items"] if e["zh"] == "理由不足"]
    assert browser.post("/phrases", data=note | {"action": "吃饭"}).status_code == 422
    other, secret = clerk
    removed = f"/phrases/{kept['id']}/remove"
    assert other.get("/phrases").status_code == 403
    assert other.post(removed, data={"csrf": secret}).status_code == 403
    assert browser.post(removed, data={"csrf": csrf}).status_code == 303
    assert "理由不足" not in browser.get("/phrases").text


def test_a_refused_note_stands_in_the_form_again(city: City):
    browser, csrf = city.browser(Role.ADMIN)
    long = {"action": "close", "category": "02", "zh": "长" * 501, "en": f"Long {SCRIPT}"}
    for given in (long, long | {"action": "dance", "zh": "短"}):
        refused = browser.post("/phrases", data=given | {"csrf": csrf})
        assert refused.status_code == 422 and 'role="alert"' in refused.text
        assert f">{given['zh']}</textarea>" in refused.text and 'value="02"' in refused.text
        assert "Long &lt;script&gt;" in refused.text and SCRIPT not in refused.text
    assert '<option value="close" selected>' in browser.post("/phrases", data=long | {"csrf": csrf}).text


def test_a_note_of_several_lines_may_be_as_long_as_its_form_says(city: City):
    browser, csrf = city.browser(Role.ADMIN)
    note = {
        "csrf": csrf,
        "action": "close",
        "zh": "一\r\n" * 166 + "完",
    }  # 499 characters as the browser counts
    assert browser.post("/phrases", data=note).status_code == 303
