"""What a file is, by its content, and the small picture that stands for it."""

import io
import re
import warnings
import zipfile
from dataclasses import dataclass

import puremagic
from PIL import Image, ImageOps, UnidentifiedImageError

from gridmgr.attachment.model import FileRefused
from gridmgr.words import N_

PICTURES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
OFFICE = {
    "word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
PDF, VIDEO, TEXT = "application/pdf", "video/mp4", "text/plain"
INLINE = frozenset({*PICTURES.values(), PDF, VIDEO})  # what a browser may show; all else is only saved
MOST_PIXELS = 60_000_000  # a phone's 48 megapixels, and not a bomb
ORIENTATION = 0x0112  # the EXIF tag
THUMBNAIL = 480  # pixels of the longer side
NAME_LIMIT = 200

UNKNOWN = N_("photos (JPEG, PNG, WebP, GIF), PDF, DOCX, XLSX, MP4 and plain text are taken")
BROKEN = N_("the picture is broken or cut off")
TOO_MANY_PIXELS = N_("the picture has too many pixels")
CUT_OFF = N_("the document is cut off")
MARKUP = N_("it holds markup that a browser would run")


@dataclass(frozen=True)
class Kind:
    """What a file was found to be; pictures have a size and a thumbnail in JPEG."""

    media_type: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


def kind_of(content: bytes, name: str) -> Kind:
    """Return what a file is.

    Raises
    ------
    FileRefused
        It is nothing that belongs to a case, or it is broken.
    """
    picture = _picture(content, name)
    if picture:
        return picture
    if content.startswith(b"%PDF-"):
        if b"%%EOF" not in content[-2048:]:
            raise FileRefused(name=name, reason=CUT_OFF)
        return Kind(PDF)
    if content.startswith(b"PK\x03\x04"):
        return Kind(_office(content, name))
    found = _magic(content)
    if found == VIDEO:
        return Kind(VIDEO)
    if _is_text(content):
        if _MARKUP.search(content[:4096].lower()):
            raise FileRefused(name=name, reason=MARKUP)
        return Kind(TEXT)
    raise FileRefused(name=name, reason=UNKNOWN)


def _picture(content: bytes, name: str) -> Kind | None:
    """Decode a picture completely: a promise in the first bytes is not enough."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=list(PICTURES)) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise FileRefused(name=name, reason=TOO_MANY_PIXELS)
                media, (width, height) = PICTURES[image.format], image.size
                if image.getexif().get(ORIENTATION, 1) >= 5:  # it lies on its side
                    width, height = height, width
                image.draft("RGB", (2 * THUMBNAIL, 2 * THUMBNAIL))  # JPEG decodes smaller, and faster
                image.load()
                upright = ImageOps.exif_transpose(image)
                upright.thumbnail((THUMBNAIL, THUMBNAIL))
                small = io.BytesIO()
                _flat(upright).save(small, "JPEG", quality=80)  # without EXIF: no place, no device
    except UnidentifiedImageError:
        return None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise FileRefused(name=name, reason=TOO_MANY_PIXELS) from bomb
    except (OSError, SyntaxError, ValueError, EOFError) as broken:
        raise FileRefused(name=name, reason=BROKEN) from broken
    return Kind(media, width, height, small.getvalue())


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture without transparency, on white."""
    if image.mode in ("RGB", "L"):
        return image
    rgba = image.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _office(content: bytes, name: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError) as broken:
        raise FileRefused(name=name, reason=CUT_OFF) from broken
    macros = any(each.lower().endswith("vbaproject.bin") for each in names)
    if "[Content_Types].xml" in names and not macros:
        for folder, media in OFFICE.items():
            if any(each.startswith(folder) for each in names):
                return media
    raise FileRefused(name=name, reason=UNKNOWN)


def _magic(content: bytes) -> str | None:
    try:
        return puremagic.from_string(content[:4096], mime=True)
    except (puremagic.PureError, ValueError):
        return None


_MARKUP = re.compile(rb"<\s*(!doctype|html|head|body|script|svg|iframe|\?xml)|^#!|javascript:")
_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f]")


def _is_text(content: bytes) -> bool:
    for encoding in ("utf-8", "gb18030"):
        try:
            return not _CONTROLS.search(content.decode(encoding))
        except UnicodeDecodeError:
            continue
    return False


def plain_name(name: str) -> str:
    """Return the name of a file without path and control characters, at most so long, its ending kept.

    >>> plain_name("../../etc/现场\\x00.jpg")
    '现场.jpg'
    """
    last = re.split(r"[\\/]", name)[-1]
    clean = re.sub(r"[\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", "", last).strip(" .")
    stem, dot, ending = clean.rpartition(".")
    if len(clean) > NAME_LIMIT and dot and len(ending) <= 8:
        return f"{stem[: NAME_LIMIT - len(ending) - 1]}.{ending}"
    return clean[:NAME_LIMIT]
