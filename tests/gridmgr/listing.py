"""What the tests of lists share: lists from rows, published on a day."""

from datetime import date

from gridmgr.account.rules import SYSTEM
from gridmgr.category import queries as matters
from gridmgr.responsibility import rules, service
from gridmgr.responsibility.model import ListEdition, ListKind

HEADS = "code,name,categories,lead,cooperating,level,handed_from,clause,flow,guide,amount,unit,aliases\n"
NEW_YEAR = date(2026, 1, 1)


def row(code: str, name: str, categories: str = "", lead: str = "环卫所", **more: str) -> str:
    """Return one item as a line of the table of `HEADS`."""
    usual = dict.fromkeys(HEADS.strip().split(","), "")
    return ",".join(
        (usual | {"code": code, "name": name, "categories": categories, "lead": lead} | more).values()
    )


def read(session, kind: ListKind, rows: list[str], day: date = NEW_YEAR) -> rules.ItemsRead:
    """Return rows as they are read from a file."""
    codes = [each.code for each in matters.in_force(session, day)]
    return rules.read_items((HEADS + "\n".join(rows)).encode(), "list.csv", kind, codes)


def draft(
    session, kind: ListKind, code: str, rows: list[str], *, actor=SYSTEM, name: str = ""
) -> ListEdition:
    """Keep rows as a draft of a list."""
    title = f"{code or '全区'}{kind}清单"
    return service.draft(
        session, actor, kind, code, title, read(session, kind, rows), name=name, basis="试点方案"
    )


def publish(session, kind: ListKind, code: str, rows: list[str], day: date = NEW_YEAR, **more) -> ListEdition:
    """Publish rows as a list in force from a day on."""
    return service.publish(session, SYSTEM, draft(session, kind, code, rows, **more).id, day)
