"""The browser files we serve: all there, all pinned, none of them calling home."""

import json
from pathlib import Path

import pytest

from web import vendor

ROOT = Path(vendor.__file__).resolve().parent.parent


def packages(folder: Path) -> Path:
    """A node_modules with every allowed file, each saying its own name."""
    for package, files in vendor.FILES.items():
        for file in files:
            path = folder / package / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"/* {file} */")
    return folder


def test_every_allowed_file_arrives_and_nothing_else(tmp_path):
    source = packages(tmp_path / "node_modules")
    (source / "leaflet/dist/leaflet-src.js").write_text("// not asked for")
    target = tmp_path / "vendor"
    (target / "old").mkdir(parents=True)
    (target / "old/stale.js").write_text("// of a version before")

    copied = vendor.copy(source, target)

    assert {path for path in target.rglob("*") if path.is_file()} == set(copied)
    assert (target / "leaflet/dist/leaflet.js").read_text() == "/* dist/leaflet.js */"
    assert not (target / "old").exists()


def test_a_missing_package_names_the_command_and_leaves_the_old_copy(tmp_path):
    source = packages(tmp_path / "node_modules")
    target = tmp_path / "vendor"
    vendor.copy(source, target)
    (source / "htmx.org/dist/htmx.min.js").unlink()

    with pytest.raises(vendor.PackageMissing, match=r"htmx.*npm ci --ignore-scripts"):
        vendor.copy(source, target)

    assert (target / "htmx.org/dist/htmx.min.js").exists()


@pytest.mark.parametrize(
    "css",
    [
        "a { background: url(https://cdn.example/x.png) }",
        "a { background: url( '//cdn.example/x.png' ) }",
        '@import "https://cdn.example/x.css";',
        '@import url("http://cdn.example/x.css");',
    ],
)
def test_a_style_sheet_that_leaves_our_origin_is_refused(css, tmp_path):
    source = packages(tmp_path / "node_modules")
    (source / "leaflet/dist/leaflet.css").write_text(css)

    with pytest.raises(vendor.LeavesOrigin, match=r"leaflet\.css loads (https?:)?//cdn\.example"):
        vendor.copy(source, tmp_path / "vendor")


def test_a_style_sheet_pointing_at_a_file_left_behind_is_refused(tmp_path):
    source = packages(tmp_path / "node_modules")
    (source / "leaflet/dist/leaflet.css").write_text("a { background: url(images/new.png) }")

    with pytest.raises(vendor.DanglingUrl, match=r"images/new\.png"):
        vendor.copy(source, tmp_path / "vendor")


def test_pictures_inside_the_sheet_and_beside_it_are_fine():
    wanted = ["p/dist/x.css", "p/dist/images/a.png"]
    vendor.check(
        "p/dist/x.css",
        "a { background: url(\"data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>\") }"
        "b { background: url(images/a.png?v=2); behavior: url(#default#VML) }",
        wanted,
    )


def test_versions_are_exact_and_the_lock_names_no_registry():
    package = json.loads((ROOT / "package.json").read_text())
    lock = json.loads((ROOT / "package-lock.json").read_text())
    pinned = package["dependencies"] | package["devDependencies"]

    assert all(version.replace(".", "").isdigit() for version in pinned.values())
    assert {name: lock["packages"][f"node_modules/{name}"]["version"] for name in pinned} == pinned
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    assert set(vendor.FILES) == set(package["dependencies"])
