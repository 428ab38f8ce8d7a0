"""Numbers and values as a reader sees them."""

from tasks.text import number, show


def test_a_number_is_written_alike_in_the_caveats_and_in_the_roles() -> None:
    assert [number(v) for v in (1e-8, 2.5e-05, 0.1, 3e7)] == [show(v) for v in (1e-8, 2.5e-05, 0.1, 3e7)]
