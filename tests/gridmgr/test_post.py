"""What is due leaves the house once, whatever the world outside does; what it cannot deliver is kept and told."""

import hashlib
import hmac
import json
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from aiosmtpd.smtp import AuthResult
from outside import Receiver, mail_server, receiver
from sqlalchemy import Engine, select

from gridmgr import clock, db, jobs, post, worker
from gridmgr.account import service as accounts
from gridmgr.account.queries import actor_of
from gridmgr.account.rules import Actor, Grant, Role
from gridmgr.delivery import service as leaving
from gridmgr.notice import queries, rules, service
from gridmgr.notice.model import Delivery, Kind, Message, Notice, Outlet, Progress, Way
from gridmgr.notice.queries import Log
from gridmgr.settings import settings

CASE = {
    "number": "202611270000042",
    "category_zh": "暴露垃圾",
    "category_en": "Exposed rubbish",
    "place": "荷花路",
}
MAIL = Outlet(Way.EMAIL)


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


@pytest.fixture
def admin(engine: Engine) -> Actor:
    """An administrator."""
    return person(engine, "root", Role.ADMIN)


def person(engine: Engine, username: str, role: Role) -> Actor:
    """Open an account that reads English and wants mail."""
    with db.transaction(engine) as session:
        account = accounts.open_account(
            session, username, username, "a long enough password", [Grant(role, "")]
        )
        account.language = "en"
        actor = actor_of(account)
        service.set_email(session, actor, f"{username}@city.example")
    return actor


@contextmanager
def mailing(monkeypatch: pytest.MonkeyPatch, scheme: str = "smtp", login: str = "", **options) -> Iterator:
    """Run a mail server and let this process send by it."""
    with mail_server(**options) as (box, address):
        monkeypatch.setattr(settings(), "smtp_url", f"{scheme}://{login}{address}")
        yield box


def hooked(engine: Engine, outside: Receiver | str) -> int:
    """Subscribe a receiver to everything; returns its id."""
    with db.transaction(engine) as session:
        return service.add_webhook(session, outside if isinstance(outside, str) else outside.url).id


def tell(engine: Engine, *messages: Message) -> None:
    """Tell in a transaction of its own."""
    with db.transaction(engine) as session:
        service.tell(session, messages)


def log(engine: Engine, **search) -> list[Delivery]:
    """Return the log of deliveries, the oldest first."""
    with db.transaction(engine) as session:
        return list(queries.log(session, Log(**search), 1000))[::-1]


def later(engine: Engine, **span: float) -> Counter:
    """Deliver what is due some time from now."""
    with clock.travel(clock.now() + timedelta(**span)):
        return post.deliver(engine)


# ---- mail ----------------------------------------------------------------------------------------


def test_a_mail_arrives_in_the_language_of_its_reader(engine, li, monkeypatch):
    monkeypatch.setattr(settings(), "public_url", "https://grid.example/")
    monkeypatch.setattr(settings(), "smtp_from", "网格 <grid@city.example>")
    with mailing(monkeypatch) as box:
        note = "看这里 <b>{0}</b>\nBcc: all@city.example"
        tell(engine, Message(li.id, Kind.MENTIONED, None, CASE | {"name": "王芳", "note": note}))
        assert post.deliver(engine) == {"taken": 1}
    (mail,) = box.to("li@city.example")
    (delivery,) = log(engine)
    assert mail["Subject"] == "Somebody mentions me · 202611270000042"
    assert mail["From"] == "网格 <grid@city.example>"
    assert mail["X-Gridmgr-Delivery"] == str(delivery.id)
    assert mail["Message-ID"] == f"<delivery-{delivery.id}@city.example>"
    assert mail["Bcc"] is None
    assert mail.get_content().splitlines() == [
        "王芳 mentions you on 202611270000042: 看这里 <b>{0}</b>",
        "Bcc: all@city.example",
        "",
        "https://grid.example/incidents/202611270000042",
        "",
        "What is sent to you is your choice: https://grid.example/notices/wishes",
    ]
    assert (delivery.state, delivery.attempts, delivery.last_error) == (Progress.SENT, 1, None)
    assert delivery.sent_at is not None


@pytest.mark.parametrize(("closes", "calls"), [(False, 1), (True, 5)])
def test_many_mails_go_over_one_connection_or_over_new_ones_if_the_server_ends_it(
    engine, li, monkeypatch, closes, calls
):
    called, call = [], post._call
    monkeypatch.setattr(post, "_call", lambda url: called.append(url) or call(url))
    with mailing(monkeypatch) as box:
        if closes:
            _close_after_each(monkeypatch, box)
        tell(engine, *(Message(li.id, Kind.REWORK, None, {"number": str(n)}) for n in range(5)))
        assert post.deliver(engine) == {"taken": 5}
        assert (len(box.mails), len(called)) == (5, calls)


def _close_after_each(monkeypatch: pytest.MonkeyPatch, box) -> None:
    kept = box.handle_DATA

    async def last(server, session, envelope):
        answer = await kept(server, session, envelope)
        server.transport.write(f"{answer}\r\n".encode())
        server.transport.close()
        return None

    monkeypatch.setattr(box, "handle_DATA", last, raising=False)


def test_a_mail_server_that_wants_encryption_and_a_password_gets_both(engine, li, monkeypatch, tmp_path):
    certificate = _certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    post._trusted.cache_clear()
    context = _serving(certificate)
    given = []

    def check(server, session, envelope, mechanism, proof):
        given.append((proof.login, proof.password))
        return AuthResult(success=proof.password == b"p@ss word", handled=False)

    options = {
        "tls_context": context, "require_starttls": True, "auth_required": True, "authenticator": check,
    }  # fmt: skip
    with mailing(monkeypatch, "smtp+starttls", "grid:p%40ss%20word@", **options) as box:
        tell(engine, Message(li.id, Kind.REWORK, None, CASE))
        assert post.deliver(engine) == {"taken": 1}
        assert len(box.mails) == 1
        assert given == [(b"grid", b"p@ss word")]
    with mailing(monkeypatch, "smtp+starttls", "grid:wrong@", **options):
        tell(engine, Message(li.id, Kind.TASK, None, CASE))
        assert post.deliver(engine) == {"silent": 1}
        assert "535" in log(engine)[-1].last_error
        assert "wrong" not in log(engine)[-1].last_error
    post._trusted.cache_clear()


def test_a_certificate_nobody_vouches_for_is_not_trusted(engine, li, monkeypatch, tmp_path):
    options = {"tls_context": _serving(_certificate(tmp_path)), "require_starttls": True}
    with mailing(monkeypatch, "smtp+starttls", **options) as box:
        tell(engine, Message(li.id, Kind.REWORK, None, CASE))
        assert post.deliver(engine) == {"silent": 1}
        assert box.mails == []
    assert "CERTIFICATE_VERIFY_FAILED" in log(engine)[0].last_error


def _certificate(folder: Path) -> Path:
    """Write a certificate of 127.0.0.1 with its key, signed by itself."""
    path = folder / "mail.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=mail",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_text(path.read_text() + Path(f"{path}.crt").read_text())
    return path


def _serving(certificate: Path) -> ssl.SSLContext:
    """What a server shows that has this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_dead_mail_server_harms_no_intake_and_gets_all_when_it_is_back(engine, li, monkeypatch):
    monkeypatch.setattr(settings(), "smtp_url", "smtp://127.0.0.1:9")
    tell(engine, *(Message(li.id, Kind.REWORK, None, {"number": str(n)}) for n in range(5)))
    assert post.deliver(engine) == {"silent": 1}
    found = log(engine)
    assert {(each.state, each.attempts) for each in found} == {(Progress.FAILED, 1)}
    assert "Connection refused" in found[0].last_error
    tell(engine, Message(li.id, Kind.TASK, None, CASE))
    assert post.deliver(engine) == {}  # it is left alone for a while, and the new one waits with the others
    with mailing(monkeypatch) as box:
        assert later(engine, seconds=31) == {"taken": 6}
        assert len(box.to("li@city.example")) == 6


def test_an_address_that_does_not_exist_is_given_up_at_once_and_the_others_get_theirs(
    engine, li, admin, monkeypatch
):
    with mailing(monkeypatch) as box:
        box.refusals["li@city.example"] = "550 no such mailbox"
        tell(engine, Message(li.id, Kind.REWORK, None, CASE), Message(admin.id, Kind.REWORK, None, CASE))
        assert post.deliver(engine) == {"taken": 1, "refused": 1}
        assert len(box.to("root@city.example")) == 1
    assert [(each.state, each.last_error) for each in log(engine, state=Progress.DEAD)] == [
        ("dead", "550 no such mailbox")
    ]
    with db.transaction(engine) as session:
        told = session.scalars(select(Notice).where(Notice.kind == Kind.DEAD_LETTER)).one()
    assert (told.account_id, told.details["address"], told.details["count"]) == (
        admin.id,
        "li@city.example",
        1,
    )


def test_a_mailbox_full_for_now_is_tried_again(engine, li, monkeypatch):
    with mailing(monkeypatch) as box:
        box.refusals["li@city.example"] = "452 mailbox full"
        tell(engine, Message(li.id, Kind.REWORK, None, CASE))
        assert post.deliver(engine) == {"refused": 1}
        box.refusals.clear()
        assert post.deliver(engine) == {}
        assert later(engine, seconds=40) == {"taken": 1}


# ---- webhooks ------------------------------------------------------------------------------------


def test_a_fact_arrives_signed(engine, li):
    with receiver() as outside:
        hook = hooked(engine, outside)
        tell(engine, Message(li.id, Kind.TOLD, None, CASE | {"share": 1.0, "level": "street"}))
        assert post.deliver(engine) == {"taken": 1}
    ((headers, body),) = outside.got
    with db.transaction(engine) as session:
        secret = queries.webhook(session, hook).secret
    stamp, proof = (part.partition("=")[2] for part in headers["X-Gridmgr-Signature"].split(","))
    expected = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(proof, expected)
    assert abs(int(stamp) - clock.now().timestamp()) < 10
    told = json.loads(body)
    assert headers["X-Gridmgr-Delivery"] == str(told["delivery"])
    assert headers["Content-Type"] == "application/json; charset=utf-8"
    assert (told["kind"], told["incident"], told["details"]["category_zh"]) == (
        "told",
        CASE["number"],
        "暴露垃圾",
    )


def test_a_receiver_that_fails_twice_gets_it_the_third_time(engine, li):
    with receiver(lambda n: 500 if n < 3 else 200) as outside:
        hooked(engine, outside)
        tell(engine, Message(li.id, Kind.TOLD, None, CASE))
        assert post.deliver(engine) == {"refused": 1}
        assert post.deliver(engine) == {}
        assert later(engine, seconds=40) == {"refused": 1}
        assert later(engine, minutes=3) == {"taken": 1}
        ids = {headers["X-Gridmgr-Delivery"] for headers, _body in outside.got}
    (delivery,) = log(engine)
    assert (delivery.state, delivery.attempts, ids) == (Progress.SENT, 3, {str(delivery.id)})


@pytest.mark.parametrize("status", [301, 404, 410, 503])
def test_any_other_answer_is_a_refusal_with_its_number(engine, li, status):
    with receiver(lambda n: status) as outside:
        hooked(engine, outside)
        tell(engine, Message(li.id, Kind.TOLD, None, CASE))
        assert post.deliver(engine) == {"refused": 1}
    assert log(engine)[0].last_error == f"HTTP {status}"


def test_a_receiver_that_hangs_holds_up_nobody(engine, li, monkeypatch):
    monkeypatch.setattr(post, "ANSWER_SECONDS", 2)  # ample for the receiver that is well, on any machine
    with receiver(delay=30) as hanging, receiver() as well:
        hooked(engine, hanging)
        hooked(engine, well)
        tell(engine, *(Message(li.id, Kind.TOLD, None, {"number": str(n)}) for n in range(20)))
        assert post.deliver(engine, seconds=60) == {"silent": 1, "taken": 20}
        assert len(hanging.got) == 1
        tell(engine, Message(li.id, Kind.TOLD, None, CASE))
        assert post.deliver(engine, seconds=60) == {"taken": 1}
        assert len(hanging.got) == 1
    assert {each.attempts for each in log(engine, state=Progress.FAILED)} == {1}


def test_what_nobody_takes_is_given_up_told_once_and_replayed(engine, li, admin):
    with receiver(lambda n: 500) as outside:
        hook = hooked(engine, outside)
        tell(engine, *(Message(li.id, Kind.TOLD, None, {"number": str(n)}) for n in range(3)))
        spent = timedelta()
        while log(engine, state=Progress.WAITING) or log(engine, state=Progress.FAILED):
            later(engine, seconds=spent.total_seconds())
            spent += timedelta(hours=7)
    assert {(each.state, each.attempts) for each in log(engine)} == {(Progress.DEAD, rules.ATTEMPTS)}
    assert len(outside.got) == 3 * rules.ATTEMPTS
    with db.transaction(engine) as session:
        told = session.scalars(select(Notice).where(Notice.kind == Kind.DEAD_LETTER)).all()
        assert [(notice.account_id, notice.important) for notice in told] == [(admin.id, True)]
        assert leaving.replay(session, Log(webhook_id=hook)) == 3
        assert leaving.replay(session, Log(webhook_id=hook)) == 0
    with receiver() as outside:
        _move(engine, hook, outside.url)
        assert post.deliver(engine) == {"taken": 3}


def _move(engine: Engine, hook: int, url: str) -> None:
    """The receiver is back, at another port of this machine."""
    with db.transaction(engine) as session:
        for each in session.scalars(select(Delivery).where(Delivery.webhook_id == hook)):
            each.address = url


def test_a_silent_receiver_takes_all_that_waits_with_it_to_the_grave(engine, li, admin):
    hooked(engine, "http://127.0.0.1:9/")
    tell(engine, *(Message(li.id, Kind.TOLD, None, {"number": str(n)}) for n in range(50)))
    knocks = 0
    for day in range(rules.ATTEMPTS + 2):
        knocks += later(engine, days=day)["silent"]
    assert {each.state for each in log(engine)} == {Progress.DEAD}
    assert knocks == rules.ATTEMPTS
    with db.transaction(engine) as session:
        told = session.scalars(select(Notice).where(Notice.kind == Kind.DEAD_LETTER)).one()
    assert told.details["count"] == 50


def test_a_paused_webhook_keeps_what_waits(engine, li):
    with receiver() as outside:
        hook = hooked(engine, outside)
        tell(engine, Message(li.id, Kind.TOLD, None, CASE))
        for active, outcome in ((False, {}), (True, {"taken": 1})):
            with db.transaction(engine) as session:
                service.set_webhook_active(session, hook, active)
            assert post.deliver(engine) == outcome


def test_what_nobody_can_send_does_not_stop_those_behind_it(engine, li, monkeypatch):
    carried = post.Webhooks.carry

    def odd(self, parcel):
        if "odd" in parcel.content:
            raise RuntimeError("nobody foresaw this")
        return carried(self, parcel)

    monkeypatch.setattr(post.Webhooks, "carry", odd)
    with receiver() as outside:
        hooked(engine, outside)
        tell(engine, *(Message(li.id, Kind.TOLD, None, {"number": number}) for number in ("odd", "1", "2")))
        assert post.deliver(engine) == {"taken": 2, "refused": 1}
    assert log(engine, state=Progress.FAILED)[0].last_error == "RuntimeError: nobody foresaw this"


# ---- many workers, and those that die -------------------------------------------------------------


def test_two_workers_at_once_send_each_delivery_once(engine, li, monkeypatch):
    with mailing(monkeypatch) as box, receiver() as outside:
        hooked(engine, outside)
        tell(engine, *(Message(li.id, Kind.REWORK, None, {"number": str(n)}) for n in range(60)))
        together = Barrier(3)

        def work(_n: int) -> Counter:
            together.wait()
            return post.deliver(engine, seconds=20)

        with ThreadPoolExecutor(3) as pool:
            outcomes = list(pool.map(work, range(3)))
        assert sum(outcomes, Counter()) == {"taken": 120}
        for numbers in (
            [mail["X-Gridmgr-Delivery"] for mail in box.mails],
            [headers["X-Gridmgr-Delivery"] for headers, _body in outside.got],
        ):
            assert len(numbers) == len(set(numbers)) == 60
    assert {(each.state, each.attempts) for each in log(engine)} == {(Progress.SENT, 1)}


def test_what_a_dead_worker_held_is_sent_by_another_one_after_its_lease(engine, li, monkeypatch):
    with mailing(monkeypatch) as box:
        tell(engine, Message(li.id, Kind.REWORK, None, CASE))
        with db.transaction(engine) as session:
            assert leaving.claim(session, MAIL) is not None
        assert post.deliver(engine) == {}
        assert later(engine, minutes=6) == {"taken": 1}
        assert len(box.mails) == 1


def test_the_worker_delivers_as_a_task(own_database, engine, li, monkeypatch, work_off):
    with mailing(monkeypatch) as box, receiver() as outside:
        hooked(engine, outside)
        tell(engine, Message(li.id, Kind.REWORK, None, CASE))
        with db.transaction(engine) as session:
            jobs.defer(session, jobs.DELIVER, timestamp=0)
            jobs.defer(session, jobs.PRUNE_NOTICES, timestamp=0)
        work_off(own_database)
        assert len(box.mails) == len(outside.got) == 1
    with db.transaction(engine) as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM procrastinate_jobs").scalar() == 0
    assert worker.app.tasks[jobs.DELIVER].queueing_lock == jobs.DELIVER
