"""The templates a district chooses from, as data; which module a matter goes to. No session, no time of day."""

from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from gridmgr.module.model import NotAPick, Part, PicksOutOfRange, PrefixTaken, Template, UnknownTemplate

TEMPLATES = {
    each.key: each
    for each in (
        Template(
            "six", "六大模块", "Six modules",
            (
                Part("dangjian", "大党建", "Party building"),
                Part("xietiao", "大协调", "Coordination", ("S05",), fallback=True),
                Part("zhili", "大治理", "Governance", ("B03", "P01", "P03", "S01", "S02", "S04", "S06")),
                Part("chengjian", "大城建", "Construction", ("B01", "B02", "B04", "B05", "S03")),
                Part("jingji", "大经济", "Economy", ("P02",)),
                Part("fuwu", "大服务", "Services", ("P04",)),
            ),
        ),
        Template(
            "six_and_eleven", "六主模块加十一子模块", "Six modules and eleven sub-modules",
            (
                Part("dangjian", "党建统领", "Party leadership"),
                Part("zongzhi", "综治工作", "Public security", ("P01", "S06"), fallback=True),
                Part("shichang", "市场监管", "Market regulation", ("P02",)),
                Part("zhifa", "综合执法", "Law enforcement", ("P03", "S02", "S03", "S04")),
                Part("fuwu", "便民服务", "Public services", ("P04",)),
                Part("jianshe", "建设发展", "Construction and growth", ("B", "S01", "S05")),
            ),
            (
                Part("tiaojie", "矛盾调解", "Mediation", ("P0101", "P0102", "P0103"), "zongzhi"),
                Part("liukou", "流动人口", "Migrants", ("P0105", "S0602"), "zongzhi"),
                Part("shipin", "食品安全", "Food safety", ("P0202",), "shichang"),
                Part("anquan", "安全生产", "Work safety", ("P0203", "P0305"), "zhifa"),
                Part("xiaofang", "消防管理", "Fire safety", ("P0301", "P0302", "P0303"), "zhifa"),
                Part("chaiwei", "违建拆除", "Illegal construction", ("S0101",), "zhifa"),
                Part("bangfu", "救助帮扶", "Relief", ("P0401", "P0402", "P0404"), "fuwu"),
                Part("zhishui", "河道治水", "Waters", ("S0109",), "jianshe"),
                Part("huanjing", "环境整治", "Surroundings", ("S0102", "S0103", "S0104", "S0105"), "jianshe"),
                Part("shizheng", "市政养护", "Upkeep of roads and mains", ("B01", "B02"), "jianshe"),
                Part("yingji", "应急抢险", "Emergencies", ("S050",), "jianshe"),
            ),
            3, 5,
        ),
        Template(
            "one_three_n", "1+3+N 模块", "1+3+N modules",
            (
                Part("dangjian", "大党建", "Party building"),
                Part("guanli", "大管理", "Management", ("B", "S01", "S02", "S03", "S04", "S06"), fallback=True),
                Part("anquan", "大安全", "Safety", ("P01", "P03", "S05")),
                Part("fuwu", "大服务", "Services", ("P02", "P04")),
            ),
            (
                Part("zhifa", "大执法", "Law enforcement", ("P0201", "P0301", "S0101", "S0401", "S0402")),
                Part("banqian", "大搬迁", "Resettlement", ("P0304",)),
                Part("wenlv", "大文旅", "Culture and tourism", ("B0109",)),
                Part("zhishui", "大治水", "Waters", ("S0109",)),
                Part("xiangmu", "大项目", "Projects", ("B0502", "S0301", "S0302")),
            ),
            0, 5,
        ),
        Template(
            "one_and_four", "1+4 四平台", "One centre and four platforms",
            (
                Part("zhihui", "综合指挥", "Command", ("S05",), fallback=True),
                Part("zongzhi", "综治工作", "Public security", ("P01", "S06")),
                Part("shichang", "市场监管", "Market regulation", ("P02",)),
                Part("zhifa", "综合执法", "Law enforcement", ("B", "P03", "S01", "S02", "S03", "S04")),
                Part("fuwu", "便民服务", "Public services", ("P04",)),
            ),
        ),
    )
}  # fmt: skip
"""Ouhai's six, Quzhou's six and eleven, Taishun's 1+3+N, Jiubao's 1+4 (field.md §1: A1, D1, E2, B1)."""


class Taking(Protocol):
    """What takes matters by the beginnings of their codes."""

    prefixes: Sequence[str]
    fallback: bool


T = TypeVar("T", bound=Taking)


def template(key: str) -> Template:
    """Return the template of that key.

    Raises
    ------
    UnknownTemplate
    """
    if key not in TEMPLATES:
        raise UnknownTemplate(key=key, known=", ".join(TEMPLATES))
    return TEMPLATES[key]


def parts(chosen: Template, picks: Iterable[str]) -> tuple[Part, ...]:
    """Return the modules of a template with those picked of its others, in its order.

    Raises
    ------
    NotAPick, PicksOutOfRange
    """
    wanted, known = set(picks), {each.code: each for each in chosen.picks}
    for code in sorted(wanted - set(known)):
        raise NotAPick(code=code, known=", ".join(known) or "-")
    if not chosen.least <= len(wanted) <= chosen.most:
        raise PicksOutOfRange(least=chosen.least, most=chosen.most, count=len(wanted))
    return (*chosen.mains, *(each for each in chosen.picks if each.code in wanted))


def taking(modules: Iterable[T], category: str) -> T | None:
    """Return which module takes a matter: the one with the longest fitting prefix, else the one for the rest."""
    fitting = [
        (len(prefix), module)
        for module in modules
        for prefix in module.prefixes
        if category.startswith(prefix)
    ]
    if fitting:
        return max(fitting, key=lambda each: each[0])[1]
    return next((module for module in modules if module.fallback), None)


def check_prefixes(prefixes: Iterable[str], others: Iterable[tuple[str, Sequence[str]]]) -> None:
    """Refuse a prefix that another module, as (name, prefixes), has already: a matter goes to one module.

    Raises
    ------
    PrefixTaken
    """
    wanted = set(prefixes)
    for name, taken in others:
        for prefix in sorted(wanted & set(taken)):
            raise PrefixTaken(prefix=prefix, name=name)
