"""A section of a page as its reader follows it: files written, changes made, commands run, all in one folder."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import flows.audit
import flows.init
import flows.round
from flows.compose import compose
from flows.compose.config import RoundConfig
from tests.docs.blocks import Block
from tests.docs.commands import Command
from tests.docs.scripts import SMALL

ALONE = ("orchestrate=off", "tracking.enabled=false")
SYNTHETIC = {"workload": "synthetic", "space": "synthetic", "goal": "synthetic"}


def by_section(blocks: Iterable[Block]) -> dict[tuple[str, str], list[Block]]:
    """The blocks of each section, by page and heading, in their order."""
    found: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        found.setdefault((block.page, block.section), []).append(block)
    return found


def written(block: Block, folder: Path) -> None:
    """Write the file that a block names."""
    path = folder / block.names_file
    if not path.resolve().is_relative_to(folder.resolve()):
        raise AssertionError(f"{block.place}: {block.names_file} lies outside of the project")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.text)


def changed(block: Block, folder: Path) -> None:
    """Put a block's lines in place of the one line that its marker names."""
    name, start = block.change
    path = folder / name
    lines = path.read_text().splitlines(keepends=True) if path.is_file() else []
    found = [i for i, line in enumerate(lines) if line.lstrip().startswith(start)]
    if len(found) != 1:
        raise AssertionError(f"{block.place}: {len(found)} lines of {name} begin with {start!r}, and one must")
    path.write_text("".join([*lines[: found[0]], block.text, *lines[found[0] + 1 :]]))


def ran(command: Command) -> int | None:
    """The exit code of a command that is run in this folder: a round of the reader's own project, an audit, `init`.

    A round is made small, and none starts a server. None where the command is not run.
    """
    words = command.words[2:]
    if command.ours == "init":
        return flows.init.main(words)
    if command.ours == "audit":
        return flows.audit.main(words)
    if command.ours == "round" and "--config-dir" in words:
        size = () if any(word.startswith("check=") for word in words) else SMALL
        return flows.round.main([*words, *size, *ALONE])
    return None


def composed(block: Block, folder: Path) -> RoundConfig:
    """A round with the YAML of a block beside the synthetic workload: the file is read, and its values are allowed."""
    own, group, name = Path(block.names_file).parts[-3:]
    said = SYNTHETIC | {group: name.removesuffix(".yaml")}
    return compose.from_overrides([f"{group}={option}" for group, option in said.items()], str(folder / own))


def yamls(blocks: Sequence[Block]) -> Iterator[Block]:
    """The blocks that are a workload, a space or a goal of a project."""
    for block in blocks:
        parts = Path(block.names_file).parts
        if block.kind == "file" and block.names_file.endswith(".yaml") and len(parts) >= 3 and parts[-2] in SYNTHETIC:
            yield block
