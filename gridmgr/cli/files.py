"""`gridmgr files`: photos and documents in the store, by their content."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gridmgr.cli.output import Json, opened, print_json, say, writable

app = typer.Typer(no_args_is_help=True, help="Photos and documents of cases.")


@app.command()
def put(file: Path, as_json: Json = False) -> None:
    """Store a file; its SHA-256 is how steps name it."""
    from gridmgr.account.rules import SYSTEM
    from gridmgr.attachment import service

    with file.open("rb") as content, opened() as session:
        found = service.store(session, SYSTEM, file.name, content)
        told = {"sha256": found.sha256, "media_type": found.media_type, "size": found.size}
    if as_json:
        print_json(told)
    else:
        typer.echo(f"{told['sha256']}  {told['media_type']}  {told['size']}")


@app.command()
def get(sha256: str, out: Annotated[Path, typer.Argument()]) -> None:
    """Write a stored file to OUT."""
    from gridmgr.attachment import queries

    writable(out)
    with opened() as session:
        queries.by_hash(session, sha256)
    pieces = queries.content(sha256)
    with out.open("wb") as file:
        file.writelines(pieces)


@app.command()
def verify(as_json: Json = False) -> None:
    """Compare every stored file to its hash; ends with 1 if one is missing or altered."""
    from gridmgr.attachment import queries

    with opened() as session:
        checked = queries.verify(session)
    if as_json:
        print_json(asdict(checked))
    else:
        say(
            "{files} files: {missing} missing, {altered} altered.",
            files=checked.files, missing=len(checked.missing), altered=len(checked.altered),
        )  # fmt: skip
        for sha256 in (*checked.missing, *checked.altered):
            typer.echo(sha256)
    if checked.missing or checked.altered:
        raise typer.Exit(1)


@app.command()
def sweep(as_json: Json = False) -> None:
    """Forget files that belong to no case a day after they came; their contents go with the next sweep."""
    from gridmgr.attachment import service
    from gridmgr.incident import queries

    with opened() as session:
        swept = service.sweep(session, lambda hashes: queries.attached(session, hashes))
    if as_json:
        print_json(asdict(swept))
    else:
        say("{files} files forgotten, {contents} contents removed.", **asdict(swept))
