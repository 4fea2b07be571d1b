"""Which encoding foreign text is in, and what of it cannot be read any more.

Offices hand over tables in GBK without saying so, or saying UTF-8. GB18030 contains GBK and GB 2312, so
it stands for all three. Bytes are judged strictly: UTF-8 hardly ever happens by accident, GB18030 often
does, so a declared western code page gives way only where the bytes pair up as everyday Chinese.
"""

import codecs
import re
from collections.abc import Iterable, Sequence

import charset_normalizer
import pandas as pd

from gis.errors import BadInput

_RUINS = re.compile(
    "�|锟斤|斤拷|烫烫|屯屯|锘|ï»¿|[ÃÂ][\x80-\xbf]|[åæçèéä][\x80-\xbf]|[\xa1-\xff]{4}|[\x80-\x9f\ue000-\uf8ff]"
)
_NAMES = {"gbk": "gb18030", "gb2312": "gb18030", "cp936": "gb18030", "utf_8": "utf-8", "utf_8_sig": "utf-8"}


class UnknownEncoding(BadInput):
    """The encoding {encoding} is not known; use auto, UTF-8 or GB18030."""


class WrongEncodingLabel(BadInput):
    """{source} says its text is {declared}, but it is {found}; it was read as {found}."""


class Mojibake(BadInput):
    """Field {field} has {count} garbled texts, first in row {row}: {text}."""


def canonical(encoding: str) -> str:
    """Return one name for an encoding however it is spelt, GBK and GB 2312 as their superset GB18030.

    Parameters
    ----------
    encoding : str
        As in a .cpg file or an option: ``"936"``, ``"GBK"``, ``"UTF-8"``, ``"ANSI 1252"``.

    Returns
    -------
    str

    Raises
    ------
    UnknownEncoding
        If no such encoding exists.

    Examples
    --------
    >>> canonical("936"), canonical("UTF8"), canonical("ANSI 1252")
    ('gb18030', 'utf-8', 'cp1252')
    """
    word = re.sub(r"^(ansi|oem|ibm|ms)?[ _-]?(?=\d{3,5}$)", "cp", encoding.strip().lower())
    word = {"cp65001": "utf-8", "cp54936": "gb18030", "cp88591": "latin-1"}.get(word, word)
    try:
        name = codecs.lookup(word).name
        "".encode(name)
    except (LookupError, ValueError) as error:
        raise UnknownEncoding(encoding=encoding) from error
    return _NAMES.get(name.replace("-", "_"), name)


def detect(samples: Sequence[bytes], declared: str | None = None) -> str:
    """Find the encoding that explains all bytes.

    Parameters
    ----------
    samples : sequence of bytes
        All texts of a table; a character cut at the end of a text is forgiven.
    declared : str, optional
        What the source says. It is believed where it can be true.

    Returns
    -------
    str
        ``"utf-8"``, ``"gb18030"`` or another codec's name. Pure ASCII is UTF-8.

    Notes
    -----
    UTF-8 comes first; a declared multi-byte encoding second; a declared single-byte one only where the
    bytes are not mostly pairs of GB 2312; then GB18030; then the statistics of charset-normalizer.

    Examples
    --------
    >>> detect(["杭州".encode("gbk")], declared="UTF-8")
    'gb18030'
    """
    texts = [text for text in dict.fromkeys(samples) if not text.isascii()]
    if not texts:
        return "utf-8"
    said = canonical(declared) if declared else None
    if _explains("utf-8", texts) and not _doubtful_utf8(texts):
        return "utf-8"
    chinese = _explains("gb18030", texts)
    if said and _explains(said, texts) and not (chinese and _single_byte(said) and _everyday(texts) > 0.5):
        return said
    if chinese:
        return "gb18030"
    best = charset_normalizer.from_bytes(b"\n".join(texts)).best()
    counts = {name: sum(_explains(name, [t]) for t in texts) for name in ("utf-8", "gb18030")}
    likely = max(counts, key=counts.get)
    return likely if counts[likely] > len(texts) / 2 or best is None else canonical(best.encoding)


def decode(text: bytes, encoding: str) -> str:
    """Decode one text, dropping a character cut in two by a field's width; the rest is never dropped.

    Parameters
    ----------
    text : bytes
    encoding : str

    Returns
    -------
    str
        With U+FFFD where bytes mean nothing.

    Examples
    --------
    >>> decode("杭州".encode("gbk")[:3], "gb18030")
    '杭'
    """
    return codecs.getincrementaldecoder(encoding)("replace").decode(text)


def mojibake(columns: Iterable[tuple[str, pd.Series]]) -> list[Mojibake]:
    """Name the fields whose texts are beyond repair.

    Parameters
    ----------
    columns : iterable of (name, Series)
        Such as ``frame.items()``; columns without text are passed over.

    Returns
    -------
    list of Mojibake
        One per field, with the first row (counted from 1) and how many there are.

    Notes
    -----
    Looked for: U+FFFD, its GBK ghost 锟斤拷, 烫烫 and 屯屯 of unset memory, UTF-8 read as Latin-1, GBK read
    as Latin-1, UTF-8 read as GBK, and private-use characters. A garbled field name counts as row 0.

    Examples
    --------
    >>> [str(p) for p in mojibake([("name", pd.Series(["西湖", "锟斤拷路"]))])]
    ['Field name has 1 garbled texts, first in row 2: 锟斤拷路.']
    """
    found = []
    for name, column in columns:
        if not (pd.api.types.is_string_dtype(column.dtype) or column.dtype == object):
            continue
        broken = [(row, text) for row, text in enumerate(column, 1) if _ruined(text)]
        if broken:
            found.append(Mojibake(field=name, count=len(broken), row=broken[0][0], text=broken[0][1][:40]))
        if _ruined(str(name)):
            found.append(Mojibake(field=name, count=1, row=0, text=name))
    return found


def as_utf8(content: bytes, encoding: str = "auto") -> tuple[str, str]:
    """Read a whole text file of unknown encoding.

    Parameters
    ----------
    content : bytes
    encoding : str
        ``"auto"`` or a name.

    Returns
    -------
    tuple of str
        The text without byte order mark, and the encoding it was in.

    Raises
    ------
    UnknownEncoding
        If the name is none.

    Examples
    --------
    >>> as_utf8('{"name": "西湖"}'.encode("gbk"))
    ('{"name": "西湖"}', 'gb18030')
    """
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if content.startswith(mark):
            return content.decode(name, "replace").lstrip("\ufeff"), name
    name = detect([content]) if encoding == "auto" else canonical(encoding)
    return content.decode(name, "replace"), name


def _ruined(text) -> bool:
    if not isinstance(text, str) or text.isascii():
        return False
    return _RUINS.search(text) is not None or _utf8_read_as_gbk(text)


def _utf8_read_as_gbk(text: str) -> bool:
    try:
        meant = text.encode("gb18030").decode("utf-8")
    except UnicodeError:
        return False
    return all(letter.isascii() or "\u2e80" <= letter <= "\uffef" for letter in meant)


def _explains(encoding: str, texts: list[bytes]) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)
    try:
        for text in texts:
            decoder().decode(text)
    except UnicodeError:
        return False
    return True


def _single_byte(encoding: str) -> bool:
    return encoding.startswith(("cp12", "cp437", "cp85", "iso8859", "latin", "ascii"))


def _everyday(texts: list[bytes]) -> float:
    """The share of high bytes that pair up as characters of GB 2312."""
    high = sum(len(re.findall(rb"[\x80-\xff]", text)) for text in texts)
    pairs = sum(2 * len(re.findall(rb"[\xa1-\xa9\xb0-\xf7][\xa1-\xfe]", text)) for text in texts)
    return pairs / high


def _doubtful_utf8(texts: list[bytes]) -> bool:
    """Whether texts that pass as UTF-8 hold no Chinese that way, but everyday Chinese as GB18030."""
    as_utf8 = "".join(decode(text, "utf-8") for text in texts)
    return max(as_utf8) < "\u0800" and _explains("gb18030", texts) and _everyday(texts) == 1.0
