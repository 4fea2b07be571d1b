"""Files as people send them, drawn anew: photos and a spreadsheet."""

import io

import openpyxl
from PIL import Image

MAKER = 0x010F  # EXIF: the make of the camera
PLACE = {1: "N", 2: (30.0, 40.0, 0.0), 3: "E", 4: (104.0, 4.0, 0.0)}


def photo(width: int = 1200, height: int = 800, kind: str = "JPEG", orientation: int = 1) -> bytes:
    """Return a photo that nobody has taken before, with the place and the device it was taken by."""
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112], exif[MAKER] = orientation, "手机"
    exif.get_ifd(0x8825).update(PLACE)
    noise = Image.effect_noise((width, height), 40).convert("RGB")
    noise.save(content, kind, exif=exif, comment=b"taken by Zhang San")
    return content.getvalue()


def spreadsheet() -> bytes:
    """Return a spreadsheet as an office program saves it."""
    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    return content.getvalue()
