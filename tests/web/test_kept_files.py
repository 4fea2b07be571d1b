"""A refused form gives back what was chosen and typed: nobody takes the same photo twice."""

import io
import re

from PIL import Image
from small_city import City, middle

from gridmgr.account.model import Role


def photo(shade: int) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (64, 48), (shade, 30, 60)).save(content, "JPEG")
    return content.getvalue()


def carried(page: str) -> list[str]:
    return re.findall(r'name="files" value="([^"]+)"', page)


def test_a_refused_report_keeps_its_photo_and_is_sent_with_it_then(city: City):
    browser, csrf = city.browser(Role.COMMAND_CENTRE)
    lon, lat = middle(1)
    given = {
        "csrf": csrf,
        "lon": lon,
        "lat": lat,
        "datum": "wgs84",
        "source": "patrol",
        "description": "垃圾",
    }
    refused = browser.post("/report", data=given, files={"upload": ("现场<b>.jpg", photo(11), "image/jpeg")})
    assert refused.status_code == 422
    (kept,) = carried(refused.text)
    assert kept.endswith(":现场&lt;b&gt;.jpg") and "垃圾" in refused.text
    thumbnail = re.search(r'src="(/api/files/[0-9a-f]{64}/thumbnail)"', refused.text)[1]
    assert browser.get(thumbnail).status_code == 200
    filed = browser.post("/report", data=given | {"category": "0201", "files": kept})
    assert filed.status_code == 303
    assert kept[:64] in browser.get(filed.headers["location"]).text


def test_a_refused_step_keeps_its_photo_its_note_and_its_choices(city: City):
    browser, csrf = city.browser(Role.ADMIN)
    path = f"/incidents/{city.member_case}/attach"
    given = {"csrf": csrf, "seq": 99, "note": "补充照片"}
    refused = browser.post(path, data=given, files={"upload": ("近景.jpg", photo(12), "image/jpeg")})
    assert refused.status_code == 409
    (kept,) = carried(refused.text)
    assert kept.endswith(":近景.jpg") and "补充照片" in refused.text
    seq = re.search(r'name="seq" value="(\d+)"', refused.text)[1]
    assert browser.post(path, data=given | {"seq": seq, "files": kept}).status_code == 303
    assert kept[:64] in browser.get(f"/incidents/{city.member_case}").text


def test_of_several_files_the_good_ones_are_kept_when_one_is_refused(city: City):
    browser, csrf = city.browser(Role.ADMIN)
    seq = re.search(r'name="seq" value="(\d+)"', browser.get(f"/incidents/{city.other_case}").text)[1]
    files = [("upload", ("坏.exe", b"MZ\0\0", "image/jpeg")), ("upload", ("好.jpg", photo(13), "image/jpeg"))]
    refused = browser.post(
        f"/incidents/{city.other_case}/attach", data={"csrf": csrf, "seq": seq}, files=files
    )
    assert refused.status_code == 422 and "坏.exe" in refused.text
    assert [each[64:] for each in carried(refused.text)] == [":好.jpg"]


def test_a_file_that_somebody_else_has_sent_is_not_given_back(city: City):
    foreign = city.client(Role.ADMIN).post(
        "/api/files", files={"files": ("别人.jpg", photo(14), "image/jpeg")}
    )
    browser, csrf = city.browser(Role.GRID_MEMBER)
    sha256 = foreign.json()["items"][0]["sha256"]
    refused = browser.post("/report", data={"csrf": csrf, "files": f"{sha256}:别人.jpg"})
    assert refused.status_code == 422 and carried(refused.text) == []
