"""Files written all together or not at all, and never over one that is there."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tasks.scope.error import InputError


def write_all(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files, by their paths in the folder; of none of them a part stays behind where one cannot be written.

    Raises:
        InputError: one is there already, a folder is needed where a file lies, or the disk refuses.
    """
    for name in files:
        _refuse_taken(folder, name)
    made: list[Path] = []
    try:
        for name, text in files.items():
            path = folder / name
            made += _new_folders(path.parent)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                made.append(path)
                file.write(text)
    except OSError as error:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        raise InputError(
            f"{error.filename or folder} cannot be written: {error.strerror}; nothing was written"
        ) from error


def _refuse_taken(folder: Path, name: str) -> None:
    """Refuse a place in the folder where something lies already.

    Raises:
        InputError: what lies there.
    """
    path = folder / name
    if os.path.lexists(path):
        raise InputError(f"{path} is there already, and nothing is overwritten; name another folder, or move it away")
    for part in (*reversed(Path(name).parents[:-1]), None):
        place = folder if part is None else folder / part
        if os.path.lexists(place) and not place.is_dir():
            raise InputError(f"{place} is a file, and a folder is needed there; name another folder")


def _new_folders(folder: Path) -> list[Path]:
    """Make the folder and those above it; the new ones, outermost first."""
    missing = [p for p in (folder, *folder.parents) if not p.exists()]
    for path in reversed(missing):
        path.mkdir()
    return missing[::-1]
