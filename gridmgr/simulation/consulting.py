"""Consultations of the demonstration: plans, acceptances, decisions and appointments that streets are asked about."""

from datetime import timedelta
from itertools import cycle

from sqlalchemy.orm import Session

from gridmgr import clock, sheet
from gridmgr.account import queries as accounts
from gridmgr.account.rules import SYSTEM, Actor, Grant, Role
from gridmgr.consultation import queries, rules, service
from gridmgr.consultation.model import Asking, Consultation, ConsultationParty, Said, Who
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.simulation import queries as simulated
from gridmgr.simulation.samples import SAMPLE_MAPS

KINDS = SAMPLE_MAPS / "consultation_kinds.csv"
HOUR = timedelta(hours=1)
FAMILIES, GIVEN = "王李张刘陈杨黄赵周吴", ("志强", "晓梅", "建军", "海燕")
STATIONS = ("派出所", "司法所", "市场监管所", "综合执法大队", "环卫所")
PROPOSED, STOPPED = 20, {6: "群众反映强烈的问题长期不到场，街道不同意", 15: "任职不满一年，重点工作未交接"}


def consult(session: Session) -> int:
    """Bring the kinds and ask about things of the demonstration street, once; returns how many were asked about."""
    names = ("streetleader", "clerk", "command")
    shown = [accounts.by_username(session, name) for name in names]
    if not all(shown) or queries.page(session, SYSTEM, queries.Search(), 1):
        return 0
    begun = clock.midnight(hierarchy.editions(session)[-1].effective)  # before it there was nobody to ask
    read = sheet.read(KINDS.read_bytes(), KINDS.name, rules.KINDS)
    service.import_kinds(session, SYSTEM, read, clock.local(begun).date())
    leader, clerk, command = (accounts.actor_of(each) for each in shown)
    span = min((clock.now() - begun) * 0.9, timedelta(days=120))
    return _appointments(session, command, leader, span) + _matters(session, leader, clerk, span)


def _appointments(session: Session, command: Actor, leader: Actor, span: timedelta) -> int:
    """Ask the street about heads of its stations; of twenty it stops two."""
    street, since = leader.grants[0].code, clock.now() - span
    people = (f"{family}{given}" for given in GIVEN for family in FAMILIES)
    for n, (who, station) in enumerate(zip(people, cycle(STATIONS), strict=False)):
        if n == PROPOSED:
            break
        facts = {"person": who, "station": station, "move": ("任职", "免职", "交流", "晋升")[n % 4]}
        with clock.travel(since + n * span / (PROPOSED + 1)):
            told = Asking(f"{station}负责人{facts['move']}：{who}", facts=facts, area=street)
            found = service.ask(session, command, "appointment.head", "", [street], told)
        said = Said.VETO if n in STOPPED else Said.AGREE
        with clock.travel(found.asked_at + span / (3 * PROPOSED)):
            answers = {"work": "不称职" if n in STOPPED else "称职"}
            service.say(session, leader, found.id, said, STOPPED.get(n, ""), answers)
    return PROPOSED


def _matters(session: Session, leader: Actor, clerk: Actor, span: timedelta) -> int:
    """Ask about a plan that is heard, an acceptance with residents, a decision that is stopped; two are open still."""
    community, now, staff = clerk.grants[0].code, clock.now(), simulated.staff(session)
    asked = [
        ("plan.compounds", "住建局", "荷花池片区老旧小区改造方案", 0.6, {"project": "荷花池片区 12 幢改造"}, _heard),
        ("acceptance.lifts", "住建局", "荷花路 1 号加装电梯验收", 0.4,
         {"project": "荷花路 1 号加装电梯", "builder": "安达电梯公司", "finished": "2026-01-10"}, _agreed),
        ("decision.handover", "综合执法大队", "户外广告审批下放街道", 0.3, {"basis": "区政府常务会议议题"}, _stopped),
        ("plan.stalls", "综合执法大队", "荷花路夜市临时占道区设置", 0.02, {"project": "荷花路夜市"}, _begun),
        ("plan.charging", "供电公司", "社区充电桩布点", 0.01, {"project": "充电桩 24 处"}, _waiting),
    ]  # fmt: skip
    for kind, body, title, ago, facts, course in asked:
        actor = _of(staff, body, leader.grants[0].code)
        at = now - ago * span
        with clock.travel(at):
            told = Asking(title, f"{title}，请提出意见。", facts=facts)
            found = service.ask(session, actor, kind, "", [community], told)
        with clock.travel(min(at + 2 * HOUR, now)):
            course(session, actor, leader, clerk, found)
    return len(asked)


def _of(people: simulated.People, body: str, street: str) -> Actor:
    """Return somebody of a body."""
    usual = Actor(None, body, (Grant(Role.DEPARTMENT_HANDLER, street),), body=body)
    return people.get((Role.DEPARTMENT_HANDLER, "", body), usual)


def _party(session: Session, found: Consultation, who: Who) -> ConsultationParty:
    return next(each for each in queries.parties(session, [found.id])[found.id] if each.who == who)


def _by(
    session: Session,
    actor: Actor,
    found: Consultation,
    who: Who,
    said: Said,
    reason: str = "",
    **answers: object,
) -> ConsultationParty:
    party = _party(session, found, who)
    service.say(session, actor, found.id, said, reason, answers, party_id=party.id)
    return party


def _heard(session: Session, asker: Actor, leader: Actor, clerk: Actor, found: Consultation) -> None:
    objecting = _by(
        session, clerk, found, Who.RESIDENTS, Said.OBJECT, "改造期间停水安排不明", asked=86, agree=51
    )
    _by(session, leader, found, Who.STREET, Said.AGREE)
    service.reply(session, asker, found.id, objecting.id, True, "每日停水不超过四小时，提前两天张贴告知")


def _agreed(session: Session, asker: Actor, leader: Actor, clerk: Actor, found: Consultation) -> None:
    _by(session, clerk, found, Who.RESIDENTS, Said.AGREE, asked=14, agree=14)
    _by(session, leader, found, Who.STREET, Said.AGREE, quality="合格")


def _stopped(session: Session, asker: Actor, leader: Actor, clerk: Actor, found: Consultation) -> None:
    reason = "权随事转、费随事转未明确，街道无执法人员编制"
    _by(session, leader, found, Who.STREET, Said.VETO, reason, burden="每月约 60 件，需专人 2 名")


def _begun(session: Session, asker: Actor, leader: Actor, clerk: Actor, found: Consultation) -> None:
    _by(session, clerk, found, Who.RESIDENTS, Said.OBJECT, "夜间噪声，22 点后应收摊", asked=120, agree=70)


def _waiting(session: Session, asker: Actor, leader: Actor, clerk: Actor, found: Consultation) -> None:
    """Nobody has answered yet."""
