"""People come in by a table: all or none, each bad cell named."""

import pytest

from gridmgr import sheet
from gridmgr.account import queries, service
from gridmgr.account.rules import PEOPLE, SYSTEM, Actor, Grant, Role
from gridmgr.sheet import BadSheet

pytestmark = pytest.mark.db
HEAD = "用户名,姓名,角色,单位,启用,初始密码\n"
AREAS = {"510106001", "510106001001"}


def bring(session, *lines: str, by: Actor = SYSTEM):
    read = sheet.read((HEAD + "\n".join(lines)).encode("gb18030"), "人员.csv", PEOPLE)
    return service.import_people(session, by, read, lambda codes: set(codes) - AREAS)


def test_new_people_get_roles_on_their_areas_and_a_password_told_once(session):
    wang, li = bring(
        session,
        "wang,王芳,网格员：510106001001；网格长:510106001001,,是,",
        "li,李强,部门处置员:,环卫所,,Ein-langes-Wort-7",
    )
    assert (wang.fate, li.fate, li.password) == ("added", "added", None)
    service.log_in(session, "wang", wang.password)
    actor = queries.actor(session, "wang")
    assert actor.grants == (
        Grant(Role.GRID_MEMBER, "510106001001"), Grant(Role.GRID_LEADER, "510106001001"),
    )  # fmt: skip
    assert queries.actor(session, "li").body == "环卫所"


def test_the_same_table_again_changes_nothing_and_a_changed_row_only_itself(session):
    lines = ["wang,王芳,grid_member:510106001001,,是,", "li,李强,部门处置员:,环卫所,是,"]
    bring(session, *lines)
    assert [each.fate for each in bring(session, *lines)] == ["unchanged", "unchanged"]
    lines[1] = "li,李强,部门处置员:,市政管理所,否,"
    assert [each.fate for each in bring(session, *lines)] == ["unchanged", "changed"]
    account = queries.by_username(session, "li")
    assert (account.body, account.active) == ("市政管理所", False)


def test_every_bad_cell_is_named_and_nobody_is_opened(session):
    with pytest.raises(BadSheet) as refused:
        bring(
            session, "wang,王芳,网格员:510106009,,是,", "wang,王二,网格员:510106001,,也许,", ",无名,网格员:,,是,",
            "zhao,赵六,村长:510106001,,是,短",
        )  # fmt: skip
    told = [(error.details["row"], type(error.reason).__name__) for error in refused.value.errors]
    assert told == [(2, "NoSuchArea"), (3, "NotOneOf"), (4, "Empty"), (5, "NotARole")]
    assert queries.listing(session) == []


def test_faults_between_good_rows_are_named_too(session):
    with pytest.raises(BadSheet) as refused:
        bring(session, "wang,王芳,网格员:510106001,,是,短密码", "wang,王二,网格员:510106001,,是,")
    told = [(error.details["row"], type(error.reason).__name__) for error in refused.value.errors]
    assert told == [(2, "WeakPassword"), (3, "PersonTwice")]


def test_whoever_imports_stays_an_administrator(session):
    bring(session, "boss,管理员,管理员:,,是,")
    boss = queries.actor(session, "boss")
    with pytest.raises(BadSheet, match="must stay one"):
        bring(session, "boss,管理员,网格员:510106001,,是,", by=boss)
