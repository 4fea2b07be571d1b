"""Reads of lists: who answers for a matter, what is given to a territory, editions, items, words people use."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from gridmgr import clock
from gridmgr.account.rules import Actor, can
from gridmgr.category import queries as matters
from gridmgr.category.model import Category
from gridmgr.category.rules import likeliest
from gridmgr.category.rules import texts as texts_of
from gridmgr.hierarchy import queries as hierarchy
from gridmgr.kept import kept
from gridmgr.organisation import queries as organisation
from gridmgr.responsibility import rules
from gridmgr.responsibility.model import (
    Admission,
    CaseItem,
    Fault,
    ListEdition,
    ListItem,
    NoOwner,
    NotOnTheList,
    OtherLists,
    Owner,
    ResponsibilityList,
    Standing,
    UnknownEdition,
    UnknownList,
    facts,
)
from gridmgr.responsibility.rules import Listed

MOST_ANSWERS, MOST_DAYS = 50_000, 1000  # kept by a process before it begins anew


@dataclass(frozen=True)
class _Lists:
    """All published editions and granted admissions, what is in force by day, and the questions answered so far."""

    listed: list[Listed]
    admissions: list[Admission]
    by_day: dict[date, tuple[list[Listed], list[Admission], list[str]]] = field(default_factory=dict)
    answered: dict[tuple[str, str, date], Owner | None] = field(default_factory=dict)


def _read(session: Session) -> _Lists:
    items: dict[int, list[ListItem]] = {}
    published = select(ListEdition.id).where(ListEdition.published_at.is_not(None))
    asked = select(ListItem).where(ListItem.edition_id.in_(published))
    for item in session.scalars(asked.order_by(ListItem.edition_id, ListItem.place)):
        items.setdefault(item.edition_id, []).append(item)
    rows = session.execute(
        select(ResponsibilityList, ListEdition)
        .join(ListEdition, ListEdition.list_id == ResponsibilityList.id)
        .where(ListEdition.published_at.is_not(None))
        .order_by(ListEdition.id)
    ).all()
    granted = select(Admission).where(Admission.state == Standing.GRANTED).order_by(Admission.id)
    return _Lists(
        [Listed(owner, edition, items.get(edition.id, [])) for owner, edition in rows],
        list(session.scalars(granted)),
    )


def _on(session: Session, day: date) -> tuple[list[Listed], list[Admission], list[str]]:
    """Return what is in force on a day: editions, admissions, and the codes of their areas, the longest first."""
    known = kept(session, "responsibility", _read)
    if day not in known.by_day:
        if len(known.by_day) > MOST_DAYS:
            known.by_day.clear()
        lists = rules.in_force(known.listed, day)
        admissions = [each for each in known.admissions if each.holds_on(day)]
        areas = {each.list.code for each in lists} | {each.code for each in admissions}
        known.by_day[day] = (lists, admissions, sorted(areas, key=len, reverse=True))
    return known.by_day[day]


def in_force(session: Session, at: date | None = None) -> list[Listed]:
    """Return the editions in force on a day, with their items."""
    return _on(session, at or clock.today())[0]


def owner_of(session: Session, category_code: str, unit_code: str, at: date | None = None) -> Owner:
    """Return the one who answers for a matter in a unit on a day.

    Rule: `rules.answer` over the lists in force there; where no division of duties is in force, a matter
    that no list names is the affair of its category's department.

    Raises
    ------
    NoOwner, UnknownCategory
    """
    day = at or clock.today()
    found = answer(session, category_code, unit_code, day)
    if found is not None:
        return _called_now(session, found)
    department = matters.by_code(session, category_code, day).department
    whole = any(each.nature.complete and each.reaches(unit_code) for each in in_force(session, day))
    if whole or not department:
        raise NoOwner(category=category_code, unit=unit_code)
    return _called_now(session, Owner(department))


def _called_now(session: Session, found: Owner) -> Owner:
    """Lists keep the names that bodies had; whoever is given work has its present one."""
    names = [organisation.present_name(session, each) for each in (found.lead, *found.cooperating)]
    return replace(found, lead=names[0], cooperating=tuple(names[1:]))


def answer(session: Session, category_code: str, unit_code: str, at: date) -> Owner | None:
    """Return whom the lists in force name for a matter in a unit, None if they name nobody."""
    lists, admissions, areas = _on(session, at)
    area = next((code for code in areas if unit_code.startswith(code)), None)
    if area is None or not category_code:
        return None
    answered = kept(session, "responsibility", _read).answered
    if len(answered) > MOST_ANSWERS:
        answered.clear()
    asked = (category_code, area, at)
    if asked not in answered:
        found = rules.answer(category_code, area, lists, admissions)
        answered[asked] = owner(*found) if found else None
    return answered[asked]


def owner(listed: Listed | None, said: ListItem | Admission) -> Owner:
    """Return what an item of a list, or an admission, says about who answers."""
    if listed is None:
        together = (said.body,) if said.body else ()
        return Owner(said.lead, together, clause=said.reason, territorial=True, admission=said)
    return Owner(
        said.lead, tuple(said.cooperating), f"{said.code} {said.name}", said.clause, listed.edition.title,
        said.territorial, said, edition_id=listed.edition.id,
    )  # fmt: skip


def check_given(session: Session, category: Category, unit_code: str, at: date | None = None) -> None:
    """Return if a matter may be handed down to a unit: no territorial list is in force there, or a list gives it.

    Rule: field.md E1, 清单之外无属地管理事项; another system's own codes are on no list of ours.

    Raises
    ------
    NotOnTheList
    """
    day, code = at or clock.today(), category.policy_code
    closing = [each for each in _on(session, day)[0] if each.nature.closes and each.reaches(unit_code)]
    if not closing or not code or is_given(session, code, unit_code, day):
        return
    nearest = max(closing, key=lambda each: len(each.list.code))
    names = hierarchy.names(session, [unit_code], day)
    raise NotOnTheList(
        category=f"{category.code} {category.name_zh}", unit=names.get(unit_code, unit_code),
        title=nearest.edition.title,
    )  # fmt: skip


def is_given(session: Session, category_code: str, unit_code: str, at: date) -> bool:
    """Tell whether a list or an admission gives a matter to a territory on a day."""
    found = answer(session, category_code, unit_code, at)
    if found is not None and found.territorial:
        return True
    return rules.served(category_code, unit_code, _on(session, at)[0])


def faults(session: Session, draft: Listed, effective: date) -> list[Fault]:
    """Return all that forbids publishing a draft from a day on, beside what is in force then and comes later."""
    published = kept(session, "responsibility", _read).listed
    later = {each.edition.effective for each in published if each.edition.effective > effective}
    found: dict[tuple, Fault] = {}
    whole = hierarchy.district_code(session)
    whole = whole[:-1] if hierarchy.names(session, [whole], clock.today()) else whole  # of a single street
    for day in sorted({effective, *later}):
        others = [each for each in rules.in_force(published, day) if each.list.id != draft.list.id]
        names = {each.code: each.name_zh for each in matters.in_force(session, day)}
        for fault in rules.faults(draft, others, names, whole):
            found.setdefault((fault.items, fault.category, type(fault.reason)), fault)
    return list(found.values())


@dataclass(frozen=True)
class Summary:
    """A list with its edition in force and how many items it has, and how many editions and drafts there are."""

    list: ResponsibilityList
    edition: ListEdition | None
    items: int
    published: int
    draft_ids: tuple[int, ...]

    @property
    def drafts(self) -> int:
        """How many drafts there are that the reader may see."""
        return len(self.draft_ids)


def summaries(session: Session, actor: Actor, kind: str = "", area: str = "") -> list[Summary]:
    """Return the lists that are published to all, and drafts where the actor manages lists, by area and kind."""
    now = {each.list.id: each for each in in_force(session)}
    asked = (
        select(
            ResponsibilityList, func.count(ListEdition.published_at),
            func.array_agg(ListEdition.id).filter(ListEdition.published_at.is_(None)),
        )
        .join(ListEdition, ListEdition.list_id == ResponsibilityList.id)
        .group_by(ResponsibilityList.id)
        .order_by(ResponsibilityList.code, ResponsibilityList.kind, ResponsibilityList.name)
    )  # fmt: skip
    if kind:
        asked = asked.where(ResponsibilityList.kind == kind)
    found = []
    for each, published, drafts in session.execute(asked):
        near = each.code.startswith(area) or area.startswith(each.code)
        drafts = tuple(sorted(drafts or ())) if can(actor, "list.manage", each.code) else ()
        if near and (published or drafts):
            held = now.get(each.id)
            edition = held.edition if held else None
            found.append(Summary(each, edition, len(held.items) if held else 0, published, drafts))
    return found


def editions(session: Session, actor: Actor, list_id: int) -> tuple[ResponsibilityList, list[ListEdition]]:
    """Return a list and its editions that the actor may see, drafts first, then the latest.

    Raises
    ------
    UnknownList
    """
    found = session.get(ResponsibilityList, list_id)
    asked = select(ListEdition).where(ListEdition.list_id == list_id)
    if found is None:
        raise UnknownList(id=list_id)
    if not can(actor, "list.manage", found.code):
        asked = asked.where(ListEdition.published_at.is_not(None))
    latest = asked.order_by(ListEdition.effective.desc().nulls_first(), ListEdition.id.desc())
    return found, list(session.scalars(latest))


def edition(session: Session, actor: Actor, edition_id: int) -> Listed:
    """Return an edition with its items; a draft only to who manages lists there.

    Raises
    ------
    UnknownEdition
    """
    found = session.get(ListEdition, edition_id)
    its = session.get_one(ResponsibilityList, found.list_id) if found else None
    if found is None or (found.published_at is None and not can(actor, "list.manage", its.code)):
        raise UnknownEdition(id=edition_id)
    asked = select(ListItem).where(ListItem.edition_id == edition_id).order_by(ListItem.place)
    return Listed(its, found, list(session.scalars(asked)))


def changes(session: Session, actor: Actor, before: int, after: int) -> list[tuple[str, str, str, list]]:
    """Return what differs between two editions of lists of one kind, as `rules.compare` says it.

    Raises
    ------
    UnknownEdition, OtherLists
    """
    one, other = (edition(session, actor, each) for each in (before, after))
    if one.list.kind != other.list.kind:
        raise OtherLists(one=one.edition.title, other=other.edition.title)
    return rules.compare(map(facts, one.items), map(facts, other.items))


@dataclass(frozen=True)
class Wanted:
    """What the items of an edition are narrowed to; every field may be empty."""

    words: str = ""
    category: str = ""
    lead: str = ""

    def fits(self, item: ListItem) -> bool:
        """Tell whether an item is among them; words are looked for in whatever it says."""
        if self.category and not any(self.category.startswith(each) for each in item.categories):
            return False
        if self.lead and self.lead not in (item.lead, *item.cooperating):
            return False
        told = (item.code, item.name, item.lead, item.clause, item.guide, item.handed_from)
        said = "\n".join((*told, *item.aliases, *item.cooperating)).casefold()
        return all(word in said for word in self.words.casefold().split())


@dataclass(frozen=True)
class Answer:
    """A matter and who answers for it; an item that covers no matter stands alone."""

    category: Category | None
    owner: Owner
    items: tuple[ListItem, ...]  # all that speak of it; what they call it is looked through

    @property
    def code(self) -> str:
        """The code of the matter, or of the item."""
        return self.category.code if self.category else self.owner.row.code


def whose(session: Session, words: str, area: str = "", size: int = 12) -> list[Answer]:
    """Return the matters and items that somebody's words speak of, the likeliest first, as lists of an area say.

    Without an area the lists of the whole district are asked.
    """
    day, unit = clock.today(), area or hierarchy.district_code(session)
    lists = [each for each in in_force(session, day) if each.reaches(unit)]
    by_prefix: dict[str, list[ListItem]] = {}
    for item in (item for each in lists for item in each.items):
        for prefix in item.categories:
            by_prefix.setdefault(prefix, []).append(item)
    found = [
        Answer(
            each, answer(session, each.policy_code, unit, day) or Owner(each.department),
            tuple(item for n in range(1, len(each.code) + 1) for item in by_prefix.get(each.code[:n], ())),
        )
        for each in matters.in_force(session, day)
    ]  # fmt: skip
    found += [
        Answer(None, owner(each, item), (item,))
        for each in lists
        for item in each.items
        if not (each.nature.owns and item.categories)
    ]
    return likeliest(words, found, _said, lambda each: each.code)[:size]


def _said(found: Answer) -> Iterator[tuple[str, int]]:
    if found.category is not None:
        yield from texts_of(found.category)
    for item in found.items:
        yield from rules.texts(item)


def of_case(session: Session, incident_id: int) -> Owner | None:
    """Return who answered for a case when it was first accepted, None if no list spoke of it."""
    kept_item = session.get(CaseItem, incident_id)
    if kept_item is None:
        return None
    if kept_item.admission_id is not None:
        return owner(None, session.get_one(Admission, kept_item.admission_id))
    item = session.get_one(ListItem, kept_item.item_id)
    edition = session.get_one(ListEdition, item.edition_id)
    return owner(Listed(session.get_one(ResponsibilityList, edition.list_id), edition, [item]), item)
