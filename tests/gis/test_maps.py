"""Maps in a real Chromium: nothing from off our origin, and every name is text, whatever it says."""

import doctest
import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import folium
import geopandas as gpd
import numpy as np
import pytest
import shapely
from playwright.sync_api import Browser, Page, sync_playwright

from gis import drawing, maps, offline, palette, thematic
from gis.drawing import Choropleth, Class, Fill, Points, TileLayer, Words
from web import vendor

pytestmark = pytest.mark.browser

STATIC = Path(vendor.__file__).parent / "static"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NASTY = [
    "<script>window.hacked=1</script>",
    "<img src=x onerror=window.hacked=1>",
    "${window.hacked=1}",
    "</script><script>window.hacked=1</script>",
    "{{ 7*7 }}{% raw %}{#",
    "'\"`\\ & 九堡",
]
WORDS = Words("放大", "缩小", "全屏", "退出全屏", "图层", "图例", "打开", "编码", "编号", "状态", "类别")
STATES = {state: f"state {state}" for state in palette.STATUS}
BOX = (120.0, 30.0, 120.06, 30.06)
POLICY = (
    "default-src 'none'; script-src 'nonce-once'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'"
)


def varint(number: int) -> bytes:
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


def chunk(field: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(field << 3) + varint(value)
    return varint(field << 3 | 2) + varint(len(value)) + value


def tile(layer: str, code: str, name: str) -> bytes:
    """A vector tile wholly covered by one unit."""

    def zigzag(number: int) -> int:
        return number << 1 ^ number >> 31

    square = [9, zigzag(0), zigzag(0), 26, *map(zigzag, (4096, 0, 0, 4096, -4096, 0)), 15]
    feature = (
        chunk(2, bytes([0, 0, 1, 1])) + chunk(3, 3) + chunk(4, b"".join(varint(number) for number in square))
    )
    keys = chunk(3, b"code") + chunk(3, b"name")
    values = chunk(4, chunk(1, code.encode())) + chunk(4, chunk(1, name.encode()))
    return chunk(
        3, chunk(15, 2) + chunk(1, layer.encode()) + chunk(2, feature) + keys + values + chunk(5, 4096)
    )


class Site(SimpleHTTPRequestHandler):
    """A server with the strictest policy: our static files, and whatever page a test puts up."""

    pages: ClassVar[dict[str, tuple[str, bytes]]] = {}

    def do_GET(self):
        path = self.path.split("?")[0]
        found = self.pages.get(path) or next(
            (
                page
                for prefix, page in self.pages.items()
                if prefix.endswith("*") and path.startswith(prefix[:-1])
            ),
            None,
        )
        if not found:
            self.path = path.removeprefix("/static")
            return super().do_GET()
        kind, content = found
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        """Tests print only what failed."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Site, directory=STATIC))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not (STATIC / "vendor").exists():
        vendor.copy()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page whose every request stays at home and whose every script runs without a complaint."""
    page = browser.new_page(viewport={"width": 1000, "height": 700})
    faults = []
    page.on("request", lambda request: faults.append(request.url) if outside(request.url) else None)
    page.on("requestfailed", lambda request: faults.append(f"failed {request.url}"))
    page.on(
        "response",
        lambda answer: faults.append(f"{answer.status} {answer.url}") if answer.status >= 400 else None,
    )
    page.on("pageerror", lambda error: faults.append(error.stack or str(error)))
    page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
    yield page
    assert page.evaluate("window.hacked") is None
    page.close()
    assert faults == []


def outside(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "file:", "data:"))


def put_up(site: str, chart: folium.Map, **pages: tuple[str, bytes]) -> str:
    """Serve a map inside a page with a nonce, as our templates do."""
    parts = maps.parts(chart)
    html = (
        '<!DOCTYPE html><html><head><meta charset="utf-8"><link rel="icon" href="data:,">'
        f'<link rel="stylesheet" href="/page.css">{parts.head("once")}</head>'
        f"<body>{parts.body}{parts.foot('once')}</body></html>"
    )
    Site.pages = {
        "/map": ("text/html; charset=utf-8", html.encode()),
        "/page.css": ("text/css", b"body { margin: 0; height: 100vh }"),
        **pages,
    }
    return f"{site}/map"


def grids(side: int = 3) -> gpd.GeoDataFrame:
    """Square micro-grids with names that try to be more than names."""
    cells = [
        shapely.box(120 + x / 50, 30 + y / 50, 120 + (x + 1) / 50, 30 + (y + 1) / 50)
        for y in range(side)
        for x in range(side)
    ]
    names = [NASTY[i % len(NASTY)] for i in range(len(cells))]
    return gpd.GeoDataFrame(
        {
            "code": [f"{i:03}" for i in range(len(cells))],
            "name": names,
            "klass": np.arange(len(cells)) % 7 - 3,
        },
        geometry=cells,
        crs=4326,
    )


def reports() -> list[list]:
    """One incident of each state, in a row, with a title that tries to be more than a title."""
    return [
        [
            i,
            f"N{i} {NASTY[i % 6]}",
            120.005 + i / 200,
            30.03,
            state,
            NASTY[(i + 1) % 6],
            NASTY[(i + 2) % 6],
            f"/incidents/{i}",
        ]
        for i, state in enumerate(STATES)
    ]


def hotspots() -> Choropleth:
    return Choropleth(
        "klass",
        f"热点 {NASTY[0]}",
        [Class(value, colour, f"class {value} {NASTY[1]}") for value, colour in palette.HOTSPOT.items()],
    )


def shown_card(page: Page) -> str:
    return page.locator(".leaflet-popup-content").inner_text()


def test_a_file_opens_from_disk_without_network_and_says_what_it_shows(page, tmp_path):
    points = Points("事件", STATES, items=reports())
    chart = thematic.value_map(grids(), [hotspots()], points=points, words=WORDS)
    file = tmp_path / "map.html"
    file.write_text(offline.standalone(maps.parts(chart), STATIC, title="<b>热点</b>", language="zh-CN"))
    page.context.set_offline(True)

    page.goto(file.as_uri())

    assert page.title() == "<b>热点</b>"
    assert page.locator(".map-legend-row").count() == 7 + len(STATES)
    page.wait_for_selector(".map-sign[role=button], .map-cluster")
    assert page.locator(".leaflet-control-zoom-in").get_attribute("title") == "放大"
    assert page.locator(".leaflet-control-layers-toggle").get_attribute("title") == "图层"
    page.context.set_offline(False)


def test_a_nasty_name_of_a_grid_is_shown_as_text(page, site):
    units = grids()
    page.goto(put_up(site, thematic.value_map(units, [hotspots()], words=WORDS)))

    for unit in units.iloc[:6].itertuples():
        at = page.evaluate(
            "([lon, lat]) => { gridmgr.map.closePopup().setView([lat, lon], 13, { animate: false });"
            " return gridmgr.map.latLngToContainerPoint([lat, lon]); }",
            unit.geometry.centroid.coords[0],
        )
        page.mouse.click(at["x"], at["y"])
        assert unit.name in shown_card(page)
        assert unit.code in shown_card(page)


def test_nasty_incidents_and_states_are_shown_as_text(page, site):
    labels = {state: NASTY[i % 6] for i, state in enumerate(STATES)}
    items = [item for item in reports() if item[0] == 3]
    chart = maps.tile_map([], BOX, words=WORDS, incidents=Points(NASTY[1], labels, items=items))
    page.goto(put_up(site, chart))

    page.locator(".leaflet-marker-icon").click()

    card = shown_card(page)
    assert all(text in card for text in (NASTY[3], NASTY[4], NASTY[5], "N3"))
    assert page.locator(".leaflet-popup-content a").get_attribute("href") == "/incidents/3"


def test_a_card_links_only_to_our_own_pages(page, site):
    links = [
        "/incidents/0",
        "javascript:window.hacked=1",
        "https://elsewhere.example",
        "//elsewhere.example",
        "",
    ]
    items = [[i, "N", 120.01, 30.01 + i / 100, "handling", "", "", link] for i, link in enumerate(links)]
    page.goto(put_up(site, maps.tile_map([], BOX, incidents=Points("", STATES, items=items))))

    linked = page.evaluate(
        "gridmgr.cluster.getLayers().map((mark) =>"
        " mark.getPopup().getContent()(mark).querySelector('a')?.getAttribute('href') ?? null)"
    )

    assert sorted(linked, key=str) == sorted([links[0], None, None, None, None], key=str)


def test_nasty_titles_of_layers_are_shown_as_text(page, site):
    tiles = [TileLayer("street", title, f"/tiles/{i}/{{z}}/{{x}}/{{y}}") for i, title in enumerate(NASTY)]
    pages = {"/tiles/*": ("application/x-protobuf", b"")}
    page.goto(put_up(site, maps.tile_map(tiles, BOX, words=WORDS, attribution=NASTY[1]), **pages))

    titles = page.locator(".leaflet-control-layers-overlays label").all_text_contents()

    assert [title.strip() for title in titles] == NASTY
    assert NASTY[1] in page.locator(".leaflet-control-attribution").inner_text()


def test_tiles_are_drawn_filled_by_class_and_answer_a_click(page, site):
    grid = TileLayer("micro_grid", "微网格", "/tiles/micro_grid/{z}/{x}/{y}.pbf", min_zoom=10, max_zoom=14)
    fills = {"micro_grid": Fill("/values", [Class(3, "#b2182b", "99 %")])}
    pages = {
        "/tiles/*": ("application/x-protobuf", tile("micro_grid", "330104001001001", NASTY[1])),
        "/values": ("application/json", b'{"values": {"330104001001001": 3}}'),
    }
    page.goto(put_up(site, maps.tile_map([grid], BOX, words=WORDS, fills=fills), **pages))
    page.wait_for_function("gridmgr.layers.micro_grid.coloured")
    page.wait_for_function(
        "() => [...document.querySelectorAll('canvas')].some((canvas) => {"
        " const dot = canvas.getContext('2d').getImageData(100, 100, 1, 1).data;"
        " return dot[0] > 150 && dot[1] < 90 && dot[3] > 100; })"
    )

    page.mouse.click(500, 350)

    assert NASTY[1] in shown_card(page) and "330104001001001" in shown_card(page)


def test_the_page_may_answer_a_click_on_a_grid_itself(page, site):
    grid = TileLayer("micro_grid", "微网格", "/tiles/{z}/{x}/{y}")
    pages = {"/tiles/*": ("application/x-protobuf", tile("micro_grid", "7", "seven"))}
    page.goto(put_up(site, maps.tile_map([grid], BOX), **pages))
    page.evaluate(
        "document.addEventListener('gridmgr:feature',"
        " (event) => { event.preventDefault();"
        " window.chosen = [event.detail.level, event.detail.properties.code]; })"
    )
    page.wait_for_load_state("networkidle")

    page.mouse.click(500, 350)

    assert page.evaluate("window.chosen") == ["micro_grid", "7"]
    assert page.locator(".leaflet-popup").count() == 0


def test_incidents_are_fetched_clustered_and_switched_by_state(page, site):
    items = [[i, f"N{i}", 120.03, 30.03, "handling" if i % 3 else "closed", "", ""] for i in range(300)]
    pages = {"/incidents.json": ("application/json", offline.inert_json({"items": items}).encode())}
    incidents = Points("事件", STATES, url="/incidents.json")
    page.goto(put_up(site, maps.tile_map([], BOX, incidents=incidents), **pages))
    ring = page.locator(".map-ring")
    page.wait_for_selector(".map-ring")

    assert ring.inner_text() == "300"
    assert ring.evaluate("node => node.style.background").count("deg") >= 3
    page.evaluate("gridmgr.show('closed', false)")
    page.wait_for_function("document.querySelector('.map-ring').innerText === '200'")
    page.evaluate("gridmgr.show('closed', true)")
    page.wait_for_function("document.querySelector('.map-ring').innerText === '300'")


def test_the_legend_switches_a_state_off(page, site):
    items = [item for item in reports() if item[4] in ("handling", "closed")]
    chart = thematic.value_map(grids(), [hotspots()], points=Points("事件", STATES, items=items), words=WORDS)
    page.goto(put_up(site, chart))
    page.wait_for_selector(".leaflet-marker-icon")

    page.locator("input[data-state=closed]").uncheck()

    assert page.locator(".leaflet-marker-icon").count() == 1
    assert (
        page.locator(".leaflet-marker-icon").get_attribute("data-shape") == palette.STATUS["handling"].shape
    )


def test_of_two_colourings_the_legend_explains_the_one_that_is_shown(page, site):
    counts = Choropleth(
        "count", "件数", [Class(0, palette.COUNTS[0], "0-9"), Class(1, palette.COUNTS[4], "10-")]
    )
    units = grids().assign(count=[0, 1, 0, 1, 0, 1, 0, 1, 0])
    page.goto(put_up(site, thematic.value_map(units, [hotspots(), counts], words=WORDS)))
    titles = page.locator(".map-legend h3:visible")

    assert titles.all_text_contents() == [f"热点 {NASTY[0]}"]
    page.locator(".leaflet-control-layers-toggle").hover(force=True)
    page.locator(".leaflet-control-layers-base label").nth(1).click()
    assert titles.all_text_contents() == ["件数"]


def test_a_click_on_the_report_map_chooses_a_place(page, site):
    page.goto(put_up(site, maps.pick_map([], BOX, words=WORDS)))
    page.evaluate("document.addEventListener('gridmgr:picked', ({ detail }) => { window.picked = detail; })")

    page.mouse.click(500, 350)

    picked = page.evaluate("window.picked")
    assert picked["lon"] == pytest.approx(120.03, abs=0.001) and picked["lat"] == pytest.approx(
        30.03, abs=0.001
    )
    assert page.locator(".map-sign[data-shape=pin]").count() == 1
    page.evaluate("gridmgr.pick(120.01, 30.01)")
    assert page.locator(".map-sign[data-shape=pin]").count() == 1


def test_the_place_of_an_incident_shows_the_units_that_hold_it(page, site):
    units = grids(1).assign(level="micro_grid")
    incident = Points("事件", STATES, items=reports()[:1])
    chart = thematic.place_map(
        120.005, 30.03, units, titles={"micro_grid": "微网格"}, incident=incident, words=WORDS
    )
    page.goto(put_up(site, chart))

    assert page.locator(".leaflet-marker-icon").count() == 1
    assert page.locator("path.leaflet-interactive").count() == 1


def test_faults_are_coloured_by_severity_and_told_as_text(page, site):
    gap = shapely.box(120.019, 30.019, 120.041, 30.041)
    findings = gpd.GeoDataFrame(
        {"severity": ["error", "warning", "error"], "text": [NASTY[1], NASTY[2], "no place"]},
        geometry=[gap, shapely.Point(120.005, 30.005), None],
        crs=4326,
    )
    chart = thematic.fault_map(
        findings,
        {"micro_grid": grids()},
        titles={"micro_grid": "微网格", "findings": "问题"},
        fields={"text": "问题"},
        severities={"error": "错误", "warning": "提示"},
        words=WORDS,
    )
    page.goto(put_up(site, chart))

    page.mouse.click(500, 350)

    assert NASTY[1] in shown_card(page)
    assert page.locator(".map-legend-row").all_text_contents() == ["错误", "提示"]


def test_what_folium_saves_by_itself_is_offline_too():
    page = maps.tile_map([TileLayer("street", "街道", "/t/{z}/{x}/{y}")], BOX).get_root().render()
    assert "://" not in page.replace("http://www.w3.org", "")


def test_a_layer_from_elsewhere_is_refused():
    chart = maps.tile_map([], BOX)
    folium.plugins.MiniMap(tile_layer=None).add_to(chart)
    with pytest.raises(offline.UnknownAsset, match=r"Control\.MiniMap"):
        maps.parts(chart)


def test_a_map_of_nothing_is_refused():
    nothing = gpd.GeoDataFrame({"code": [], "name": [], "klass": []}, geometry=[], crs=4326)
    with pytest.raises(drawing.NothingToDraw):
        thematic.value_map(nothing, [hotspots()])


@pytest.mark.parametrize("module", [maps, thematic])
def test_the_examples_run(module):
    assert doctest.testmod(module).failed == 0
