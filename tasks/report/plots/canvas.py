"""What every plot is drawn on: palette, panels, and an SVG that follows the reader's light or dark mode."""

import io
import re
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tasks.record import Record
from tasks.report.plots.marks import named, teller
from tasks.report.plots.rulers import Ruler

WIDTH = 720.0  # points; the page scales it to its column

# name: (light, dark). The series colours stay apart for the three common kinds of colour blindness, and every arm
# has a marker of its own besides. Red belongs to infeasible trials alone, a dull red to those that only
# count as infeasible.
PALETTE: Mapping[str, tuple[str, str]] = {
    "ink": ("#22272e", "#e6e9ee"),
    "muted": ("#69727d", "#9aa4b2"),
    "grid": ("#e3e6ea", "#2f363f"),
    "outside": ("#eff1f3", "#242a32"),
    "surface": ("#fefefe", "#171b21"),
    "infeasible": ("#c81e1e", "#ff6b6b"),
    "stuck": ("#b5606a", "#d08a92"),
    "warn": ("#9a6200", "#e3b341"),
    "early": ("#f6ead0", "#3a3220"),
    "late": ("#dcebf7", "#1d3345"),
    "arm0": ("#0072b2", "#4aa8e0"),
    "arm1": ("#cc7a00", "#f0a83c"),
    "arm2": ("#00916a", "#2fc79b"),
    "arm3": ("#9b4fa5", "#cf8fd8"),
    "arm4": ("#80603a", "#c9a877"),
    "arm5": ("#56657a", "#a7b6cc"),
    "arm6": ("#d4569a", "#f08fc4"),
    "arm7": ("#84841c", "#c7c74f"),
}
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "h")
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Liberation Sans', Arial, sans-serif"
MANY = 400  # dots of one panel from here on are one picture instead of single marks, or 10,000 trials fill 15 MB

_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tunebook",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.0,
    "text.parse_math": False,
    "axes.linewidth": 0.6,
    "axes.edgecolor": PALETTE["muted"][0],
    "axes.labelcolor": PALETTE["ink"][0],
    "text.color": PALETTE["ink"][0],
    "xtick.color": PALETTE["muted"][0],
    "ytick.color": PALETTE["muted"][0],
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "axes.unicode_minus": True,
    "lines.solid_capstyle": "butt",
}
_drawing = threading.Lock()  # the style is matplotlib's own global state, and two rounds may end at once


def ink(name: str) -> str:
    """The colour of that name as it is drawn; in the SVG it becomes a variable with a light and a dark value."""
    return PALETTE[name][0]


def arm_ink(index: int) -> str:
    """The colour of the arm at that place."""
    return ink(f"arm{index % 8}")


def drawn(record: Record, name: str, title: str, figure: Callable[[], Figure | None]) -> str:
    """The figure as SVG text, or "" where there is nothing to draw. `name` keeps its ids apart from other plots'.

    The SVG has no background, no prolog and no address of anything outside; it stands alone or inside a page. Every
    mark that is a trial says which, when it is pointed at.
    """
    with _drawing, rc_context(_STYLE), warnings.catch_warnings():  # type: ignore[arg-type]
        warnings.filterwarnings("ignore", message="Glyph")  # a reader's own font has what the measuring font lacks
        made = figure()
        if made is None:
            return ""
        made.patch.set_alpha(0.0)
        text = io.StringIO()
        made.savefig(
            text, format="svg", dpi=144, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
        )
    return themed(named(text.getvalue(), teller(record)), name, title)


def themed(svg: str, name: str, title: str) -> str:
    """matplotlib's SVG with its colours as variables, its ids under `name`, and a title for those who cannot see."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style type=\"text/css\">.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "", body)  # a text's control characters would break the XML
    body = re.sub(
        r'<g id="[a-zA-Z0-9_.]+">', "<g>", body
    )  # matplotlib's own names of its parts: nothing refers to them
    body = re.sub(r' transform="rotate\(-0 [^"]*"', "", body)
    body = re.sub(r' (d|x|y|transform)="([^"]*)"', lambda m: f' {m[1]}="{_rounded(m[2])}"', body)
    body = re.sub(r'style="([^"]*)"', lambda m: f'style="{_variables(m.group(1))}"', body)
    body = re.sub(r'\b(id|xlink:href)="(#?)(?!data:)([^"]*)"', rf'\1="\2{name}-\3"', body)
    body = body.replace("url(#", f"url(#{name}-")
    width, height = (float(size) for size in re.findall(r'(?:width|height)="([\d.]+)pt"', body)[:2])
    opening = (
        f'<svg class="plot" role="group" aria-label="{escape(title)}" '
        f'viewBox="0 0 {width:g} {height:g}" width="{width:g}pt" '
        f'style="display:block;max-width:100%;min-width:{0.8 * width:g}pt;height:auto" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return opening + f"<style>{_rules()}</style>" + body[body.index(">") + 1 :].strip()


def _rounded(numbers: str) -> str:
    """Coordinates to a hundredth of a point: no eye sees more, and a page of thousands of marks is a third smaller."""
    short = re.sub(r"\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}".rstrip("0").rstrip("."), numbers)
    return " ".join(short.split())


def _variables(style: str) -> str:
    names = {light: name for name, (light, _) in PALETTE.items()}
    style = re.sub(r"#[0-9a-f]{6}", lambda m: f"var(--plot-{names[m[0]]})" if m[0] in names else m[0], style)
    return re.sub(r"font-family: 'DejaVu Sans'[^;]*;? ?", "", style)  # every text's is said once, in the rules


def _rules() -> str:
    light, dark = ("".join(f"--plot-{n}:{shade[i]};" for n, shade in PALETTE.items()) for i in (0, 1))
    return (
        f".plot{{{light}}}@media screen and (prefers-color-scheme:dark)"
        f"{{.plot{{{dark}}}.plot image{{filter:brightness(1.4)}}}}"
        ".plot *{stroke-linejoin:round;stroke-linecap:butt}.plot [data-t]{cursor:pointer}"
        f".plot text{{font-family:{FONT}}}.plot .wide{{stroke:transparent;stroke-width:9;stroke-dasharray:none}}"
        ".plot use[data-t]:hover,.plot .hit{stroke:var(--plot-ink);stroke-width:2;stroke-opacity:1}"
        ".plot g[data-t]:hover,.plot g[data-t]:focus-visible,.plot g.hit"
        "{stroke-width:3.2!important;stroke-opacity:1!important;outline:none}"
    )


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of panels under a heading: `label` to the left, `detail` to the right. Widths are equal."""

    panels: int
    height: float
    label: str = ""
    detail: str = ""
    axis: bool = True  # whether ticks and a name stand below its panels


LEGEND, HEAD, AXIS, LEFT, RIGHT, GAP = 24.0, 24.0, 34.0, 62.0, 12.0, 16.0


def sheet(
    rows: Sequence[Row], *, columns: int, left: float = LEFT, gap: float = GAP, wide: float = WIDTH
) -> tuple[Figure, list[list[Axes]]]:
    """A figure, `wide` points across, and its axes row by row: a grid in points that no text length can disturb."""
    above = [(HEAD if r.label else 8.0) for r in rows]
    total = LEGEND + sum(a + r.height + (AXIS if r.axis else 4.0) for a, r in zip(above, rows, strict=True))
    figure = Figure(figsize=(wide / 72, total / 72), dpi=72)
    width = (wide - left - RIGHT - gap * (columns - 1)) / columns
    top = total - LEGEND
    axes: list[list[Axes]] = []
    for row, head in zip(rows, above, strict=True):
        if row.label:
            y = (top - 12) / total
            room = int((wide - left - RIGHT - 16 - 4.4 * len(row.detail)) / 5.6)
            figure.text(left / wide, y, clipped(row.label, room), weight="bold", size=8.5, ha="left", va="baseline")
            figure.text(1 - RIGHT / wide, y, row.detail, color=ink("muted"), size=7.5, ha="right", va="baseline")
        bottom = top - head - row.height
        line = []
        for i in range(row.panels):
            x = left + i * (width + gap)
            line.append(figure.add_axes((x / wide, bottom / total, width / wide, row.height / total)))
        axes.append(line)
        top = bottom - (AXIS if row.axis else 4.0)
    return figure, axes


def rule(axes: Axes, x: Ruler | None = None, y: Ruler | None = None, *, names: bool = True) -> None:
    """Puts the rulers on the axes: limits, ticks, a quiet grid; `names=False` leaves the y labels to the neighbour."""
    axes.set_facecolor("none")
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=2.5, width=0.6, pad=2.5)
    axes.set_axisbelow(True)
    if x is not None:
        axes.set_xlim(*x.limits)
        axes.set_xticks(x.ticks, x.labels)
    if y is not None:
        axes.set_ylim(*y.limits)
        axes.set_yticks(y.ticks, y.labels if names else [""] * len(y.ticks))
        axes.grid(axis="y", color=ink("grid"), linewidth=0.6)


def key(figure: Figure, entries: Sequence[Line2D]) -> None:
    """One line of legend at the top left of the sheet (as many lines as the entries need)."""
    wide, tall = (72 * size for size in figure.get_size_inches())
    width = 0.0
    line: list[Line2D] = []
    lines: list[list[Line2D]] = []
    for entry in entries:
        need = 25 + 4.2 * len(str(entry.get_label()))
        if line and width + need > wide - LEFT:
            lines.append(line)
            width, line = 0.0, []
        line.append(entry)
        width += need
    for i, part in enumerate([*lines, line][:2]):
        legend = figure.legend(
            handles=part,
            loc="upper left",
            ncols=len(part),
            frameon=False,
            bbox_to_anchor=((LEFT - 6) / wide, 1 - i * 11 / tall),
            borderpad=0.2,
            handletextpad=0.6,
            columnspacing=1.4,
            fontsize=7.5,
        )
        legend.set_in_layout(False)


def clipped(text: str, length: int) -> str:
    """The text on one line, cut to a length with an ellipsis."""
    flat = " ".join(text.split())
    return flat if len(flat) <= length else flat[: max(length - 1, 1)] + "…"


def fitting(axes: Axes, text: str) -> str:
    """The text cut to the width of the axes, at the size of an axis name."""
    points = axes.get_position().width * axes.figure.get_figwidth() * 72  # type: ignore[union-attr]
    return clipped(text, max(int(points / 4.8), 8))
