"""Short messages, robots of groups, and hours in which nobody is disturbed."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo

import pytest
from outside import receiver
from pydantic import SecretStr
from sqlalchemy import Engine
from test_post import CASE, later, log, mailing, person, tell

from gridmgr import clock, db, post
from gridmgr.account.model import Role
from gridmgr.account.rules import Actor
from gridmgr.delivery import rules as said
from gridmgr.delivery import service as leaving
from gridmgr.notice import queries, rules, service
from gridmgr.notice.model import (
    BadPhone,
    BadQuiet,
    BadUrl,
    Delivery,
    Flavour,
    Kind,
    Message,
    NotForRobots,
    Progress,
    Quiet,
    Way,
)
from gridmgr.settings import settings

ZONE = ZoneInfo("Asia/Shanghai")
NIGHT = datetime(2026, 11, 30, 23, 30, tzinfo=ZONE)  # a Monday


@pytest.fixture
def engine(own_database: str) -> Iterator[Engine]:
    """An engine on a database whose work is committed."""
    engine = db.engine(own_database)
    yield engine
    engine.dispose()


@pytest.fixture
def li(engine: Engine) -> Actor:
    """A clerk with an address, who reads English."""
    return person(engine, "li", Role.COMMUNITY_CLERK)


def keep(engine, actor, **wanted) -> None:
    with db.transaction(engine) as session:
        if "phone" in wanted:
            service.set_phone(session, actor, wanted["phone"])
        if "quiet" in wanted:
            service.set_quiet(session, actor, wanted["quiet"])


def told_at(engine, at: datetime, *messages: Message) -> None:
    with clock.travel(at), db.transaction(engine) as session:
        service.tell(session, messages)


# ---- what may be typed ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("138 1234 5678", "13812345678"), ("+86 138-1234-5678", "13812345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("0086 13812345678", "13812345678"), ("+852 9123 4567", "+85291234567"),
    ],
)  # fmt: skip
def test_a_phone_number_is_kept_as_digits(typed, kept):
    assert rules.check_phone(typed) == kept


@pytest.mark.parametrize(
    "typed", ["12345678901", "1381234567", "+86138", "<script>", "138１234567x", "++1", " "]
)
def test_what_is_no_phone_is_refused(typed):
    with pytest.raises(BadPhone):
        rules.check_phone(typed)


@pytest.mark.parametrize(
    ("begins", "ends", "days"),
    [
        ("22:00", "22:00", [0]),
        ("24:00", "7:00", [0]),
        ("", "", [0]),
        ("22:00", "07:00", []),
        ("22:00", "07:00", [9]),
    ],
)
def test_quiet_hours_that_cannot_be_meant_are_refused(begins, ends, days):
    with pytest.raises(BadQuiet):
        rules.check_quiet(begins, ends, days)


@pytest.mark.parametrize(
    ("at", "until"),
    [
        ("2026-11-30 21:59", None), ("2026-11-30 22:00", "2026-12-01 07:00"), ("2026-12-01 06:59", "2026-12-01 07:00"),
        ("2026-12-01 07:00", None), ("2026-12-05 23:00", None),  # a Saturday evening
        ("2026-12-05 06:00", "2026-12-05 07:00"),  # the night of Friday
        ("2026-12-06 06:00", None),
    ],
)  # fmt: skip
def test_a_quiet_night_belongs_to_the_day_it_begins_on(at, until):
    quiet = rules.check_quiet("22:00", "07:00", range(5))
    found = rules.quiet_until(quiet, datetime.fromisoformat(at).replace(tzinfo=ZONE))
    assert found == (datetime.fromisoformat(until).replace(tzinfo=ZONE) if until else None)


def test_without_quiet_hours_it_is_never_quiet():
    assert rules.quiet_until(None, NIGHT) is None
    noon = rules.check_quiet("12:00", "14:00", [0])
    assert rules.quiet_until(noon, NIGHT.replace(hour=13)) == NIGHT.replace(hour=14, minute=0)


# ---- quiet hours ---------------------------------------------------------------------------------


def test_what_comes_in_quiet_hours_waits_and_then_comes_together(engine, li, monkeypatch):
    keep(engine, li, quiet=Quiet(22 * 60, 7 * 60))
    with mailing(monkeypatch) as box:
        for n in range(3):
            told_at(engine, NIGHT, Message(li.id, Kind.ASSIGNED, None, CASE | {"number": f"20261130000{n}"}))
        told_at(engine, NIGHT, Message(li.id, Kind.TAKEN_OVER, None, CASE | {"share": 1.5}))
        with clock.travel(NIGHT):
            assert post.deliver(engine) == {"taken": 1}  # what is important comes at once
        with clock.travel(NIGHT.replace(day=30, hour=23, minute=59)):
            assert post.deliver(engine) == {}
        morning = datetime(2026, 12, 1, 7, 0, 1, tzinfo=ZONE)
        with clock.travel(morning):
            assert post.deliver(engine) == {"taken": 1}
    first, digest = box.to("li@city.example")
    assert "taken over" in first["Subject"].lower()
    assert digest["Subject"] == "3 notices came in your quiet hours"
    assert all(f"20261130000{n}" in digest.get_content() for n in range(3))
    states = [(each.state, each.merged_into is not None) for each in log(engine)]
    assert sorted(states) == [("merged", True), ("merged", True), ("sent", False), ("sent", False)]
    with db.transaction(engine) as session:
        assert queries.unread(session, [li.id]) == {li.id: 4}  # the inbox has all, at once


def test_a_digest_that_fails_goes_again_whole(engine, li, monkeypatch):
    keep(engine, li, quiet=Quiet(22 * 60, 7 * 60))
    morning = datetime(2026, 12, 1, 7, 0, 1, tzinfo=ZONE)
    with mailing(monkeypatch) as box:
        for n in range(2):
            told_at(engine, NIGHT, Message(li.id, Kind.ASSIGNED, None, CASE | {"number": f"20261130000{n}"}))
        box.refusals["li@city.example"] = "450 later"
        with clock.travel(morning):
            assert post.deliver(engine) == {"refused": 1}
        box.refusals.clear()
        with clock.travel(morning.replace(hour=9)):
            assert post.deliver(engine) == {"taken": 1}
    (digest,) = box.to("li@city.example")
    assert all(f"20261130000{n}" in digest.get_content() for n in range(2))


def test_one_notice_of_a_quiet_night_comes_as_any_other(engine, li, monkeypatch):
    keep(engine, li, quiet=Quiet(22 * 60, 7 * 60))
    with mailing(monkeypatch) as box:
        told_at(engine, NIGHT, Message(li.id, Kind.ASSIGNED, None, CASE))
        keep(engine, li, quiet=None)
        told_at(engine, NIGHT, Message(li.id, Kind.REWORK, None, CASE))
        with clock.travel(NIGHT):
            assert post.deliver(engine) == {"taken": 1}
        assert later(engine, days=3) == {"taken": 1}
    assert "Dispatched to us" in box.to("li@city.example")[-1]["Subject"]


# ---- short messages ------------------------------------------------------------------------------


def test_without_a_gateway_the_log_says_that_nothing_was_sent(engine, li):
    keep(engine, li, phone="13812345678")
    tell(engine, Message(li.id, Kind.SUPERVISED, None, CASE), Message(li.id, Kind.CLOSED, None, CASE))
    (only,) = log(engine)
    assert (only.way, only.address, only.state) == (Way.SMS, "13812345678", Progress.UNSENT)
    assert only.last_error == "GRIDMGR_SMS_URL is not set"
    assert post.deliver(engine) == {}


def test_a_short_message_goes_by_the_gateway_of_the_settings(engine, li, monkeypatch):
    keep(engine, li, phone="13812345678")
    monkeypatch.setattr(settings(), "sms_token", SecretStr("token"))
    monkeypatch.setattr(
        settings(), "sms_body", '{"to": ["$phone"], "params": {"content": "【网格】$text", "n": 1}}'
    )
    nasty = CASE | {"note": '", "to": ["10086"], "x": "$phone', "name": "王芳"}
    with receiver() as gateway:
        monkeypatch.setattr(settings(), "sms_url", gateway.url)
        tell(engine, Message(li.id, Kind.SUPERVISED, None, nasty))
        assert post.deliver(engine) == {"taken": 1}
    (headers, body), *_ = gateway.got
    posted = json.loads(body)
    assert posted["to"] == ["13812345678"] and set(posted) == {"to", "params"}
    assert posted["params"]["content"].startswith("【网格】") and "$phone" in posted["params"]["content"]
    assert headers["Authorization"] == "Bearer token"
    with receiver(lambda n: 500 if n == 1 else 200) as gateway:
        monkeypatch.setattr(settings(), "sms_url", gateway.url)
        tell(engine, Message(li.id, Kind.SUPERVISED, None, CASE))
        assert post.deliver(engine) == {"refused": 1}
        assert later(engine, minutes=2) == {"taken": 1}


def test_what_was_not_sent_for_want_of_a_gateway_can_be_sent_later(engine, li, monkeypatch):
    keep(engine, li, phone="13812345678")
    tell(engine, Message(li.id, Kind.SUPERVISED, None, CASE))
    (only,) = log(engine)
    with db.transaction(engine) as session:
        assert leaving.replay(session, queries.Log(), only.id) == 1
    with receiver() as gateway:
        monkeypatch.setattr(settings(), "sms_url", gateway.url)
        assert post.deliver(engine) == {"taken": 1}


# ---- robots --------------------------------------------------------------------------------------


def robot(engine, url: str, flavour: Flavour, **more) -> int:
    with db.transaction(engine) as session:
        return service.add_webhook(session, url, [Kind.TAKEN_OVER], flavour, "街道群", **more).id


def ok(n: int) -> tuple[int, bytes]:
    return 200, b'{"errcode": 0, "errmsg": "ok"}'


def test_a_robot_says_what_happened_in_words_and_its_key_is_seen_by_nobody(engine, li, monkeypatch):
    monkeypatch.setattr(settings(), "public_url", "https://grid.example")
    with receiver(ok) as group:
        robot(engine, f"{group.url}&key=KEY-OF-THE-ROBOT", Flavour.WECOM)
        tell(engine, Message(li.id, Kind.TAKEN_OVER, None, CASE | {"share": 1.5, "level": "Street"}))
        tell(engine, Message(li.id, Kind.REMIND, None, CASE))  # not of its kinds
        assert post.deliver(engine) == {"taken": 1}
    (headers, body), *_ = group.got
    posted = json.loads(body)
    assert posted["msgtype"] == "text"
    assert "202611270000042" in posted["text"]["content"]
    assert posted["text"]["content"].endswith("https://grid.example/incidents/202611270000042")
    assert "X-Gridmgr-Signature" not in headers
    (only,) = log(engine)
    assert (only.way, only.state) == (Way.ROBOT, Progress.SENT) and "KEY" not in only.address


def test_what_a_robot_refuses_politely_is_tried_again(engine, li):
    answers = [b'{"errcode": 45009, "errmsg": "api freq out of limit"}', b"<html>", b'{"errcode":0}']
    with receiver(lambda n: (200, answers[n - 1])) as group:
        robot(engine, f"{group.url}&key=K", Flavour.WECOM)
        tell(engine, Message(li.id, Kind.TAKEN_OVER, None, CASE))
        assert post.deliver(engine) == {"refused": 1}
        assert log(engine)[0].last_error == "45009: api freq out of limit"
        assert later(engine, minutes=1) == {"refused": 1}
        assert later(engine, minutes=10) == {"taken": 1}


def test_dingtalk_gets_an_address_signed_when_it_is_sent(engine, li):
    secret = "SEC-x+/="
    with receiver(ok) as group:
        robot(engine, f"{group.url}&access_token=T", Flavour.DINGTALK, secret=secret)
        tell(engine, Message(li.id, Kind.TAKEN_OVER, None, CASE))
        assert post.deliver(engine) == {"taken": 1}
    asked = parse_qs(urlsplit(group.paths[0]).query)
    (at,), (sign,) = asked["timestamp"], asked["sign"]
    digest = hmac.new(secret.encode(), f"{at}\n{secret}".encode(), hashlib.sha256).digest()
    assert base64.b64decode(sign) == digest and asked["access_token"] == ["T"]
    assert said.signed("https://robot/send", "", 1) == "https://robot/send"


def test_a_robot_given_up_names_no_key_to_the_administrators(engine, li):
    admin = person(engine, "root", Role.ADMIN)
    robot(engine, "http://127.0.0.1:9/send?key=KEY", Flavour.WECOM)
    tell(engine, Message(li.id, Kind.TAKEN_OVER, None, CASE))
    for hours in range(0, 24 * 8, 7):
        later(engine, hours=hours)
    with db.transaction(engine) as session:
        (told,) = queries.page(session, admin, queries.Inbox(Kind.DEAD_LETTER), 5)
        assert "KEY" not in json.dumps(told.details)
        assert session.query(Delivery).filter(Delivery.last_error.contains("KEY")).count() == 0


def test_what_no_robot_is_cannot_be_added(engine):
    with db.transaction(engine) as session:
        for more in ({"area": "510"}, {"body": "环卫所"}, {"secret": "s"}):
            with pytest.raises(NotForRobots):
                service.add_webhook(session, "https://a.example", (), Flavour.JSON, **more)
        with pytest.raises(NotForRobots):
            service.add_webhook(session, "https://a.example", (), Flavour.WECOM, secret="s")
        for url in ("file:///etc/passwd", "https://user:pw@robot", "ftp://x", "http://a b"):
            with pytest.raises(BadUrl):
                service.add_webhook(session, url, (), Flavour.WECOM)


@pytest.mark.parametrize(
    ("area", "body", "home", "handler", "hears"),
    [
        ("", "", "510106001", None, True), ("510106001", "", "510106001002", None, True),
        ("510106002", "", "510106001002", None, False), ("", "环卫所", "510106001", "环卫所", True),
        ("", "环卫所", "510106001", None, False), ("510106001", "环卫所", "510106001", "城管所", False),
    ],
)  # fmt: skip
def test_a_robot_hears_of_its_area_and_body_alone(area, body, home, handler, hears):
    from gridmgr.notice.model import Webhook

    assert rules.concerns(Webhook(area=area, body=body), home, handler) is hears
