"""Map pages without the internet: which local file stands for each CDN link, and pages made of them.

`MapParts` is what a rendered map hands over: a template lays it into a page with a nonce, `linked`
makes a plain page of it, and `standalone` one file that opens without any server.
"""

import base64
import json
import mimetypes
import re
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from gis.errors import Problem

# File name at the end of a CDN link → our file below the static folder; None where we go without.
ASSETS: dict[str, str | None] = {
    "leaflet.js": "vendor/leaflet/dist/leaflet.js",
    "leaflet.css": "vendor/leaflet/dist/leaflet.css",
    "leaflet.markercluster.js": "vendor/leaflet.markercluster/dist/leaflet.markercluster.js",
    "MarkerCluster.css": "vendor/leaflet.markercluster/dist/MarkerCluster.css",
    "Leaflet.VectorGrid.bundled.js": "vendor/leaflet.vectorgrid/dist/Leaflet.VectorGrid.bundled.min.js",
    "Control.FullScreen.min.js": "vendor/leaflet.fullscreen/Control.FullScreen.js",
    "Control.FullScreen.css": "vendor/leaflet.fullscreen/Control.FullScreen.css",
    "gridmgr:map.js": "map.js",
    "gridmgr:points.js": "points.js",
    "gridmgr:map.css": "map.css",
    "MarkerCluster.Default.css": None,  # our clusters are rings of their states
    "jquery-3.7.1.min.js": None,  # only for folium's Popup, which runs the HTML in its text
    "bootstrap.bundle.min.js": None,
    "bootstrap.min.css": None,
    "bootstrap-glyphicons.css": None,
    "all.min.css": None,  # fonts of icons: our signs are drawn by style sheet
    "leaflet.awesome-markers.js": None,
    "leaflet.awesome-markers.css": None,
    "leaflet.awesome.rotate.min.css": None,
}

DATA = '<script type="application/json" id="map-data">'  # how the inert data beside a map begins

URL = re.compile(r"""url\(\s*["']?(?!data:|#)([^"')]+)["']?\s*\)""")


class UnknownAsset(Problem):
    """The map asks for {url}, for which gis.offline.ASSETS names no local file."""


class MissingAsset(Problem):
    """{file} is not in {folder}; run: npm ci --ignore-scripts && python -m web.vendor"""


@dataclass(frozen=True)
class MapParts:
    """A rendered map in the pieces a page with a content security policy needs."""

    stylesheets: tuple[str, ...]  #: paths below `base`, in the order they load
    scripts: tuple[str, ...]  #: paths below `base`, in the order they load
    body: str  #: the map's element and its data as inert JSON
    script: str  #: the one inline script, to be given the page's nonce, after `body`
    name: str  #: id of the map's element and name of its JavaScript variable
    base: str  #: where the static files are served, such as "/static/"

    def head(self, nonce: str = "") -> str:
        """Markup that loads the style sheets and scripts."""
        sheets = (f'<link rel="stylesheet" href="{escape(self.base + path)}">' for path in self.stylesheets)
        scripts = (
            f'<script{_nonce(nonce)} src="{escape(self.base + path)}"></script>' for path in self.scripts
        )
        return "\n".join([*sheets, *scripts])

    def beside(self) -> "MapParts":
        """The same map for a page that holds another one already, whose files and data it uses."""
        return replace(self, stylesheets=(), scripts=(), body=self.body.partition(DATA)[0])

    def foot(self, nonce: str = "") -> str:
        """Markup that starts the map; it follows `body`."""
        return f"<script{_nonce(nonce)}>{self.script}</script>"


def local(url: str) -> str | None:
    """Name the local file that stands for a CDN link.

    Parameters
    ----------
    url : str
        The link that folium would write into the page.

    Returns
    -------
    str or None
        Path below the static folder; None where the page goes without.

    Raises
    ------
    UnknownAsset
        The table doesn't know the file, so the page would reach for the internet.

    Examples
    --------
    >>> local("https://cdn.example/npm/leaflet@1.9.3/dist/leaflet.js")
    'vendor/leaflet/dist/leaflet.js'
    """
    try:
        return ASSETS[url.rsplit("/", 1)[-1]]
    except KeyError:
        raise UnknownAsset(url=url) from None


def inert_json(value: object) -> str:
    """Write data as JSON that no HTML parser reads as anything but text.

    Parameters
    ----------
    value : object
        Anything `json.dumps` writes; NaN is refused.

    Returns
    -------
    str

    Examples
    --------
    >>> inert_json({"name": "</script>"})
    '{"name":"\\\\u003c/script>"}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace(
        "<", "\\u003c"
    )


def linked(parts: MapParts, title: str = "", language: str = "") -> str:
    """Make a page of a map that loads its files from our own server.

    Parameters
    ----------
    parts : MapParts
        The rendered map.
    title, language : str
        Title of the page and its language tag, such as "zh-CN".

    Returns
    -------
    str
    """
    return _page(parts.head(), parts.body, parts.foot(), title, language)


def standalone(parts: MapParts, static: Path, title: str = "", language: str = "") -> str:
    """Make one HTML file of a map that opens from a disk, without server or network.

    Parameters
    ----------
    parts : MapParts
        The rendered map.
    static : Path
        The folder that is served as `parts.base`.
    title, language : str
        Title of the page and its language tag, such as "zh-CN".

    Returns
    -------
    str

    Raises
    ------
    MissingAsset
        A file is not in the folder: the browser files were not copied yet.

    Notes
    -----
    Pictures named by a style sheet become data URIs. `</script` and `<!--` inside a script are broken
    up, since they would end it early.
    """
    sheets = (f"<style>{_style(static, path)}</style>" for path in parts.stylesheets)
    scripts = (f"<script>{_code(_read(static, path).decode())}</script>" for path in parts.scripts)
    foot = f"<script>{_code(parts.script)}</script>"
    return _page("\n".join([*sheets, *scripts]), parts.body, foot, title, language)


def _page(head: str, body: str, foot: str, title: str, language: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<title>{escape(title)}</title>\n<link rel="icon" href="data:,">\n{head}\n</head>\n'
        f'<body class="map-page">\n{body}\n{foot}\n</body>\n</html>\n'
    )


def _nonce(nonce: str) -> str:
    return f' nonce="{escape(nonce)}"' if nonce else ""


def _read(static: Path, path: str) -> bytes:
    try:
        return (static / path).read_bytes()
    except FileNotFoundError:
        raise MissingAsset(file=path, folder=static) from None


def _style(static: Path, path: str) -> str:
    folder = Path(path).parent
    css = URL.sub(
        lambda url: f"url({_data_uri(static, (folder / url[1]).as_posix())})", _read(static, path).decode()
    )
    return css.replace("</", "<\\/")


def _data_uri(static: Path, path: str) -> str:
    kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return f"data:{kind};base64,{base64.b64encode(_read(static, path)).decode()}"


def _code(script: str) -> str:
    return re.sub(r"<(/script|!--)", r"\\x3c\1", script, flags=re.IGNORECASE)
