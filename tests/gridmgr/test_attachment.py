"""Photos and documents: what they are is told from their bytes, and hostile ones are refused in words."""

import io
import zipfile
from datetime import timedelta

import pytest
from exhibits import photo, spreadsheet
from PIL import Image

from gridmgr import clock, paper, store
from gridmgr.account.rules import SYSTEM
from gridmgr.attachment import queries, rules, service
from gridmgr.attachment.model import FileEmpty, FileRefused, FileTooLarge
from gridmgr.settings import settings
from gridmgr.store import StoreDown

pytestmark = pytest.mark.db


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(settings(), "home", tmp_path)
    return tmp_path


def test_a_photo_that_was_cut_off_is_refused_after_a_paper_was_printed_too(session):
    paper.pdf("<p>周报</p>", {})
    with pytest.raises(FileRefused):
        service.store(session, SYSTEM, "照片.jpg", io.BytesIO(photo()[:5000]))


@pytest.mark.parametrize(
    ("content", "media"),
    [
        (photo(), "image/jpeg"),
        (photo(kind="PNG"), "image/png"),
        (photo(kind="WEBP"), "image/webp"),
        (b"%PDF-1.7\n1 0 obj\n<< /JS (app.alert(1)) >>\n%%EOF\n", "application/pdf"),
        (spreadsheet(), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("现场情况说明\n".encode("gb18030"), "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_say_whatever_its_name(session, content, media):
    found = service.store(session, SYSTEM, "report.exe", content)
    assert (found.media_type, found.size) == (media, len(content))
    assert store.get(queries.key(found.sha256)) == content


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"<!DOCTYPE html><script>alert(1)</script>", rules.MARKUP),
        (b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", rules.MARKUP),
        (b"#!/bin/sh\nrm -rf /\n", rules.MARKUP),
        (photo()[:5000], rules.BROKEN),
        (b"%PDF-1.7\ncut off", rules.CUT_OFF),
        (b"PK\x03\x04 no archive", rules.CUT_OFF),
        (b"MZ\x90\x00\x03\x00\x00\x00", rules.UNKNOWN),
        (b"\x7fELF\x02\x01\x01\x00", rules.UNKNOWN),
    ],
)
def test_what_belongs_to_no_case_is_refused_in_words(session, home, content, reason):
    with pytest.raises(FileRefused) as refused:
        service.store(session, SYSTEM, "现场.jpg", content)
    assert refused.value.details == {"name": "现场.jpg", "reason": reason}
    assert not (home / "files").exists()


def test_an_archive_of_anything_and_macros_are_refused(session):
    for names in (["a.txt"], ["[Content_Types].xml", "xl/workbook.xml", "xl/vbaProject.bin"]):
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name in names:
                archive.writestr(name, "x")
        with pytest.raises(FileRefused):
            service.store(session, SYSTEM, "a.xlsx", content.getvalue())


def test_a_picture_that_would_fill_the_memory_is_refused(session):
    content = io.BytesIO()
    Image.new("1", (12_000, 12_000)).save(content, "PNG")
    assert len(content.getvalue()) < 100_000
    with pytest.raises(FileRefused) as refused:
        service.store(session, SYSTEM, "bomb.png", content.getvalue())
    assert refused.value.details["reason"] == rules.TOO_MANY_PIXELS


def test_the_small_picture_is_upright_and_tells_neither_place_nor_device(session):
    found = service.store(session, SYSTEM, "a.jpg", photo(1200, 800, orientation=6))
    assert (found.width, found.height) == (800, 1200)
    with Image.open(io.BytesIO(store.get(queries.thumbnail_key(found.sha256)))) as small:
        assert small.size == (320, 480)
        assert not small.getexif()


def test_empty_and_large_files_are_refused_by_name(session, monkeypatch):
    with pytest.raises(FileEmpty, match="空的"):
        service.store(session, SYSTEM, "空的.jpg", b"")
    monkeypatch.setattr(settings(), "file_limit_mb", 1)
    with pytest.raises(FileTooLarge, match="1 MB"):
        service.store(session, SYSTEM, "大的.jpg", b"\xff" * (1024 * 1024 + 1))


def test_the_same_content_is_stored_once(session, home):
    content = photo()
    first, second = (service.store(session, SYSTEM, name, content) for name in ("甲.jpg", "乙.jpg"))
    assert first.sha256 == second.sha256
    assert sum(path.is_file() for path in (home / "files").rglob("*")) == 2  # it, and its small picture


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\照片\\现场.jpg", "现场.jpg"),
        ("现\x00场\n.jpg", "现场.jpg"),
        ("\u202egpj.exe", "gpj.exe"),
        ("长" * 300 + ".jpg", "长" * 196 + ".jpg"),
        ("...", ""),
    ],
)
def test_names_lose_their_paths_and_tricks(given, name):
    assert rules.plain_name(given) == name


def test_what_belongs_to_nothing_is_swept_out_after_a_day(session, home):
    kept, loose = (service.store(session, SYSTEM, "a.jpg", photo(size)) for size in (300, 301))
    store.put(queries.key("f" * 64), b"left by a transaction that never committed")
    attached = {kept.sha256}.intersection
    assert service.sweep(session, attached) == service.Swept(0, 0)
    with clock.travel(clock.now() + timedelta(days=2)):
        assert service.sweep(session, attached) == service.Swept(files=1, contents=1)
        assert store.size(queries.key(loose.sha256)) == loose.size  # a backup under way may still need it
        assert service.sweep(session, attached) == service.Swept(files=0, contents=1)
    assert {key for key, _ in store.listing("")} == {
        queries.key(kept.sha256),
        queries.thumbnail_key(kept.sha256),
    }
    assert set(queries.known(session, [kept.sha256, loose.sha256])) == {kept.sha256}
    assert queries.verify(session) == queries.Checked(1, [], [])


def test_a_missing_or_altered_file_is_found(session, home):
    gone, changed = (service.store(session, SYSTEM, "a.jpg", photo(size)) for size in (300, 301))
    (home / "files" / queries.key(gone.sha256)).unlink()
    (home / "files" / queries.key(changed.sha256)).write_bytes(b"other")
    assert queries.verify(session) == queries.Checked(2, [gone.sha256], [changed.sha256])


def test_a_store_that_cannot_be_written_is_one_clear_problem(session, home):
    (home / "files").write_text("a file where the folder should be")
    with pytest.raises(StoreDown, match="files"):
        service.store(session, SYSTEM, "a.jpg", photo())
    assert queries.known(session, []) == {}
