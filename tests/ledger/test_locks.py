"""A round has one owner, whose death frees it; what is no name becomes no path."""

import os
import signal
from collections.abc import Callable
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

import pytest

from tasks.ledger import Ledger, LedgerError, open_ledger
from tests.ledger.example_rounds import begin, sentence


@pytest.mark.parametrize("name", ["../up", "", ".hidden", "a/b", "a\0b", "x" * 65, "-rm", "é", "a b", "a\n"])
@pytest.mark.prose
def test_a_name_that_is_no_name_becomes_no_path(ledger: Ledger, tmp_path: Path, name: str) -> None:
    before = sorted(tmp_path.rglob("*"))
    for ask in (ledger.own, ledger.folder, ledger.frozen, ledger.record, ledger.running, lambda n: begin(ledger, n)):
        with pytest.raises(LedgerError, match="is no name"):
            ask(name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_name_that_is_a_name_becomes_a_folder_of_the_records(ledger: Ledger, tmp_path: Path) -> None:
    assert ledger.folder("Ab-1_2.x") == tmp_path / "records" / "Ab-1_2.x"


def test_a_round_is_owned_by_one_process_and_the_refusal_names_it(ledger: Ledger, tmp_path: Path) -> None:
    begin(ledger)
    ledger.own("r1")
    ledger.own("r1")  # its owner may say it twice
    with open_ledger(tmp_path) as other, pytest.raises(LedgerError) as raised:
        other.own("r1")
    assert f"process {os.getpid()} on" in sentence(raised)
    assert ledger.running("r1")
    ledger.close()
    with open_ledger(tmp_path) as other:
        assert not other.running("r1")
        other.own("r1")


def test_a_holder_that_is_killed_frees_its_round_at_once(
    ledger: Ledger, tmp_path: Path, processes: ForkServerContext, child: Callable[..., ForkServerProcess]
) -> None:
    begin(ledger)
    heard, told = processes.Pipe()
    holder = child("holds", tmp_path, told)
    assert heard.recv() == holder.pid
    assert ledger.running("r1")
    with pytest.raises(LedgerError, match=f"process {holder.pid} "):
        ledger.own("r1")
    holder.kill()
    holder.join()
    assert not ledger.running("r1")
    ledger.own("r1")


def test_a_forked_child_does_not_keep_its_killed_parents_round(
    ledger: Ledger, tmp_path: Path, processes: ForkServerContext, child: Callable[..., ForkServerProcess]
) -> None:
    begin(ledger)
    heard, told = processes.Pipe()
    holder = child("holds_and_forks", tmp_path, told)
    grandchild = heard.recv()
    try:
        assert ledger.running("r1")
        holder.kill()
        holder.join()
        ledger.own("r1")
    finally:
        os.kill(grandchild, signal.SIGKILL)
