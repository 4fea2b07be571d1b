"""Imports point one way only: web → gridmgr → gis, and inside gridmgr down the list of nouns."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("web", "gridmgr", "gis")

# From the top down; a noun may import those to the right of it, never those to the left.
ORDER = (
    "cli",
    "worker",
    "reactions",
    "schema",
    "backup",
    "simulation",
    "plan_file",
    "importing",
    "plan_difference",
    "public_notice",
    "publication",
    "plan_edit",
    "following",
    "boundary_plan",
    "redraw",
    "grid_code",
    "onsite",
    "dispatch",
    "lookup",
    "glance",
    "desk",
    "command_room",
    "morning",
    "bulletin",
    "digest",
    "scan",
    "hotspot",
    "situation",
    "saved_view",
    "statistics",
    "comparison",
    "timeline",
    "past",
    "trend",
    "grading",
    "flag",
    "audit",
    "weekly",
    "consultation",
    "coapproval",
    "claim",
    "telling",
    "attendance",
    "whistle",
    "casebook",
    "supervision",
    "escalation",
    "task_force",
    "tally",
    "admission",
    "discussion",
    "intake",
    "incident",
    "life",
    "policy",
    "responsibility",
    "category",
    "one_grid",
    "module",
    "terms",
    "organisation",
    "position",
    "duty",
    "calendar",
    "hierarchy",
    "attachment",
    "answered",
    "post",
    "delivery",
    "notice",
    "account",
    "jobs",
    "store",
    "kept",
    "db",
    "events",
    "paper",
    "words",
    "i18n",
    "sheet",
    "clock",
    "cluster",
    "cluster_home",
    "errors",
    "log",
    "settings",
)


@cache
def sources(folder: str) -> list[Path]:
    return [path for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts]


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@cache
def imported(path: Path) -> set[str]:
    """Every module a file imports, wherever in the file it does."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def noun(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "gridmgr" and len(parts) > 1 else None


@pytest.mark.parametrize(("floor", "above"), [("gis", {"gridmgr", "web"}), ("gridmgr", {"web"})])
def test_floors_import_downwards_only(floor, above):
    upward = {
        (module_of(path), name)
        for path in sources(floor)
        for name in imported(path)
        if name.split(".")[0] in above
    }
    assert not upward


def test_nouns_import_downwards_only():
    upward = []
    for path in sources("gridmgr"):
        own = noun(module_of(path))
        for name in filter(None, map(noun, imported(path))):
            if own and name in ORDER and name != own and ORDER.index(name) < ORDER.index(own):
                upward.append((module_of(path), name))
    assert not upward


def test_every_noun_has_its_place_in_the_order():
    present = {noun(module_of(path)) for path in sources("gridmgr")} - {None}
    assert present == set(ORDER)


def test_no_module_imports_itself_in_a_circle():
    modules = {module_of(path): path for floor in FLOORS for path in sources(floor)}
    graph = {
        name: {dep for dep in imported(path) if dep in modules and dep != name}
        for name, path in modules.items()
    }
    assert len(list(TopologicalSorter(graph).static_order())) == len(graph)


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("fastapi", {"web"}),
        ("starlette", {"web"}),
        ("folium", {"gis.maps"}),
        ("branca", {"gis.maps"}),
        ("sqlalchemy", {"gridmgr", "web.deps", "web.api", "web.pages", "web.interop", "web.login"}),
        ("typer", {"gridmgr.cli"}),
        ("procrastinate", {"gridmgr.worker"}),
        ("httpx", {"gridmgr.post"}),
        ("smtplib", {"gridmgr.post"}),
        ("weasyprint", {"gridmgr.paper"}),
        ("matplotlib", {"gis.pictures"}),
    ],
)
def test_a_library_is_known_only_where_it_belongs(library, allowed):
    users = {
        module_of(path)
        for floor in FLOORS
        for path in sources(floor)
        if any(name.split(".")[0] == library for name in imported(path))
    }
    strangers = {
        user for user in users if not any(user == home or user.startswith(home + ".") for home in allowed)
    }
    assert not strangers


def test_only_the_transaction_helper_commits():
    commits = {
        module_of(path)
        for floor in FLOORS
        for path in sources(floor)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
    }
    assert commits == {"gridmgr.db"}


def test_only_the_clock_reads_the_time_of_day():
    readers = set()
    for floor in ("gridmgr", "web"):
        for path in sources(floor):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and node.attr in ("now", "utcnow", "today")
                    and isinstance(node.value, ast.Name)
                    and node.value.id in ("datetime", "date")
                ):
                    readers.add(module_of(path))
    assert readers == {"gridmgr.clock"}


def test_a_noun_has_at_most_four_files():
    usual = {"__init__.py", "model.py", "rules.py", "service.py", "queries.py"}
    for folder in sorted((ROOT / "gridmgr").iterdir()):
        if (
            folder.is_dir()
            and (folder / "__init__.py").exists()
            and folder.name not in ("cli", "simulation", "words")
        ):
            assert {path.name for path in folder.glob("*.py")} <= usual, folder.name


def test_rules_know_no_session_and_no_clock_of_their_own():
    for path in (ROOT / "gridmgr").glob("*/rules.py"):
        names = imported(path)
        assert not any(name.startswith(("sqlalchemy.orm", "gridmgr.db")) for name in names), path
        assert "gridmgr.clock.now" not in names, path


def test_files_stay_small_enough_to_read():
    long = {
        module_of(path): count
        for floor in FLOORS
        for path in sources(floor)
        if (count := len(path.read_text("utf-8").splitlines())) > 420
    }
    assert not long


def test_no_two_files_of_tests_share_a_name():
    names = [path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))  # pytest would take the second for the first
