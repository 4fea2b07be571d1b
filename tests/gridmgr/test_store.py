"""The store of files: a folder, a folder on a full disk, and S3 over real HTTP, well and ill."""

import hashlib
import io
import os
import subprocess
import threading
import time
import traceback
from pathlib import Path

import pytest
import s3_server
from exhibits import photo
from pydantic import SecretStr, ValidationError

from gridmgr import store
from gridmgr.account.rules import SYSTEM
from gridmgr.attachment import queries, service
from gridmgr.settings import Settings, settings
from gridmgr.store import NotStored, StoreDown

KEYS = ["ab/cd/abcd", "ab/ce/abce", "thumbnails/ab/cd/abcd.jpg", "ff/ff/ffff"]


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(settings(), "home", tmp_path)
    return tmp_path / "files"


@pytest.fixture
def s3(monkeypatch) -> s3_server.Bucket:
    with s3_server.bucket() as bucket:
        given = {
            "url": f"s3://{s3_server.BUCKET}/city", "endpoint": bucket.address, "key": s3_server.KEY,
            "secret": SecretStr(s3_server.SECRET), "region": s3_server.REGION,
        }  # fmt: skip
        for name, value in given.items():
            monkeypatch.setattr(settings(), f"store_{name}", value)
        yield bucket
        assert bucket.refused == []


@pytest.fixture(params=["folder", "s3"])
def either(request):
    return request.getfixturevalue(request.param)


def test_what_is_put_comes_back_whole_in_parts_and_in_lists(either):
    for number, key in enumerate(KEYS):
        store.put(key, bytes([number]) * (store.CHUNK + 3))
    assert store.get(KEYS[1]) == b"\x01" * (store.CHUNK + 3)
    pieces = list(store.read(KEYS[1]))
    assert b"".join(pieces) == store.get(KEYS[1])
    assert b"".join(store.read(KEYS[1], 5, 9)) == b"\x01" * 4
    assert {key for key, _ in store.listing("")} == set(KEYS)
    assert all(abs(at - time.time()) < 60 for _, at in store.listing(""))
    store.drop([KEYS[0], KEYS[0], "never/was/there"])
    assert store.size(KEYS[0]) is None
    assert store.size(KEYS[1]) == store.CHUNK + 3
    with pytest.raises(NotStored, match="abcd"):
        store.read(KEYS[0])


def test_a_stream_is_stored_byte_for_byte(either):
    content = os.urandom(7 * 1024 * 1024)
    store.put("aa/bb/aabb", io.BytesIO(content))
    assert store.get("aa/bb/aabb") == content


def test_files_live_below_the_prefix_and_are_verified_in_s3(s3, session):
    found = service.store(session, SYSTEM, "现场.jpg", photo(64, 48))
    assert set(s3.objects) == {
        f"city/{queries.key(found.sha256)}",
        f"city/{queries.thumbnail_key(found.sha256)}",
    }
    assert queries.verify(session) == queries.Checked(1, [], [])
    key = f"city/{queries.key(found.sha256)}"
    s3.objects[key] = (b"other", s3.objects[key][1])
    assert queries.verify(session) == queries.Checked(1, [], [found.sha256])


@pytest.mark.parametrize("ill", ["full", "gone", "stranger"])
def test_an_ill_s3_is_one_clear_problem_without_a_secret(s3, session, monkeypatch, ill):
    if ill == "full":
        s3.full = True
    elif ill == "gone":
        monkeypatch.setattr(settings(), "store_endpoint", "http://127.0.0.1:9")
    else:
        monkeypatch.setattr(settings(), "store_secret", SecretStr("a wrong one, which is secret too"))
    content = photo(64, 48)
    with pytest.raises(StoreDown, match="s3://evidence/city") as down:
        service.store(session, SYSTEM, "现场.jpg", content)
    told = "".join(traceback.format_exception(down.value)) + repr(settings())
    assert s3_server.SECRET not in told and "which is secret too" not in told
    assert queries.known(session, [hashlib.sha256(content).hexdigest()]) == {}
    assert s3.objects == {}
    s3.refused.clear()


def test_a_store_that_hangs_holds_some_threads_and_lets_all_others_go(s3, monkeypatch):
    monkeypatch.setattr(store, "PATIENCE", 0.2)
    s3.going.clear()
    told: list[str] = []

    def put() -> None:
        with pytest.raises(StoreDown) as down:
            store.put("ab/cd/hangs", b"x")
        told.append(str(down.value))

    held = [threading.Thread(target=put, daemon=True) for _ in range(store.AT_ONCE)]
    for thread in held:
        thread.start()
    time.sleep(0.5)
    put()
    assert told  # refused at once, or it would wait with the others
    assert any(thread.is_alive() for thread in held)
    s3.full = True
    s3.going.set()
    for thread in held:
        thread.join(20)
    assert len(told) == store.AT_ONCE + 1
    s3.full = False
    store.put("ab/cd/again", b"x")  # every place was given back
    assert store.get("ab/cd/again") == b"x"


@pytest.fixture
def small_disk(tmp_path, monkeypatch) -> Path:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], capture_output=True)
    if mount.returncode:
        pytest.skip("only root may mount a small disk")
    monkeypatch.setattr(settings(), "home", disk)
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_a_full_disk_is_one_clear_problem_and_leaves_nothing_half_written(small_disk, session):
    first = service.store(session, SYSTEM, "现场.jpg", photo(64, 48))
    (small_disk / "ballast").write_bytes(b"\0" * (2 * 1024 * 1024))
    large = b"%PDF-1.7\n" + os.urandom(2 * 1024 * 1024) + b"\n%%EOF\n"
    before = sorted(small_disk.rglob("*.*"))
    with pytest.raises(StoreDown, match=str(small_disk / "files")):
        service.store(session, SYSTEM, "图纸.pdf", large)
    assert sorted(small_disk.rglob("*.*")) == before
    assert queries.verify(session) == queries.Checked(1, [], [])
    (small_disk / "ballast").unlink()
    second = service.store(session, SYSTEM, "图纸.pdf", large)
    assert set(queries.known(session, [first.sha256, second.sha256])) == {first.sha256, second.sha256}


def test_what_a_killed_process_left_is_cleared_away_after_its_time(folder):
    store.put("ab/cd/abcd", b"whole")
    left = folder / "ab/cd/abce#1"
    left.write_bytes(b"ha")
    store.drop_unfinished(time.time() - 60)
    assert left.exists()
    store.drop_unfinished(time.time() + 60)
    assert not left.exists()
    assert [key for key, _ in store.listing("")] == ["ab/cd/abcd"]


@pytest.mark.parametrize("url", ["s3://key:secret@bucket/x", "https://bucket", "file:///etc", "s3://"])
def test_only_a_bucket_is_an_address_of_a_store(url):
    with pytest.raises(ValidationError):
        Settings(store_url=url)
