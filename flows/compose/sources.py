"""Checks of YAML files before Hydra reads them: their size, their place, and names that exist twice."""

from pathlib import Path, PurePath

import yaml  # type: ignore[import-untyped]

from tasks.scope.error import InputError

# Ours are below 3 kB, 4 deep and without a single alias. Ten aliases of aliases make at most 39 copies (e^(10/e)).
BYTES, DEPTH, ALIASES = 256 * 1024, 32, 10


def check_file(folder: Path, name: str) -> None:
    """Refuse a file before it is read whole: one outside the folder, too large, too deep, or with too many aliases.

    Raises:
        InputError: with the file, and what is the matter.
    """
    path = folder / name
    if ".." in PurePath(name).parts or not path.resolve().is_relative_to(folder.resolve()):
        raise InputError(f"{name}: leads out of {folder}; name a file of that folder, no link to elsewhere.")
    if not path.is_file():
        return
    if path.stat().st_size > BYTES:
        raise InputError(f"{name}: more than {BYTES // 1024} kB of configuration; no option needs that much.")
    depth = aliases = 0
    with path.open(encoding="utf-8") as file:
        for event in yaml.parse(file, Loader=yaml.SafeLoader):
            aliases += isinstance(event, yaml.AliasEvent)
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if aliases > ALIASES:
                raise InputError(f"{name}: more than {ALIASES} aliases (*name); write it out, or refer by ${{…}}.")
            if depth > DEPTH:
                raise InputError(f"{name}: nested more than {DEPTH} deep; no option needs that much.")


def refuse_clashes(config_dir: str | None, ours: Path) -> None:
    """A user's file with one of our names would lose without a word in Hydra's search path.

    Raises:
        InputError: no folder, or a file that exists in both places.
    """
    if config_dir is None:
        return
    folder = Path(config_dir)
    if not folder.is_dir():
        raise InputError(f"--config-dir: {config_dir} is not a folder; give the one that holds your goal/, space/ …")
    for mine in sorted(folder.rglob("*.yaml")):
        relative = mine.relative_to(folder)
        if (ours / relative).exists():
            raise InputError(f"--config-dir: {relative} exists in both places; rename yours, so that none is lost.")
