"""What a file is, by its content, and the small picture that stands for it."""

import codecs
import io
import re
import struct
import unicodedata
import zipfile
import zlib
from dataclasses import dataclass
from typing import BinaryIO

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError

from gridmgr.attachment.model import FileRefused
from gridmgr.words import N_

PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
OFFICE = {  # the main part's content type, as the archive itself declares it; those with macros have others
    b"application/vnd.openxmlformats-officedocument.wordprocessingml.document": b".main+xml",
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": b".main+xml",
}
PDF, VIDEO, TEXT = "application/pdf", "video/mp4", "text/plain"
INLINE = frozenset({*PICTURES.values(), PDF, VIDEO})  # what a browser may show; all else is only saved
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
MOST_PIXELS = 60_000_000  # a phone's 48 megapixels, and not a bomb
MOST_PARTS = 1 << 20  # bytes of an archive's table of contents, and of its list of content types
ORIENTATION = 0x0112  # the EXIF tag
THUMBNAIL = 480  # pixels of the longer side
NAME_LIMIT = 200
CHUNK = 256 * 1024

UNKNOWN = N_("photos (JPEG, PNG, WebP, GIF), PDF, DOCX, XLSX, MP4 and plain text are taken")
BROKEN = N_("the picture is broken or cut off")
TOO_MANY_PIXELS = N_("the picture has too many pixels")
HEIC = N_("HEIC photos cannot be shown everywhere; let the camera take JPEG (most compatible)")
CUT_OFF = N_("the document is cut off")
MARKUP = N_("it holds markup that a browser would run")


@dataclass(frozen=True)
class Kind:
    """What a file was found to be; pictures have a size and a thumbnail in JPEG."""

    media_type: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None
    looks: int | None = None  # see `looks_of`


def kind_of(content: BinaryIO, name: str) -> Kind:
    """Return what a file is, from its bytes alone.

    Raises
    ------
    FileRefused
        It is nothing that belongs to a case, or it is broken.
    """
    head, tail = _ends(content)
    if picture := _picture(content, name):
        return picture
    if head.startswith(b"%PDF-"):
        if b"%%EOF" not in tail[-2048:]:
            raise FileRefused(name=name, reason=CUT_OFF)
        return Kind(PDF)
    if head.startswith(b"PK\x03\x04"):
        return Kind(_office(content, tail, name))
    if head[4:8] == b"ftyp":
        return Kind(_filmed(head, name))
    if _is_text(content):
        if _MARKUP.search(head.lower()):
            raise FileRefused(name=name, reason=MARKUP)
        return Kind(TEXT)
    raise FileRefused(name=name, reason=UNKNOWN)


def _ends(content: BinaryIO) -> tuple[bytes, bytes]:
    """Return the first 4 kB of a file and the last 66 kB."""
    content.seek(0)
    head = content.read(4096)
    content.seek(0, io.SEEK_END)
    content.seek(max(0, content.tell() - 66 * 1024))
    return head, content.read()


def _picture(content: BinaryIO, name: str) -> Kind | None:
    """Decode a picture completely: a promise in the first bytes is not enough."""
    content.seek(0)
    try:
        with Image.open(content, formats=list(PICTURES)) as image:
            if image.width * image.height > MOST_PIXELS:
                raise FileRefused(name=name, reason=TOO_MANY_PIXELS)
            media, (width, height) = PICTURES[image.format], image.size
            if image.getexif().get(ORIENTATION, 1) in (5, 6, 7, 8):  # it lies on its side
                width, height = height, width
            image.thumbnail((THUMBNAIL, THUMBNAIL))  # JPEG is decoded smaller, and faster
            upright = ImageOps.exif_transpose(image)
            return Kind(media, width, height, _small(upright), looks_of(upright))
    except UnidentifiedImageError:
        return None
    except Image.DecompressionBombError as bomb:
        raise FileRefused(name=name, reason=TOO_MANY_PIXELS) from bomb
    except DECODERS_RAISE as broken:
        raise FileRefused(name=name, reason=BROKEN) from broken


# What Pillow's decoders raise for bytes that are no picture after all.
DECODERS_RAISE = (
    OSError, SyntaxError, ValueError, EOFError, TypeError, LookupError, ArithmeticError, AttributeError,
    RuntimeError, struct.error, zlib.error,
)  # fmt: skip


def looks_of(image: Image.Image) -> int:
    """Return what a picture looks like in 64 bits, signed: which of two neighbours of a tiny copy is brighter.

    Two pictures look alike where few bits differ: one was cut, scaled, or saved once more.

    Source: Krawetz (2013), Kind of like that: the difference hash.

    >>> looks_of(Image.linear_gradient("L"))
    0
    """
    tiny = _flat(image).convert("L").resize((9, 8), Image.Resampling.BOX)
    pixels = tiny.tobytes()
    bits = [pixels[9 * row + n] > pixels[9 * row + n + 1] for row in range(8) for n in range(8)]
    number = sum(1 << place for place, bit in enumerate(bits) if bit)
    return number - (1 << 64) if number >> 63 else number


def _small(image: Image.Image) -> bytes:
    """Return a picture as a JPEG without place, device or remarks."""
    plain = _flat(image)
    plain.info.clear()
    small = io.BytesIO()
    plain.save(small, "JPEG", quality=80)
    return small.getvalue()


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture without transparency, on white."""
    if image.mode in ("RGB", "L"):
        return image
    if image.mode.startswith("I"):  # 16 bits of grey
        return image.point(lambda value: value / 256).convert("L")
    rgba = image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _office(content: BinaryIO, tail: bytes, name: str) -> str:
    """Look into an archive: a document says in its first part what its main part is."""
    end = tail.rfind(b"PK\x05\x06")
    if end < 0:
        raise FileRefused(name=name, reason=CUT_OFF)
    if b"PK\x06\x07" in tail or int.from_bytes(tail[end + 12 : end + 16], "little") > MOST_PARTS:
        raise FileRefused(name=name, reason=UNKNOWN)  # so many parts have no document
    try:
        with zipfile.ZipFile(content) as archive, archive.open("[Content_Types].xml") as types:
            declared = types.read(MOST_PARTS)  # and no more, whatever it would unpack to
    except KeyError as other:
        raise FileRefused(name=name, reason=UNKNOWN) from other
    except (zipfile.BadZipFile, *DECODERS_RAISE) as broken:
        raise FileRefused(name=name, reason=CUT_OFF) from broken
    for media, main in OFFICE.items():
        if media + main in declared and b"vbaProject" not in declared:
            return media.decode()
    raise FileRefused(name=name, reason=UNKNOWN)


def _filmed(head: bytes, name: str) -> str:
    """Tell films from the photos that come in the same box."""
    brand = head[8:12]
    if brand in HEIC_BRANDS:
        raise FileRefused(name=name, reason=HEIC)
    try:
        found = puremagic.from_string(head, mime=True)
    except (puremagic.PureError, ValueError):
        found = None
    if found != VIDEO or brand.startswith(b"avi"):
        raise FileRefused(name=name, reason=UNKNOWN)
    return VIDEO


_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|\?xml)|^#!|javascript:")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def _is_text(content: BinaryIO) -> bool:
    return any(_reads_as(content, encoding) for encoding in ("utf-8", "gb18030"))


def _reads_as(content: BinaryIO, encoding: str) -> bool:
    """Tell whether a file is text of that encoding, piece by piece."""
    content.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while piece := content.read(CHUNK):
            if _CONTROLS.search(decoder.decode(piece)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


UNSEEN = frozenset(
    {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
)  # controls, turns of direction, half characters


def plain_name(name: str) -> str:
    """Return the name of a file without path and control characters, at most so long, its ending kept.

    >>> plain_name("../../etc/现场\\x00.jpg")
    '现场.jpg'
    """
    last = re.split(r"[\\/]", name)[-1]
    clean = "".join(each for each in last if unicodedata.category(each) not in UNSEEN).strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if len(clean) > NAME_LIMIT and dot and len(ending) <= 8:
        return f"{stem[: NAME_LIMIT - len(ending) - 1]}.{ending}"
    return clean[:NAME_LIMIT]
