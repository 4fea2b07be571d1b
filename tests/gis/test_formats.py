"""Maps as offices hand them over: any format, any encoding, and every way of being broken."""

import json
import struct
import zipfile

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gis import archive, formats
from gis.crs import MissingCrs, UnknownCrs, to_storage
from gis.encoding import Mojibake, UnknownEncoding, WrongEncodingLabel, canonical, detect
from gis.shapefile import CutTexts, ShortenedFields, ShortenedNames, Unencodable

NAMES = ["河坊街社区", "清波门", "吴山廣場", "Café 西湖", "鼓楼", None]


@pytest.fixture
def city():
    squares = [shapely.box(120 + i / 100, 30, 120 + i / 100 + 0.01, 30.01) for i in range(len(NAMES))]
    frame = gpd.GeoDataFrame({"name": NAMES, "households": range(len(NAMES))}, geometry=squares, crs=4326)
    return frame


def texts(column):
    return [value if isinstance(value, str) else None for value in column]


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "zip", "fgb", "parquet", "kml"])
def test_a_layer_comes_back_from_every_format_as_it_went(city, tmp_path, suffix):
    formats.write_layer(city, tmp_path / f"city.{suffix}")
    read = formats.read_layer(tmp_path / f"city.{suffix}")
    came = read.frame.sort_values("households", key=lambda c: c.astype(int))
    assert texts(came["name"]) == NAMES
    assert np.allclose(came.bounds, city.bounds, rtol=0, atol=1e-12)
    assert read.frame.crs == "EPSG:4326" and "河坊街社区" in read.preview
    assert not [w for w in read.warnings if not isinstance(w, formats.DroppedHeights)]
    assert formats.layers(tmp_path / f"city.{suffix}") == [read.layer] == ["city"]


@pytest.mark.parametrize("suffix", ["gpkg", "geojson", "shp", "zip", "fgb", "parquet", "kml"])
def test_the_content_decides_whatever_the_file_is_called(city, tmp_path, suffix):
    formats.write_layer(city, tmp_path / f"city.{suffix}")
    kind = formats.kind_of(tmp_path / f"city.{suffix}")
    if suffix == "shp":
        return
    (tmp_path / f"city.{suffix}").rename(tmp_path / "renamed.txt")
    assert formats.kind_of(tmp_path / "renamed.txt") == kind
    assert len(formats.read_layer(tmp_path / "renamed.txt").frame) == len(city)


@pytest.mark.parametrize("encoding", ["GBK", "GB18030", "UTF-8"])
@pytest.mark.parametrize("suffix", ["shp", "zip"])
@pytest.mark.parametrize("cpg", [True, False])
def test_names_survive_a_shapefile_of_any_encoding(city, tmp_path, encoding, suffix, cpg):
    plain = city.replace({"Café 西湖": "西湖"})
    formats.write_layer(plain, tmp_path / f"city.{suffix}", encoding=encoding, cpg=cpg)
    if suffix == "shp":
        assert (tmp_path / "city.cpg").exists() == cpg
    read = formats.read_layer(tmp_path / f"city.{suffix}")
    assert texts(read.frame["name"]) == texts(plain["name"]) and read.warnings == []
    assert read.encoding == canonical(encoding)


@pytest.mark.parametrize(
    "true, label", [("GBK", "UTF-8"), ("GBK", "ISO-8859-1"), ("UTF-8", "GBK"), ("GBK", "1252")]
)
def test_a_label_that_lies_is_noticed(city, tmp_path, true, label):
    plain = city.replace({"Café 西湖": "西湖"})
    formats.write_layer(plain.drop(index=2), tmp_path / "city.shp", encoding=true)
    (tmp_path / "city.cpg").write_text(label)
    read = formats.read_layer(tmp_path / "city.shp")
    assert read.frame["name"][0] == "河坊街社区"
    assert [type(w) for w in read.warnings] == [WrongEncodingLabel]
    assert label in str(read.warnings[0]) and canonical(true) in str(read.warnings[0])


def test_an_honest_western_label_is_believed(tmp_path, city):
    cafes = city.iloc[:2].assign(name=["Café à côté", "Straße"])
    formats.write_layer(cafes, tmp_path / "city.shp", encoding="ISO-8859-1")
    read = formats.read_layer(tmp_path / "city.shp")
    assert read.frame["name"].tolist() == ["Café à côté", "Straße"] and read.warnings == []


def test_a_traditional_label_is_believed(tmp_path, city):
    formats.write_layer(city.iloc[:2].assign(name=["臺北市", "廣場"]), tmp_path / "city.shp", encoding="BIG5")
    assert formats.read_layer(tmp_path / "city.shp").frame["name"].tolist() == ["臺北市", "廣場"]


def test_the_reader_may_name_the_encoding_and_nonsense_is_refused(city, tmp_path):
    formats.write_layer(city.replace({"Café 西湖": "西湖"}), tmp_path / "city.shp", encoding="GBK", cpg=False)
    assert formats.read_layer(tmp_path / "city.shp", encoding="GBK").encoding == "gb18030"
    forced = formats.read_layer(tmp_path / "city.shp", encoding="UTF-8")
    assert any(isinstance(w, Mojibake) and w.details["field"] == "name" for w in forced.warnings)
    with pytest.raises(UnknownEncoding, match="klingon"):
        formats.read_layer(tmp_path / "city.shp", encoding="klingon")


@pytest.mark.parametrize("word", ["杭州", "联通", "鲁", "目录", "西湖区河坊街一号", "𠮷田"])
@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_a_single_word_is_enough_to_tell(word, encoding):
    assert detect([word.encode(encoding)]) == encoding


def test_a_character_cut_by_the_field_is_not_an_encoding_error():
    assert detect(["杭州西湖".encode()[:-1]]) == "utf-8"
    assert detect(["杭州西湖".encode("gbk")[:-1]]) == "gb18030"


def test_geojson_and_kml_in_gbk_are_read(city, tmp_path):
    for suffix in ("geojson", "kml"):
        path = tmp_path / f"city.{suffix}"
        formats.write_layer(city.iloc[:3], path)
        text = path.read_text("utf-8").replace('encoding="UTF-8"', 'encoding="GBK"')
        path.write_bytes(text.encode("gbk"))
        read = formats.read_layer(path)
        assert texts(read.frame["name"]) == NAMES[:3] and read.encoding == "gb18030"
    path.write_bytes(b"\xef\xbb\xbf" + text.replace("GBK", "UTF-8").encode())
    assert texts(formats.read_layer(path).frame["name"]) == NAMES[:3]


@pytest.mark.parametrize(
    "ruin",
    [
        "锟斤拷路",
        "西\ufffd湖",
        "烫烫烫",
        "º¼ÖÝÎ÷ºþ",
        "æ\x9d\xadå·\x9e",
        "杭州西湖".encode().decode("gb18030"),
    ],
)
def test_names_beyond_repair_are_reported_with_row_and_field(city, tmp_path, ruin):
    city.loc[4, "name"] = ruin
    formats.write_layer(city, tmp_path / "city.gpkg")
    (problem,) = formats.read_layer(tmp_path / "city.gpkg").warnings
    assert isinstance(problem, Mojibake)
    assert problem.details == {"field": "name", "count": 1, "row": 5, "text": ruin}


def test_long_field_names_are_told_when_cut_and_put_back_when_clear(city, tmp_path):
    city = city.assign(management_level=1, management_subject=2, 网格长联系电话="13800000000")
    written = formats.write_layer(city, tmp_path / "city.shp", encoding="GBK", cpg=False)
    assert written.shortened == {
        "management_level": "management",
        "management_subject": "manageme_1",
        "网格长联系电话": "网格长联系",
    }
    assert [type(w) for w in written.warnings] == [ShortenedNames]
    read = formats.read_layer(tmp_path / "city.shp")
    assert {"management", "manageme_1", "网格长联系"} < set(read.frame.columns)
    assert any(isinstance(w, ShortenedFields) and "网格长联系" in str(w) for w in read.warnings)
    read = formats.read_layer(tmp_path / "city.shp", fields=["management_level", "网格长联系电话"])
    assert {"management_level", "网格长联系电话"} < set(read.frame.columns)
    unclear = formats.read_layer(tmp_path / "city.shp", fields=["management_level", "management_subject"])
    assert "management" in unclear.frame.columns


def test_texts_a_shapefile_cannot_hold_are_told(city, tmp_path):
    city.loc[1, "name"] = "长" * 200
    told = formats.write_layer(city, tmp_path / "city.shp").warnings
    assert [(type(w), w.details["row"]) for w in told] == [(CutTexts, 2)]
    assert set(formats.read_layer(tmp_path / "city.shp").frame["name"][1]) == {"长"}
    with pytest.raises(Unencodable, match="Field name, row 2: 长"):
        formats.write_layer(city.iloc[[5, 1]], tmp_path / "other.shp", encoding="ISO-8859-1")


def test_a_layer_without_system_is_refused_unless_one_is_given(city, tmp_path):
    formats.write_layer(city, tmp_path / "city.shp")
    (tmp_path / "city.prj").unlink()
    with pytest.raises(MissingCrs, match=r"city\.shp"):
        formats.read_layer(tmp_path / "city.shp")
    assert formats.read_layer(tmp_path / "city.shp", crs=4490).frame.crs == 4490
    with pytest.raises(UnknownCrs):
        formats.read_layer(tmp_path / "city.shp", crs="EPSG:1")
    with pytest.raises(MissingCrs):
        formats.write_layer(city.set_crs(None, allow_override=True), tmp_path / "city.gpkg")


def test_a_survey_in_gauss_kruger_comes_home(city, tmp_path):
    formats.write_layer(city.to_crs(4528), tmp_path / "city.zip")
    read = formats.read_layer(tmp_path / "city.zip")
    assert read.frame.crs.is_projected
    assert np.allclose(to_storage(read.frame).bounds, city.bounds, rtol=0, atol=1e-9)


def test_geojson_without_a_system_is_wgs84(city, tmp_path):
    path = tmp_path / "city.geojson"
    formats.write_layer(city.to_crs(4528), path)
    content = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps({key: content[key] for key in ("type", "features")}))
    read = formats.read_layer(path)
    assert read.frame.crs == 4326 and read.frame.total_bounds[0] == pytest.approx(120)


@pytest.mark.parametrize("name", ["a.gpkg", "a.geojson", "a.zip", "a.shp", "a.kml"])
def test_an_empty_file_says_so(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(formats.EmptyFile, match=name):
        formats.read_layer(tmp_path / name)


@pytest.mark.parametrize(
    "content",
    [
        b"hello",
        b"%PDF-1.7",
        b"MZ\x90\x00",
        b"{",
        b'{"type":"FeatureCollection","features":[{]}',
        b'{"a": 1}',
        b"SQLite format 3\0" + bytes(52) + b"GPKG" + bytes(80),
        b"SQLite format 3\0" + bytes(200),
        b"fgb\x03fgb\x01zz",
        b"PAR1 and no more",
        b"\x00\x00\x27\x0a" + bytes(96),
        b"<?xml version='1.0'?><gpx/>",
        b"<?xml version='1.0'?><kml",
        b"PK\x03\x04 and no more",
        zipfile.sizeEndCentDir * b"\0",
    ],
)
def test_what_is_no_map_is_refused_in_words(tmp_path, content):
    (tmp_path / "a.gpkg").write_bytes(content)
    for use in (formats.read_layer, formats.layers):
        if use is formats.layers and content[:1] in b"{\x00fP":
            continue
        with pytest.raises(
            (formats.UnreadableFile, formats.EmptyFile, archive.BrokenArchive), match=r"a\.gpkg"
        ):
            use(tmp_path / "a.gpkg")
    with pytest.raises(formats.UnreadableFile, match="no such file"):
        formats.layers(tmp_path / "absent.gpkg")


def test_a_table_without_geometry_is_no_layer(city, tmp_path):
    city.drop(columns="geometry").to_parquet(tmp_path / "city.parquet")
    with pytest.raises(formats.UnreadableFile):
        formats.read_layer(tmp_path / "city.parquet")


def test_a_wrong_layer_lists_those_there_are(city, tmp_path):
    for layer in ("street", "community"):
        formats.write_layer(city, tmp_path / "city.gpkg", layer=layer)
    assert formats.layers(tmp_path / "city.gpkg") == ["street", "community"]
    with pytest.raises(formats.WrongLayer, match="no layer building; it has street, community"):
        formats.read_layer(tmp_path / "city.gpkg", "building")
    with pytest.raises(formats.UnnamedLayer, match="street, community"):
        formats.read_layer(tmp_path / "city.gpkg")
    assert formats.read_layer(tmp_path / "city.gpkg", "community").layer == "community"


def test_a_layer_without_rows_says_so(city, tmp_path):
    formats.write_layer(city.iloc[:0], tmp_path / "city.gpkg")
    with pytest.raises(formats.EmptyLayer, match="city"):
        formats.read_layer(tmp_path / "city.gpkg")


def test_a_folder_and_a_zip_may_hold_several_layers(city, tmp_path):
    folder = tmp_path / "map"
    folder.mkdir()
    for layer in ("街道", "社区"):
        formats.write_layer(city, folder / f"{layer}.shp", encoding="GB18030", cpg=False)
    (folder / "readme.txt").write_text("四级网格")
    assert formats.layers(folder) == ["社区", "街道"]
    with zipfile.ZipFile(tmp_path / "map.zip", "w") as zipped:
        for file in folder.iterdir():
            zipped.write(file, "PPPP/" + file.name.replace("街道", "SSSS").replace("社区", "CCCC"))
    data = (tmp_path / "map.zip").read_bytes()
    for ascii_name, name in (("PPPP/", "图层/"), ("SSSS.", "街道."), ("CCCC.", "社区.")):
        data = data.replace(ascii_name.encode(), name.encode("gbk"))
    (tmp_path / "map.zip").write_bytes(data)  # as a Chinese Windows packs it: GBK names and no flag
    assert formats.layers(tmp_path / "map.zip") == ["社区", "街道"]
    assert texts(formats.read_layer(tmp_path / "map.zip", "社区").frame["name"]) == NAMES


def test_folders_of_a_kml_are_layers_and_its_data_are_fields(tmp_path):
    ring = (
        "<Polygon><outerBoundaryIs><LinearRing><coordinates>120,30,5 121,30,5 121,31,5 120,30,5</coordinates>"
    )
    ring += "</LinearRing></outerBoundaryIs></Polygon>"
    data = "<ExtendedData><Data name='code'><value>330102</value></Data></ExtendedData>"
    place = f"<Placemark><name>甲</name>{data}{ring}"
    folders = "".join(f"<Folder><name>{n}</name>{place}</Placemark></Folder>" for n in ("街道", "社区"))
    kml = f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{folders}'
    (tmp_path / "a.kml").write_text(kml + "</Document></kml>", "utf-8")
    assert formats.layers(tmp_path / "a.kml") == ["街道", "社区"]
    read = formats.read_layer(tmp_path / "a.kml", "社区")
    assert list(read.frame.columns) == ["name", "code", "geometry"]
    assert [type(w) for w in read.warnings] == [formats.DroppedHeights] and not read.frame.has_z.any()


def test_a_kml_that_expands_without_end_is_refused(tmp_path):
    bomb = '<!DOCTYPE kml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><kml><name>&b;</name></kml>'
    (tmp_path / "a.kml").write_text(bomb)
    with pytest.raises(formats.UnreadableFile, match="entities"):
        formats.layers(tmp_path / "a.kml")


@pytest.mark.parametrize(
    "stranger", [shapely.Point(120, 30), shapely.LineString([(120, 30), (121, 30)]), shapely.Polygon(), None]
)
def test_lines_and_points_are_not_polygons(city, stranger):
    assert formats.polygons_only(city) is city
    city.loc[3, "geometry"] = stranger
    with pytest.raises(formats.WrongGeometry) as caught:
        formats.polygons_only(city)
    assert caught.value.details["row"] == 4 and caught.value.details["count"] == 1


def test_mixed_kinds_and_heights_are_told(city, tmp_path):
    mixed = city.set_geometry(shapely.force_3d(city.geometry.array, 7), crs=4326)
    mixed.loc[1, "geometry"] = shapely.Point(120, 30, 7)
    formats.write_layer(mixed, tmp_path / "city.gpkg")
    read = formats.read_layer(tmp_path / "city.gpkg")
    assert [type(w) for w in read.warnings] == [formats.DroppedHeights, formats.MixedGeometry]
    assert read.warnings[0].details["count"] == len(city) and not read.frame.has_z.any()


def test_an_unknown_suffix_is_not_written(city, tmp_path):
    with pytest.raises(formats.UnknownSuffix, match=r"\.gpkg"):
        formats.write_layer(city, tmp_path / "city.dwg")


def packed(path, members, **changes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            for key, value in changes.items():
                setattr(info, key, value)
            zipped.writestr(info, content)
    return path


@pytest.mark.parametrize("name", ["../a.shp", "/etc/a.shp", "b/../../a.shp", "..\\a.shp", "C:\\a.shp"])
def test_members_that_leave_their_folder_are_refused(tmp_path, name):
    with pytest.raises(archive.UnsafeArchive, match="leaves its folder"):
        formats.layers(packed(tmp_path / "a.zip", {name: b"x"}))
    assert not (tmp_path.parent / "a.shp").exists()


def test_links_and_archives_in_archives_are_refused(tmp_path):
    with pytest.raises(archive.UnsafeArchive, match="not a plain file"):
        formats.layers(packed(tmp_path / "a.zip", {"a.shp": b"/etc/passwd"}, external_attr=0o120777 << 16))
    with pytest.raises(archive.UnsafeArchive, match="inside an archive"):
        formats.layers(packed(tmp_path / "a.zip", {"inner.zip": b"x"}))


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "_unpack", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(archive.TooLargeArchive, match="times"):
        formats.layers(packed(tmp_path / "a.zip", {"a.shp": bytes(30_000_000)}))
    with pytest.raises(archive.TooLargeArchive, match="2001 files"):
        formats.layers(packed(tmp_path / "a.zip", {f"{i}.shp": b"" for i in range(2001)}))
    monkeypatch.setattr(archive, "MAX_BYTES", 1000)
    with pytest.raises(archive.TooLargeArchive, match="bytes"):
        formats.layers(packed(tmp_path / "a.zip", {"a.shp": np.random.default_rng(1).bytes(2000)}))


def test_a_member_that_lies_about_its_size_is_refused(tmp_path):
    path = packed(tmp_path / "a.zip", {"a.shp": bytes(100_000)})
    honest = path.read_bytes()
    path.write_bytes(honest.replace(struct.pack("<L", 100_000), struct.pack("<L", 10)))
    with pytest.raises(archive.BrokenArchive, match="damaged"):
        formats.layers(path)


def test_a_zip_without_maps_says_so(tmp_path):
    with pytest.raises(formats.UnreadableFile, match="none of GeoPackage"):
        formats.layers(packed(tmp_path / "a.zip", {"readme.txt": b"hello"}))


@pytest.mark.city
def test_hangzhou_keeps_its_names_through_gbk_without_a_label(real_data, tmp_path):
    houses = formats.read_layer(real_data / "osm_buildings" / "hangzhou_buildings.geojson").frame
    assert len(houses) == 762
    formats.write_layer(houses[["name", "geometry"]], tmp_path / "h.shp", encoding="GBK", cpg=False)
    read = formats.read_layer(tmp_path / "h.shp")
    assert read.encoding == "gb18030" and not (tmp_path / "h.cpg").exists()
    assert texts(read.frame["name"]) == [name or None for name in texts(houses["name"])]
    assert sum(name is not None for name in texts(read.frame["name"])) == 249
