"""The scripts of this folder, and scripts of a few lines, as `init` reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.init import main
from flows.starting.draft import Draft, draft_of

SCRIPTS = Path(__file__).parent / "scripts"
PARSER = "import argparse\nparser = argparse.ArgumentParser()\n"
Row = tuple[str, str, str]


def script(folder: Path, name: str) -> Path:
    """The script `name`, copied into the folder: there it has the name of a module."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}.py"
    path.write_bytes((SCRIPTS / f"{name}.py.txt").read_bytes())
    return path


def rows(draft: Draft) -> list[Row]:
    """What became of each argument: `(what, argument, why)`."""
    return [(f.what, f.argument.name, f.says) for f in draft.reading.fates]


def read(folder: Path, *lines: str, head: str = PARSER, tail: str = "parser.parse_args()") -> Draft:
    """A script of these lines, with a learning rate so that there is something to tune, as it is read."""
    path = folder / "train.py"
    path.write_text("\n".join([head, *lines, 'parser.add_argument("--lr", type=float, default=0.1)', tail]))
    return draft_of(path)


def fate(folder: Path, added: str) -> Row:
    """What becomes of one argument, given as what stands between the brackets of `add_argument`."""
    return rows(read(folder, f"parser.add_argument({added})"))[0]


def domain(folder: Path, added: str) -> dict[str, object]:
    """The domain of the hyperparameter that one argument is."""
    (first, *_) = read(folder, f"parser.add_argument({added})").reading.guesses
    return dict(first.domain)


@contextmanager
def written(folder: Path, *arguments: str) -> Iterator[Path]:
    """The folder that `init` writes."""
    assert main([str(folder), *arguments]) == 0
    yield folder
