"""Pages made of local files: every link has one, and a script stays inside its element."""

import doctest

import pytest

from gis import offline
from web import vendor


def test_a_script_cannot_end_early_in_a_file(tmp_path):
    (tmp_path / "a.js").write_text('x = "</script><!-- </SCRIPT>"')
    parts = offline.MapParts((), ("a.js",), "", "", "map", "/static/")
    page = offline.standalone(parts, tmp_path)
    assert page.lower().count("</script") == 2 and "<!--" not in page


def test_a_missing_browser_file_says_how_to_get_it(tmp_path):
    parts = offline.MapParts((), ("vendor/leaflet/dist/leaflet.js",), "", "", "map", "/static/")
    with pytest.raises(offline.MissingAsset, match="npm ci"):
        offline.standalone(parts, tmp_path)


def test_every_file_of_the_table_is_copied_or_ours():
    copied = {f"vendor/{package}/{file}" for package, files in vendor.FILES.items() for file in files}
    assert {path for path in offline.ASSETS.values() if path} <= copied | {"map.js", "points.js", "map.css"}


def test_data_cannot_end_its_element():
    text = offline.inert_json({"name": "</script><!--<script>"})
    assert "<" not in text


def test_an_asset_that_is_not_in_the_table_is_refused():
    with pytest.raises(offline.UnknownAsset, match="new-plugin"):
        offline.local("https://cdn.example/new-plugin.js")


def test_the_examples_run():
    assert doctest.testmod(offline).failed == 0
