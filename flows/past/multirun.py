"""What ties the rounds of one command with `-m` together: a note of the ledger."""

from collections.abc import Sequence

from flows.compose.config import RoundConfig
from tasks.ledger import open_ledger
from tasks.record import Record, hash_of


def multirun_id(configs: Sequence[RoundConfig]) -> str:
    """The id of a multirun, the same when the same command is called again; "" of a single round."""
    said = [[*config.overrides, config.config_dir or ""] for config in configs]
    return f"m-{hash_of(said, 8)}" if len(configs) > 1 else ""


def tie(config: RoundConfig, record: Record, id: str) -> None:
    """Note in the ledger that the round belongs to the multirun, if it is of one."""
    if id:
        with open_ledger(config.root) as ledger:
            ledger.note(record.round_id, "multirun", id)
