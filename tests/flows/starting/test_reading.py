"""Reading argparse by its syntax tree: what is read is what argparse makes of it, and what cannot be read is said."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flows.starting.draft import draft_of
from flows.starting.script.source import UNREAD, read_script
from tasks.scope.names.metrics import direction_of
from tests.flows.starting.scripts_read import PARSER, SCRIPTS, domain, fate, read, rows

WAYS = (SCRIPTS / "parsers.py.txt").read_text()
NAMES = st.from_regex(r"-{1,2}[a-z][a-z0-9.-]{0,8}", fullmatch=True)
VALUES = (
    st.none() | st.integers(-5, 5) | st.floats(-9, 9) | st.text(max_size=5) | st.tuples(st.integers(), st.booleans())
)


@settings(max_examples=60)
@given(
    names=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    keywords=st.fixed_dictionaries(
        {}, optional={"default": VALUES, "dest": st.just("other.name"), "type": st.sampled_from([int, float, str])}
    ),
)
def test_names_and_defaults_are_those_that_argparse_makes(
    names: list[str], keywords: dict[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    if "-h" in names or "--help" in names or "--lr" in names:
        return
    truth = argparse.ArgumentParser().add_argument(*names, **keywords)
    said = [repr(n) for n in names] + [
        f"{k}={v.__name__ if isinstance(v, type) else repr(v)}" for k, v in keywords.items()
    ]
    draft = read(tmp_path_factory.mktemp("read"), f"parser.add_argument({', '.join(said)})")
    argument = draft.reading.fates[0].argument
    assert (argument.dest, [*argument.options], argument.default) == (truth.dest, truth.option_strings, truth.default)


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1e-3", 1e-3),
        ("-2", -2),
        ("2**10", 1024),
        ("3 * WIDTH // 2", 96),
        ("'a' + 'b'", "ab"),
        ("f'runs/{NAME}-{WIDTH}'", "runs/net-64"),
        ("(0.9, 0.999)", (0.9, 0.999)),
        ("[1, WIDTH]", (1, 64)),
        ("int(1e5)", 100_000),
        ("float('1e-4')", 1e-4),
        ("range(3)", (0, 1, 2)),
        ("sorted(['b', 'a'])", ("a", "b")),
        ("10**10**10", UNREAD),
        ("9 ** 999999", UNREAD),
        ("'a' * 10**9", UNREAD),
        ("1 / 0", UNREAD),
        ("f'{WIDTH:>10}'", UNREAD),
        ("TWICE", UNREAD),
        ("CIRCLE", UNREAD),
        ("os.cpu_count()", UNREAD),
        ("range(10**9)", UNREAD),
        ("[*range(3)]", UNREAD),
        ("WIDTH if WIDTH else 3", UNREAD),
        ("{'lr': 1}['lr']", UNREAD),
        ("+".join(["1"] * 800), 800),
        ("float('x')", UNREAD),
        ("int", UNREAD),
    ],
)
def test_constants_are_worked_out_and_nothing_else_is(expression: str, value: object, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(f"WIDTH = 64\nNAME: str = 'net'\nTWICE = 1\nTWICE = 2\nCIRCLE = CIRCLE\n({expression})\n")
    script = read_script(path)
    found = script.value(script.tree.body[-1].value)  # type: ignore[attr-defined]
    assert found == value or (found is UNREAD and len(expression) > 1000)


@pytest.mark.parametrize(
    ("added", "wanted"),
    [
        ("'--wd', type=float, default=0", {"low": 1e-6, "high": 1e-2, "scale": "log"}),
        ("'--baseLearningRate', type=float, default=3e-4", {"low": 3e-5, "high": 3e-3, "scale": "log"}),
        ("'--lr0', type=float, default=3e-4", {"low": 3e-5, "high": 3e-3, "scale": "log"}),
        ("'--optim.lr', type=float, required=True", {"low": 1e-4, "high": 1e-1, "scale": "log"}),
        ("'--base_lr', type=float, choices=[0.1, 0.01], default=0.1", {"values": [0.01, 0.1]}),
        ("'--momentum', type=float, default=0.0", {"low": 0.0, "high": 0.9}),
        ("'--momentum', type=float, default=0.95", {"low": 0.9, "high": 0.995}),
        ("'--dropout', type=float, default=0.5", {"low": 0.0, "high": 0.8}),
        ("'--num-layers', type=int, default=12", {"values": [6, 12, 24]}),
        ("'--num-layers', type=int, default=1", {"values": [1, 2]}),
        ("'--depth', type=int, choices=range(3), default=1", {"values": [0, 1, 2]}),
        ("'--hidden', type=int, default=100", {"values": [50, 100, 200]}),
        ("'--warmup-ratio', type=float, default=0.1", {"low": 0.0, "high": 0.25}),
        ("'--act', choices=['no', 'relu'], default='no'", {"choices": ["no", "relu"]}),
        ("'--weight-decay', type=float, nargs=1, default=[0.1]", {"low": 0.01, "high": 1.0, "scale": "log"}),
    ],
)
def test_a_first_domain_comes_from_the_name_and_the_default(
    added: str, wanted: dict[str, object], tmp_path: Path
) -> None:
    assert domain(tmp_path, added) == wanted


@pytest.mark.prose
@pytest.mark.parametrize(
    ("added", "why"),
    [
        ("'--wd', type=float, default=None", "its default is None, so the script itself decides"),
        ("'--wd', type=float", "its default is None, so the script itself decides"),
        ("'--wd', type=float, default=-1", "its default -1 is unusual for a weight decay"),
        ("'--wd', type=float, default=(1, 2)", "its default is no number ((1, 2))"),
        ("'--wd', type=float, nargs='+', default=[0.1]", "it takes several values"),
        ("'--wd', default=0.1", "it has no type, so it would get a text"),
        ("'--wd', type=int, default=1", "its values are whole numbers, which is unusual for a weight decay"),
        ("'--wd', type=str2bool, default=0.1", "what it takes is the script's own matter (type=str2bool)"),
        ("'--wd', type=float, default=make()", "its default is computed when the script runs"),
        ("'--wd', type=float, action=Scaled, default=1.0", "its action is the script's own"),
        ("'--wd', type=float, nargs=COUNT, default=1.0", "how many values it takes is computed (nargs)"),
        ("'--momentum', type=float, default=1.0", "its default 1 is unusual for a momentum"),
        ("'--dropout', type=float, default=50", "its default 50 is unusual for a dropout"),
        ("'--act', default='relu'", "its choices are not written out"),
        ("'--act', choices=[1, 2], default=1", "its choices are of another kind"),
        ("'--act', choices=['-a', 'b'], default='b'", "its choices are of another kind"),
        ("'--act', choices=['a', 'b'], default='c'", "its default is none of its choices"),
        ("'--act', choices=['a'], default='a'", "there is nothing to choose"),
        ("'--act', choices=list(table), default='a'", "its choices are computed"),
        ("'--betas', type=float, nargs=2, default=0.9", "its default is no pair of numbers"),
        ("'--n_epochs', type=int, default=-1", "the length of training is not tuned"),
        ("'--seed', default=0", "it has no type, so it would get a text"),
        ("'--warmup', type=int, default=10**400", "its default is computed when the script runs"),
        ("'--warmup', type=int, default=1" + "0" * 400, "its default 1" + "0" * 400 + " is unusual for a warmup"),
        ("'--gpu', type=int, default=0", "stays at the script's default"),
    ],
)
def test_what_is_not_tuned_stays_at_the_scripts_default_and_says_why(added: str, why: str, tmp_path: Path) -> None:
    assert fate(tmp_path, added)[::2] == ("left", why)


@pytest.mark.prose
@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("for n in names: parser.add_argument('--' + n, type=float)", "its name is computed"),
        ("parser.add_argument(*names, default=1)", "its names are computed"),
        ("parser.add_argument('--wd', **common)", "--wd: some of its keywords are computed (**)"),
        ("parser.add_argument()", "its name is computed"),
        ("parser.add_argument(3)", "its name is computed"),
        ("elsewhere.parser.add_argument('--wd')", "which parser it is added to cannot be told"),
        ("def more(p): p.add_argument('--wd')", "which parser it is added to cannot be told"),
        ("config = argparse.ArgumentParser()\nconfig.add_argument('-c')", "-c: it belongs to another parser (line 4)"),
    ],
)
def test_what_cannot_be_read_is_refused_by_line_and_the_rest_is_read(line: str, why: str, tmp_path: Path) -> None:
    draft = read(tmp_path, line)
    assert [reason for _, reason in draft.line.refused] == [why]
    assert rows(draft)[-1][:2] == ("tuned", "--lr")


@pytest.mark.parametrize("source", WAYS.split("# ---\n"))
def test_a_parser_is_followed_through_names_functions_classes_and_groups(source: str, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(source)
    assert rows(draft_of(path)) == [("tuned", "--lr", "lr 0.01 to 1, log")]


def test_a_later_set_defaults_is_the_default_and_a_computed_one_is_noted(tmp_path: Path) -> None:
    draft = read(tmp_path, "", tail="parser.set_defaults(lr=0.5, **more)\nparser.parse_args()")
    assert draft.reading.guesses[0].value == 0.5
    assert any("set_defaults(**)" in note for note in draft.notes)


def test_defaults_that_are_set_under_a_condition_are_computed_and_those_of_a_parent_count(tmp_path: Path) -> None:
    source = (
        "import argparse, sys\nbase = argparse.ArgumentParser(add_help=False)\nbase.set_defaults(lr=0.2)\n"
        "p = argparse.ArgumentParser(parents=[base])\np.add_argument('--lr', type=float)\n"
        "p.add_argument('--wd', type=float, default=0.1)\nif sys.argv[1:]:\n  p.set_defaults(wd=1)\np.parse_args()\n"
    )
    (tmp_path / "train.py").write_text(source)
    reading = draft_of(tmp_path / "train.py").reading
    assert [f.argument.default for f in reading.fates] == [0.2, UNREAD]


@pytest.mark.prose
@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (
            ["sub = parser.add_subparsers()", "a = sub.add_parser('build')", "b = sub.add_parser('serve')"],
            "it has subcommands (build, serve), and none is known to train: write the word, and what goes with it, "
            "into argv",
        ),
        (
            [
                "g = parser.add_mutually_exclusive_group(required=True)",
                "g.add_argument('--x')",
                "g.add_argument('--y')",
            ],
            "one of --x, --y is required: write it into argv",
        ),
        (["parser.add_argument('--data', required=True)"], "--data is required: replace ??? in argv by its value"),
    ],
)
def test_what_the_script_cannot_do_without_is_left_to_the_person(lines: list[str], said: str, tmp_path: Path) -> None:
    assert read(tmp_path, *lines).to_do[0] == said


def test_of_arguments_that_exclude_each_other_one_is_given(tmp_path: Path) -> None:
    lines = [
        "g = parser.add_mutually_exclusive_group()",
        *("g.add_argument('--wd', type=float, default=0)", "g.add_argument('--l2', type=float, default=0)"),
    ]
    assert [row[:2] for row in rows(read(tmp_path, *lines))] == [("tuned", "--wd"), ("left", "--l2"), ("tuned", "--lr")]


@pytest.mark.prose
def test_no_seed_and_no_length_are_noted(tmp_path: Path) -> None:
    said = " ".join(read(tmp_path, "").notes)
    assert "takes a seed" in said
    assert "budget.max_train_steps" in said


def test_a_script_of_five_thousand_lines_and_a_sum_of_a_thousand_terms_are_read(tmp_path: Path) -> None:
    lines = [f"parser.add_argument('--a{i}', type=int, default={i})" for i in range(2500)]
    draft = read(tmp_path, *lines, *["print(" + " + ".join(["x"] * 900) + ")"], *["y = 3"] * 2500)
    assert len(draft.reading.fates) == 2501


@pytest.mark.parametrize("cookie", ["utf-8", "latin-1", "utf-8-sig"])
def test_a_script_is_read_in_the_encoding_that_it_names(cookie: str, tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    head = "" if cookie == "utf-8-sig" else f"# -*- coding: {cookie} -*-\n"
    text = f"{head}{PARSER}parser.add_argument('--lr', type=float, default=0.1, help='précis')\n"
    path.write_bytes(text.encode(cookie))
    help = read_script(path).tree.body[-1].value.keywords[-1].value.value  # type: ignore[attr-defined]
    assert help == "précis"


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        *((name, "minimize") for name in ("valid_loss", "val/error", "eval.perplexity", "testWER", "rmse")),
        *((name, "maximize") for name in ("valid_accuracy", "val_acc1", "dev-f1", "mIoU", "eval/AUC", "score")),
        *((name, None) for name in ("speed", "epoch", "loss_accuracy_ratio", "")),
    ],
)
def test_which_way_is_better_is_told_by_the_name_or_not_at_all(metric: str, direction: str | None) -> None:
    assert direction_of(metric) == direction
