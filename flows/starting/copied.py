"""The example folder: real files, copied with the commands in them as this command was called."""

import re
from collections.abc import Mapping
from pathlib import Path

_FOLDER = Path(__file__).parent / "example"
_TEXT = ".txt"  # keeps a template that is a module from being one of ours


def example_files(*, name: str, round: str, history: str) -> dict[str, str]:
    """The texts of the example by their paths in the new folder; the YAMLs are called `name`."""
    second = round.replace(f" goal={name} ", f" goal={name}_width ")
    words = {"round": round, "second": second, "history": history, "program": round.partition(" --config-dir")[0]}
    paths = sorted(p for p in _FOLDER.rglob("*") if p.is_file())
    return {_place(p, name): with_words(p.read_text(encoding="utf-8"), words) for p in paths}


def _place(path: Path, name: str) -> str:
    place = path.relative_to(_FOLDER).as_posix().removesuffix(_TEXT)
    return place.replace("/my", f"/{name}")


def with_words(text: str, words: Mapping[str, str]) -> str:
    """The text with each `<word>` replaced; what is put in is not looked at again."""
    return re.sub(r"<(\w+)>", lambda m: words.get(m[1], m[0]), text)
