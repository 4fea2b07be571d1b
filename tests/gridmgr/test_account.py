"""Who may do what, where; and how people and programs prove who they are."""

from datetime import timedelta

import pytest

from gridmgr import clock
from gridmgr.account import queries, service
from gridmgr.account.model import (
    NotGranted,
    OutsideGrant,
    SessionEnded,
    TooManyLogins,
    UnknownRole,
    UsernameTaken,
    WeakPassword,
    WrongPassword,
)
from gridmgr.account.rules import PERMISSIONS, SYSTEM, Actor, Grant, Role, can, covering, require

PASSWORD = "correct horse battery"


def someone(*grants: Grant) -> Actor:
    return Actor(1, "某人", grants)


def test_a_grant_reaches_every_unit_below_its_code():
    clerk = someone(Grant(Role.COMMUNITY_CLERK, "510106001003"))
    assert can(clerk, "incident.accept", "510106001003007")
    assert not can(clerk, "incident.accept", "510106001004001")


def test_a_denial_says_why():
    member = someone(Grant(Role.GRID_MEMBER, "510106001003007"))
    assert isinstance(can(member, "incident.dispatch").reason, NotGranted)
    with pytest.raises(OutsideGrant, match="510106001003007, not in 510106001003008"):
        require(member, "incident.verify", "510106001003008")


def test_without_a_grant_nothing_is_allowed():
    assert not any(can(someone(), action) for action in PERMISSIONS)


def test_the_system_may_do_what_an_administrator_may():
    assert can(SYSTEM, "grid.import") and can(SYSTEM, "account.manage")


def test_scope_drops_what_a_shorter_prefix_covers():
    assert covering(["510106001", "510106001003", "510106002"]) == ("510106001", "510106002")
    assert covering(["510106001", ""]) == ("",)


def test_log_in_and_out(session):
    service.open_account(session, "li", "李四", PASSWORD, [Grant(Role.ADMIN, "")])
    secret, login = service.log_in(session, "li", PASSWORD)
    actor, resumed = service.resume(session, secret)
    assert (actor.name, resumed.csrf) == ("李四", login.csrf)
    service.log_out(session, secret)
    with pytest.raises(SessionEnded):
        service.resume(session, secret)


@pytest.mark.parametrize(("username", "password"), [("li", "wrong password"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_answer_alike(session, username, password):
    service.open_account(session, "li", "李四", PASSWORD, [])
    with pytest.raises(WrongPassword):
        service.log_in(session, username, password)


def test_a_closed_account_logs_nobody_in(session):
    service.open_account(session, "li", "李四", PASSWORD, [])
    secret, _ = service.log_in(session, "li", PASSWORD)
    service.set_active(session, "li", False)
    session.flush()
    with pytest.raises(SessionEnded):
        service.resume(session, secret)
    with pytest.raises(WrongPassword):
        service.log_in(session, "li", PASSWORD)


def test_a_session_ends_by_itself(session):
    service.open_account(session, "li", "李四", PASSWORD, [])
    secret, _ = service.log_in(session, "li", PASSWORD)
    session.flush()
    with clock.travel(clock.now() + timedelta(hours=13)), pytest.raises(SessionEnded):
        service.resume(session, secret)


def test_guessing_is_slowed_down_and_forgiven_after_the_window(session):
    for _ in range(5):
        service.check_login_rate(session, "li", "10.0.0.1")
        service.note_failed_login(session, "li", "10.0.0.1")
        session.flush()
    with pytest.raises(TooManyLogins):
        service.check_login_rate(session, "li", "10.0.0.2")
    service.check_login_rate(session, "wang", "10.0.0.2")
    with clock.travel(clock.now() + timedelta(minutes=6)):
        service.check_login_rate(session, "li", "10.0.0.2")


def test_a_token_answers_until_it_is_revoked(session):
    account = service.open_account(session, "li", "李四", PASSWORD, [Grant(Role.PLANNER, "")])
    actor = queries.actor_of(account)
    secret, token = service.issue_token(session, actor, "脚本")
    assert service.bearer(session, secret).username == "li"
    service.revoke_token(session, actor, token.id)
    with pytest.raises(SessionEnded):
        service.bearer(session, secret)


def test_passwords_and_names_are_checked(session):
    with pytest.raises(WeakPassword):
        service.open_account(session, "li", "李四", "short", [])
    service.open_account(session, "li", "李四", PASSWORD, [])
    with pytest.raises(UsernameTaken):
        service.open_account(session, "li", "李五", PASSWORD, [])


def test_a_new_password_ends_old_sessions(session):
    service.open_account(session, "li", "李四", PASSWORD, [])
    secret, _ = service.log_in(session, "li", PASSWORD)
    service.set_password(session, "li", "another long password")
    with pytest.raises(SessionEnded):
        service.resume(session, secret)


def test_grants_are_read_from_text():
    assert service.parse_grant("street_dispatcher:510106001") == Grant(Role.STREET_DISPATCHER, "510106001")
    assert service.parse_grant("admin") == Grant(Role.ADMIN, "")
    with pytest.raises(UnknownRole, match="mayor"):
        service.parse_grant("mayor")
