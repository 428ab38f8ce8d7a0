"""The promoted model in MLflow's registry, under the alias `incumbent`."""

from collections.abc import Sequence
from pathlib import Path

from tasks.record import Record
from tasks.tracking.names import fitting_text, model_name
from tasks.tracking.rounds import send
from tasks.tracking.store import Handle

ALIAS = "incumbent"
_FOLDER = "incumbent"


def register(handle: Handle, record: Record, checkpoint: Sequence[Path], generation: int) -> str:
    """The version under which the files of the promoted checkpoint are registered; a second time adds none.

    The alias `incumbent` goes to it only if no newer generation has the alias: a round that is projected late does
    not take it back.

    Playbook: G9
    """
    client, name, wanted = handle.client, model_name(record.workload), str(generation)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description=f"What tunebook promoted for {record.workload}")
    versions = {v.version: v.tags for v in client.search_model_versions(f"name = '{name}'")}
    mine = {"tunebook.generation": wanted, "tunebook.round": record.round_id}
    same = sorted((v for v, tags in versions.items() if mine.items() <= tags.items()), key=int)
    version = same[0] if same else None
    for twin in same[1:]:  # a call that failed here may have been carried out there
        client.delete_model_version(name, twin)
    send(handle, handle.parent, {f"{_FOLDER}/{path.name}": path for path in checkpoint})
    if version is None:
        candidate = record.verdict.candidate
        trial = "" if candidate is None else candidate.trial
        version = client.create_model_version(
            name,
            source=f"runs:/{handle.parent}/{_FOLDER}",
            run_id=handle.parent,
            tags=mine | {"tunebook.trial": trial, "tunebook.digest": record.digest},
            description=fitting_text("\n".join((record.goal.question, *record.verdict.reasons, *record.caveats))),
        ).version
    holder = client.get_registered_model(name).aliases.get(ALIAS)
    if holder is None or generation > int(versions.get(holder, {}).get("tunebook.generation", -1)):
        client.set_registered_model_alias(name, ALIAS, version)
    return str(version)
