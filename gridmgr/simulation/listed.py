"""The responsibility lists of the fictional district, written by code from its table of matters."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM
from gridmgr.admission import service as admission
from gridmgr.admission.model import Deed
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.responsibility import queries, service
from gridmgr.responsibility.model import KINDS, ListKind
from gridmgr.responsibility.rules import ItemsRead

TERRITORY = (
    "S0106", "S0404", "S0406", "S0602", "P0101", "P0104", "P0105", "P0401", "P0402", "P0404", "P0405",
)  # fmt: skip
"""What a street answers for itself; all else is a department's."""
HANDED_DOWN = ("S0203", "S0204", "S0401", "S0402", "S0405")
SERVICES = ("P0104", "P0105", "P0401", "P0402", "P0404", "P0405")
POWERS = ("责令限期改正", "警告、通报批评", "罚款", "查封、扣押", "代履行", "没收违法所得")
VILLAGE = (
    (
        "村民建房审核", "户主申请→村民小组评议→村委会初审→公示七天→报街道",
        "带身份证、户口簿、现房照片，到村便民服务站办理",
    ),
    ("低保申请代办", "入户核查→民主评议→公示→报街道民政", "带收入证明、户口簿；行动不便的由网格员上门代办"),
    ("村级小额工程", "立项→村民代表会议表决→公开比选→验收→公示", "五万元以下由村务监督委员会全程监督"),
)  # fmt: skip
CALLED = {
    "S0102": ("垃圾没人收", "垃圾堆成山"),
    "S0106": ("楼道堆杂物", "门口堆东西"),
    "S0401": ("路边摆摊", "流动烧烤"),
    "S0404": ("电动车挡路", "共享单车乱放"),
    "P0101": ("楼上漏水吵架", "邻居吵架"),
    "P0302": ("飞线充电", "从窗户拉线充电"),
}


def open_lists(session: Session, effective: date) -> int:
    """Publish the lists of the district and of the demonstration street; returns how many, 0 if there are some.

    The division of duties has an edition from a day on and one from today; the street has a draft beside its
    list in force, and an admission that waits for its decision.
    """
    shown = accounts.by_username(session, "dispatcher")
    if shown is None or queries.summaries(session, SYSTEM):
        return 0
    street, table = shown.grants[0].code, matters.in_force(session, effective)
    name = hierarchy.names(session, [street], clock.today())[street]
    village = hierarchy.areas(session, accounts.actor_of(shown))[1][0]
    lists = [
        (ListKind.DIVISION, "", "区级部门与街道职责边界清单（试行）", _division(table, ()), effective),
        (ListKind.DIVISION, "", "区级部门与街道职责边界清单", _division(table, TERRITORY), clock.today()),
        (ListKind.POWERS, "", "行政执法权力清单", _powers(table), effective),
        (ListKind.GRID_SERVICES, "", "网格服务清单", _services(table), effective),
        (ListKind.TERRITORIAL, street, f"{name}属地管理事项责任清单", _territorial(table, name, TERRITORY), effective),
        (ListKind.HANDED_DOWN, street, f"{name}承接赋权事项清单", _handed(table, name), effective),
        (ListKind.VILLAGE, village, "村社小微权力清单", _village(), effective),
    ]  # fmt: skip
    for kind, code, title, rows, day in lists:
        kept = service.draft(session, SYSTEM, kind, code, title, _read(rows), basis="区委办〔2026〕5 号")
        service.publish(session, SYSTEM, kept.id, day)
    fuller = _territorial(table, name, (*TERRITORY[1:], "S0109", "P0305"))
    fuller[0]["guide"] = "网格员当日上门劝导；两次劝导无效的，联系综合行政执法队。"
    service.draft(
        session, SYSTEM, ListKind.TERRITORIAL, street, f"{name}属地管理事项责任清单（修订稿）", _read(fuller),
        basis="征求意见中",
    )  # fmt: skip
    _ask(session, street)
    return len(lists)


def _read(rows: Sequence[Mapping[str, Any]]) -> ItemsRead:
    return ItemsRead(tuple(dict(row) | {"place": n} for n, row in enumerate(rows, start=1)), (), ())


def _item(kind: ListKind, code: str, name: str, lead: str, **more: Any) -> dict[str, Any]:
    """Return an item of a list of a kind, with what it says beside its code, name and lead."""
    usual = {
        "categories": [], "cooperating": [], "level": KINDS[kind].level.value, "handed_from": "", "clause": "",
        "flow": "", "guide": "", "filing_condition": "", "closing_condition": "", "amount": None, "unit": None,
        "evidence": "", "aliases": [],
    }  # fmt: skip
    return usual | {"code": code, "name": name, "lead": lead} | more


def _of(matter: Category, clause: str) -> dict[str, Any]:
    """Return what an item takes over from the matter it covers."""
    return {
        "categories": [matter.code], "clause": clause, "filing_condition": matter.filing_condition,
        "closing_condition": matter.closing_condition, "amount": matter.limit_amount,
        "unit": matter.limit_unit, "aliases": list(CALLED.get(matter.code, ())),
        "evidence": "处置前、处置后照片各一张",
    }  # fmt: skip


def _division(table: Sequence[Category], shared: Sequence[str]) -> list[dict[str, Any]]:
    """Every matter with its department; in `shared` ones the street helps."""
    return [
        _item(
            ListKind.DIVISION, f"ZZ-{n:03}", f"{each.name_zh}的处置", each.department,
            cooperating=["属地街道"] if each.code in shared else [],
            flow="受理→现场核查→处置→反馈→核查结案", guide=f"由{each.department}在时限内到场处置并回传照片。",
            **_of(each, f"《职责边界规定》第{n}项"),
        )
        for n, each in enumerate(table, start=1)
    ]  # fmt: skip


def _territorial(table: Sequence[Category], street: str, codes: Sequence[str]) -> list[dict[str, Any]]:
    return [
        _item(
            ListKind.TERRITORIAL, f"SD-{each.code}", f"{each.name_zh}（属地）", street, cooperating=[each.department],
            flow="网格发现→街道受理→社区到场→反馈→核查", guide="网格员先行劝导、登记，需执法的联系配合单位。",
            **_of(each, f"《属地管理事项清单》{each.code} 项"),
        )
        for each in table
        if each.code in codes
    ]  # fmt: skip


def _handed(table: Sequence[Category], street: str) -> list[dict[str, Any]]:
    return [
        _item(
            ListKind.HANDED_DOWN, f"FQ-{each.code}", f"对{each.name_zh}的行政处罚", street,
            handed_from=each.department, cooperating=[each.department],
            flow="立案→调查取证→告知→决定→执行", guide="由街道综合行政执法队以街道名义执法。",
            **_of(each, "《行政处罚法》第二十四条"),
        )
        for each in table
        if each.code in HANDED_DOWN
    ]  # fmt: skip


def _powers(table: Sequence[Category]) -> list[dict[str, Any]]:
    bodies = sorted({each.department for each in table if each.kind == "event"})
    return [
        _item(
            ListKind.POWERS, f"QL-{n:02}{m}", f"{body}：{power}", body, clause="《行政处罚法》《行政强制法》",
            flow="立案→调查→审核→决定→送达",
        )
        for n, body in enumerate(bodies, start=1)
        for m, power in enumerate(POWERS, start=1)
    ]  # fmt: skip


def _services(table: Sequence[Category]) -> list[dict[str, Any]]:
    return [
        _item(
            ListKind.GRID_SERVICES, f"FW-{each.code}", f"{each.name_zh}上门服务", "网格", cooperating=[each.department],
            flow="走访→登记→代办→回访", guide="每月至少走访一次。", **_of(each, ""),
        )
        for each in table
        if each.code in SERVICES
    ]  # fmt: skip


def _village() -> list[dict[str, Any]]:
    return [
        _item(ListKind.VILLAGE, f"CS-{n:02}", name, "村（居）民委员会", flow=flow, guide=guide)
        for n, (name, flow, guide) in enumerate(VILLAGE, start=1)
    ]


def _ask(session: Session, street: str) -> None:
    """Let the demonstration's department ask for an admission, and its street argue."""
    handler, dispatcher = (accounts.actor(session, name) for name in ("handler", "dispatcher"))
    asked = admission.ask(
        session,
        handler,
        street,
        "S0102",
        "背街小巷暴露垃圾点多面广，街道保洁力量就近处置更快，清运车辆由我单位保障。",
    )
    opinion = "同意先行先试半年，但保洁经费和两辆清运车要随事下放，大件垃圾仍由环卫所清运。"
    with clock.travel(clock.now() + timedelta(minutes=1)):
        admission.do(session, dispatcher, asked.id, Deed.ARGUE, opinion)
