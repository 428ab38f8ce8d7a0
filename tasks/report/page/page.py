"""The page of a round: what a reader needs in a minute first, then all that it stands on. From record and curves."""

import base64
import hashlib
import re
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from tasks.record import Record
from tasks.report.page.findings import groups_of, spare_reasons
from tasks.report.page.method import method_text
from tasks.report.page.tables import looks_table, pairs, roles_table, studies_table, trial_tables
from tasks.report.page.top import top_of
from tasks.report.retrains import gate_numbers
from tasks.text import number
from tasks.trials.trial import Curve

HERE = Path(__file__).parent
# Points at one trial in all pictures and tables at once, and copies commands. Without it the page says the same.
SCRIPT = (HERE / "report.js").read_text()
STYLE = (HERE / "report.css").read_text()
# Control characters, and those that turn the direction of what follows: a name must not make the page say otherwise.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def page(record: Record, curves: Mapping[str, Curve], *, record_path: str = "", folder: str = "") -> str:
    """The report as one HTML file: no address outside itself, light or dark as its reader's system is.

    Every text that a person wrote is escaped by the template; the only markup that passes is the plots', whose texts
    are escaped too. The browser is told to run no script but ours, by its hash. `record_path` is printed where the
    page says how to go on from the data; `folder` is the record's, from which the promoted checkpoint's path is told.

    Playbook: C3, E1, E8, F15
    """
    from tasks.report.plots.all import pictures  # Matplotlib: no trial waits for it

    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["number"] = number
    method, drawings = method_text(record), pictures(record, curves)
    text = environment.get_template("report.html.j2").render(
        record=record,
        record_path=record_path,
        style=Markup(STYLE),
        script=Markup(SCRIPT),
        script_hash=base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode(),
        top=top_of(record, folder),
        learned=record.learned,
        groups=groups_of(record),
        spare=spare_reasons(record),
        pictures=[(p, Markup(p.svg)) for p in drawings],
        looks=looks_table(record),
        method=method,
        undrawn=method.predicted is not None and all(p.name != "predictions" for p in drawings),
        numbers=pairs(gate_numbers(record)),
        studies=studies_table(record),
        tables=trial_tables(record),
        roles=roles_table(record),
        budget=pairs(record.budget),
        policy=pairs(record.policy),
    )
    return _UNSEEN.sub("", text)
