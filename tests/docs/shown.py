"""What README shows of real rounds: their stored records, the text that each printed, and what its pictures show.

`docs/readme/NAME.json` and `NAME.parquet` are the record and the curves of the round behind `<!-- output: NAME -->`;
`shown.json` has the command of each, the files that it printed, and a hash of what each picture was drawn from.
`python -m tests.docs.readme` writes all of them.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.record import Record
from tasks.report.page.page import page
from tasks.report.plots.axis import axis_plot
from tasks.report.terminal import text
from tasks.trials.stored import read_curves
from tasks.trials.trial import Curve
from tests.docs.blocks import ROOT, blocks_of

README = ROOT / "README.md"
FOLDER = ROOT / "docs" / "readme"
SERVED = {  # pictures of servers, which nothing here can draw again
    "docs/prefect_form.png": "the form of the deployment in Prefect's UI",
    "docs/mlflow_round.png": "a round and its trials in MLflow's UI",
}
_PICTURE = re.compile(r"\]\((docs/[\w./-]+\.(?:png|svg))\)")
_HEADING = "<h2"  # before it the page can be cut: what stands below the fold is in no picture


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A picture of README's: `part` of the report on the round `of`, the first screen or one plot."""

    file: str
    of: str
    part: str


DRAWN = (
    Drawn(file="docs/axis_plot.png", of="refused", part="axis"),
    Drawn(file="docs/report.png", of="refused", part="first screen"),
)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A round that README shows: the command that was typed, its record and curves, and the files that it printed."""

    command: str
    paths: tuple[str, ...]
    record: Record
    curves: Mapping[str, Curve]

    @property
    def printed(self) -> str:
        """The block of README: the command and, to the last character, what was printed."""
        return f"$ {self.command}\n{text(self.record, paths=self.paths)}\n"


def stored() -> dict[str, Any]:
    """`shown.json`: `outputs` and `pictures`."""
    found: dict[str, Any] = json.loads((FOLDER / "shown.json").read_text())
    return found


def shown(name: str) -> Shown:
    """The stored round of that name."""
    kept = stored()["outputs"][name]
    return Shown(
        command=kept["command"],
        paths=tuple(kept["paths"]),
        record=Record.model_validate_json((FOLDER / f"{name}.json").read_text()),
        curves=read_curves(FOLDER / f"{name}.parquet"),
    )


def source_of(picture: Drawn, round: Shown, headings: int = 0) -> str:
    """A hash of what the picture shows: the plot's SVG, or the page with as many headings as the first screen has."""
    if picture.part == "axis":
        source = axis_plot(round.record)
    else:
        source = _HEADING.join(page(round.record, round.curves).split(_HEADING)[: headings + 1])
    return hashlib.sha256(source.encode()).hexdigest()


def stale(readme: str) -> list[str]:
    """A sentence for each output in the text of README that is not what its stored round prints."""
    found = []
    for block in blocks_of("README.md", readme):
        name, other = block.output
        if not name:
            continue
        missing = [each for each in (name, other) if each and not (FOLDER / f"{each}.json").is_file()]
        if missing:
            found.append(f"{block.place}: no record of the output {missing[0]} is stored")
            continue
        told = shown(name)
        if block.text != told.printed:
            found.append(f"{block.place}: this is not what the stored round of {name} prints")
        if other and told.command != shown(other).record.next.command:
            found.append(f"{block.place}: the command is not the one that the round of {other} names as next")
    return found


def stale_pictures() -> list[str]:
    """A sentence for each picture that would look different if it were drawn again."""
    kept = stored()["pictures"]
    return [
        f"{picture.file}: the report of the round {picture.of} looks different by now"
        for picture in DRAWN
        if kept.get(picture.file, {}).get("source")
        != source_of(picture, shown(picture.of), kept.get(picture.file, {}).get("headings", 0))
    ]


def pictures_of(readme: str) -> set[str]:
    """The files of the pictures that README shows or links."""
    return {*_PICTURE.findall(readme)}
