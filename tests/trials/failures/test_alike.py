"""Failures are alike when exception and place are: a run's own numbers, paths, ids and addresses do not count."""

from dataclasses import replace

import pytest

from tasks.record import Status
from tasks.trials.failures.alike import fault, fault_text, short_of_memory, traceback_of
from tasks.trials.trial import Curve, Trial
from tests.trials.example_trials import plan


def ended(reason: str, log: str = "", status: Status = "failed") -> Trial:
    """A trial that ended so."""
    return Trial(planned=plan("t"), status=status, reason=reason, curve=Curve.from_reports({}), log=log)


def raised(error: str, line: int = 5, folder: str = "/tmp/a") -> Trial:
    """A trial whose log has the traceback of the error."""
    said = f'Traceback (most recent call last):\n  File "{folder}/train.py", line {line}, in build\n    x\n{error}\n'
    return ended(error, said)


ALIKE = [
    ("no folder /scratch/job-17/run_3", "no folder /scratch/job-41/run_9/deeper"),
    ("see ./wandb/run-20260301_1200-a1b2c3d4/logs", "see ./wandb/run-20260302_0900-ffe0aa12/logs"),
    ("pid 4711 is gone", "pid 12 is gone"),
    ("<Net object at 0x7f12ab34> has no width", "<Net object at 0x55ee01> has no width"),
    ("run 3f2504e0-4f89-11d3-9a0c-0305e82c3301 was lost", "run a8098c1a-f86e-11da-bd1a-00112444be1e was lost"),
    ("expected [32, 10], got [32, 10, 3]", "expected [64, 10], got [64, 12]"),
    ("bad value -3.5e-07", "bad value 12"),
    ("run deadbeef failed", "run 12345678 failed"),
    ("run k3x9q2ab failed", "run p0zz41mn failed"),
    ("cannot open C:\\runs\\17\\x", "cannot open C:\\runs\\18\\x"),
    ("loss was nan", "loss was inf"),
]  # fmt: skip
UNLIKE = [
    ("KeyError: 'val_acc'", "KeyError: 'val_loss'"),
    ("ProgramFailed: exit code 1: KeyError: 'a'", "ProgramFailed: exit code 1: ValueError: 'a'"),
    ("no result: it ended without ever reporting loss", "killed by SIGSEGV"),
    ("gelu is no activation", "swish is no activation"),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_words_that_are_a_runs_own_do_not_tell_failures_apart(one: str, other: str) -> None:
    assert fault(ended(one)) == fault(ended(other))


@pytest.mark.parametrize(("one", "other"), UNLIKE)
def test_other_words_do(one: str, other: str) -> None:
    assert fault(ended(one)) != fault(ended(other))


def test_where_there_is_a_traceback_the_exception_and_its_place_count() -> None:
    one = raised("ValueError: gelu is no activation")
    assert fault(one) == fault(raised("ValueError: swish is no activation", folder="/tmp/b"))
    assert fault(one) != fault(raised("ValueError: gelu is no activation", line=9))
    assert fault(one) != fault(raised("KeyError: 'gelu'"))


def test_a_traceback_that_is_not_the_reasons_does_not_count() -> None:
    handled = raised("ValueError: optional").log
    assert fault(ended("killed by SIGSEGV", handled)) == fault(ended("killed by SIGSEGV"))
    assert traceback_of(ended("killed by SIGSEGV", handled)) is None


def test_a_traceback_as_the_reason_is_told_by_its_exception() -> None:
    text = raised("ModuleNotFoundError: No module named 'apex'").log + "wandb: Find logs at: ./wandb/run-1\n"
    assert fault_text(ended(text)) == "ModuleNotFoundError: No module named 'apex'"
    assert fault(ended(text)).startswith("ModuleNotFoundError at train.py:5")


def test_memory_is_told_from_what_diverged() -> None:
    oom = ended("out of memory: CUDA out of memory. Tried to allocate 2.00 GiB", status="infeasible")
    assert short_of_memory(oom)
    assert fault(oom) == fault(replace(oom, reason=oom.reason.replace("2.00", "3.50")))
    assert not short_of_memory(ended("loss is nan at step 3", status="infeasible"))
