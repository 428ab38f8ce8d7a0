"""Notes of a round: each is kept once, under its kind."""

from tasks.ledger import Ledger


def test_a_note_is_kept_once_and_under_its_kind(ledger: Ledger) -> None:
    for text in ("b", "a", "b"):
        ledger.note("r1", "mixed", text)
    ledger.note("r1", "moved", "3")
    assert ledger.notes("r1", "mixed") == ["a", "b"]
    assert ledger.notes("r1", "moved") == ["3"]
    assert ledger.notes("r2", "mixed") == []
