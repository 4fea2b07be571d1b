"""A zip file opened without trusting it.

Everything is judged from the directory of the archive before a byte is unpacked; while unpacking, no
member may grow past the size it declared.
"""

import shutil
import stat
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from gis.encoding import decode, detect
from gis.errors import BadInput

MAX_MEMBERS = 2_000
MAX_BYTES = 2 * 1024**3
MAX_RATIO = 200  # honest shapefiles reach 20
_RATIO_FROM = 1024**2  # below this size any ratio is harmless


class UnsafeArchive(BadInput):
    """The archive {name} is refused: {member} {reason}."""


class TooLargeArchive(BadInput):
    """The archive {name} is refused: it would unpack to {size} {unit}, the limit is {limit}."""


class BrokenArchive(BadInput):
    """The archive {name} is damaged: {reason}."""


@contextmanager
def unpacked(path: Path) -> Iterator[Path]:
    """Unpack a checked zip file into a folder that lives as long as the block.

    Parameters
    ----------
    path : Path
        A zip file; names in GBK or UTF-8.

    Yields
    ------
    Path
        The folder.

    Raises
    ------
    UnsafeArchive
        Names that leave the folder, links, devices, encrypted members, archives inside the archive.
    TooLargeArchive
        More than `MAX_MEMBERS` members, `MAX_BYTES` bytes or `MAX_RATIO` times the packed size.
    BrokenArchive
        If it cannot be read to its end.

    Examples
    --------
    >>> folder = Path(tempfile.mkdtemp())
    >>> with zipfile.ZipFile(folder / "a.zip", "w") as archive:
    ...     archive.writestr("hello.txt", "hello")
    >>> with unpacked(folder / "a.zip") as inside:
    ...     (inside / "hello.txt").read_text()
    'hello'
    >>> shutil.rmtree(folder)
    """
    with tempfile.TemporaryDirectory(prefix="gridmgr-") as folder:
        try:
            with zipfile.ZipFile(path) as archive:
                for member in judged(path.name, archive):
                    _unpack(archive, member, Path(folder))
        except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, OSError) as error:
            raise BrokenArchive(name=path.name, reason=error) from error
        yield Path(folder)


def judged(name: str, archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Judge an open archive by its directory, before a byte is unpacked.

    Parameters
    ----------
    name : str
        What the archive is called when it is refused.
    archive : ZipFile

    Returns
    -------
    list of ZipInfo
        Its files, without the folders.

    Raises
    ------
    UnsafeArchive, TooLargeArchive
        As in `unpacked`.

    Examples
    --------
    >>> import io
    >>> with zipfile.ZipFile(io.BytesIO(), "w") as archive:
    ...     archive.writestr("hello.txt", "hello")
    ...     [member.filename for member in judged("a.zip", archive)]
    ['hello.txt']
    """
    members = [member for member in archive.infolist() if not member.is_dir()]
    _refuse_large(name, members)
    for member in members:
        _refuse_unsafe(name, member)
    return members


def _unpack(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path) -> None:
    target = folder / _name(member)
    target.parent.mkdir(parents=True, exist_ok=True)
    with archive.open(member) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink)


def _refuse_large(name: str, members: list[zipfile.ZipInfo]) -> None:
    size, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if len(members) > MAX_MEMBERS:
        raise TooLargeArchive(name=name, size=len(members), unit="files", limit=MAX_MEMBERS)
    if size > MAX_BYTES:
        raise TooLargeArchive(name=name, size=size, unit="bytes", limit=MAX_BYTES)
    if size > _RATIO_FROM and size > MAX_RATIO * packed:
        raise TooLargeArchive(name=name, size=size // max(packed, 1), unit="times its size", limit=MAX_RATIO)


def _refuse_unsafe(name: str, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(_name(member))
    mode = member.external_attr >> 16
    faults = {
        "leaves its folder": path.is_absolute() or ".." in path.parts or ":" in path.parts[0],
        "is not a plain file": stat.S_IFMT(mode) not in (0, stat.S_IFREG),
        "is encrypted": bool(member.flag_bits & 1),
        "is an archive inside an archive": path.suffix.lower()
        in (".zip", ".kmz", ".7z", ".rar", ".gz", ".tar"),
    }
    for reason, applies in faults.items():
        if applies:
            raise UnsafeArchive(name=name, member=path, reason=reason)


def _name(member: zipfile.ZipInfo) -> str:
    """The member's name; without the UTF-8 flag zipfile has read its bytes as code page 437."""
    if member.flag_bits & 0x800:
        name = member.filename
    else:
        raw = member.filename.encode("cp437")
        name = decode(raw, detect([raw]))
    return name.replace("\\", "/")
