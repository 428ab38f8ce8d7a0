"""The reason of a failure stands anywhere in what a program printed; launchers and trackers have the last word."""

import pytest

from tasks.trials.failures.output import AROUND, TAIL, Printed, why
from tests.trials.failures.outputs import ENDS, FITS, KEY, MEMORY, TRACEBACK


@pytest.mark.parametrize("name", ENDS)
def test_the_reason_is_the_programs_own_whatever_is_printed_after_it(name: str) -> None:
    text, line = ENDS[name]
    assert (why(text).line, why(text).memory) == (line, "")


@pytest.mark.parametrize("name", MEMORY)
@pytest.mark.playbook("E8", case="fires")
def test_a_program_that_ran_out_of_memory_is_known_by_its_exception(name: str) -> None:
    assert why(MEMORY[name]).memory


@pytest.mark.parametrize("name", FITS)
@pytest.mark.playbook("E8", case="silent")
def test_a_program_that_broke_otherwise_is_not_short_of_memory(name: str) -> None:
    assert (why(FITS[name]).line, why(FITS[name]).memory) == (KEY, "")


@pytest.mark.parametrize("chunk", [7, 4096, 1 << 16])
def test_a_traceback_is_found_however_much_is_printed_after_it(chunk: int) -> None:
    data = b"begin\n" * 9 + TRACEBACK.encode() + b"retrying to send\n" * (4 * TAIL // 17 if chunk > 7 else 99)
    printed = Printed()
    for i in range(0, len(data), chunk):
        printed.add(data[i : i + chunk])
    assert why(printed.text).line == KEY
    assert len(printed.text) <= 2 * (TAIL + AROUND) + 1


def test_the_frames_are_the_users_calls_in_their_order_with_their_source() -> None:
    found = why(TRACEBACK).traceback
    assert found is not None
    assert [(f.line, f.function, f.source) for f in found.frames] == [
        (9, "<module>", "main()"),
        (5, "main", 'x = row["val_acc"]'),
    ]
