"""Copy the browser files we serve out of node_modules, so that no page asks the internet for one.

    npm ci --ignore-scripts --no-audit --no-fund
    python -m web.vendor

A file that is not in `FILES` is not served. Each keeps its path inside its package, so that what a
style sheet points to relatively still lies where it points.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from gis.errors import Problem

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ROOT / "node_modules"
VENDOR = ROOT / "web" / "static" / "vendor"

FILES: dict[str, tuple[str, ...]] = {
    "@geoman-io/leaflet-geoman-free": (
        "dist/leaflet-geoman.min.js",
        "dist/leaflet-geoman.css",
        "LICENSE",
    ),
    "@picocss/pico": ("css/pico.min.css", "LICENSE.md"),
    "echarts": ("dist/echarts.min.js", "LICENSE", "NOTICE"),
    "htmx.org": ("dist/htmx.min.js", "LICENSE"),
    "leaflet": (
        "dist/leaflet.js",
        "dist/leaflet.css",
        "dist/images/layers.png",
        "dist/images/layers-2x.png",
        "dist/images/marker-icon.png",
        "LICENSE",
    ),
    "leaflet.fullscreen": (
        "Control.FullScreen.js",
        "Control.FullScreen.css",
        "icon-fullscreen.svg",
        "LICENSE",
    ),
    "leaflet.markercluster": (
        "dist/leaflet.markercluster.js",
        "dist/MarkerCluster.css",
        "MIT-LICENCE.txt",
    ),
    "leaflet.vectorgrid": ("dist/Leaflet.VectorGrid.bundled.min.js",),
    "swagger-ui-dist": ("swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"),
}

# Whatever a style sheet loads from elsewhere: url(https:…), url(//…) and @import "https:…".
ABSOLUTE = re.compile(r"""(?:url\(\s*["']?|@import\s+["'])((?:https?:)?//[^"')\s]+)""", re.IGNORECASE)
RELATIVE = re.compile(r"""url\(\s*["']?(?!data:|#|%23|(?:https?:)?//)([^"')?#]+)""", re.IGNORECASE)


class PackageMissing(Problem):
    """{file} is not in {folder}; run: npm ci --ignore-scripts --no-audit --no-fund"""


class LeavesOrigin(Problem):
    """{file} loads {url}, which an intranet cannot reach."""


class DanglingUrl(Problem):
    """{file} points to {url}, which is not among the files to copy."""


def copy(packages: Path = PACKAGES, vendor: Path = VENDOR) -> list[Path]:
    """Lay the allowed files of `packages` afresh into `vendor` and return their paths there."""
    wanted = list(_wanted())
    for file in wanted:
        if not (packages / file).is_file():
            raise PackageMissing(file=file, folder=packages)
    for sheet in (file for file in wanted if file.endswith(".css")):
        check(sheet, (packages / sheet).read_text("utf-8"), wanted)
    shutil.rmtree(vendor, ignore_errors=True)
    for file in wanted:
        (vendor / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(packages / file, vendor / file)
    return [vendor / file for file in wanted]


def check(sheet: str, css: str, wanted: list[str]) -> None:
    """Refuse a style sheet that would load anything from off our origin or from a file we don't copy."""
    if leaves := ABSOLUTE.search(css):
        raise LeavesOrigin(file=sheet, url=leaves[1])
    for url in RELATIVE.findall(css):
        if (Path(sheet).parent / url).as_posix() not in wanted:
            raise DanglingUrl(file=sheet, url=url)


def _wanted() -> Iterator[str]:
    return (f"{package}/{file}" for package, files in FILES.items() for file in files)


if __name__ == "__main__":
    copied = copy()
    print(f"{len(copied)} files, {sum(path.stat().st_size for path in copied) / 1e6:.1f} MB -> {VENDOR}")
