"""The promoted model in MLflow's registry: a plain folder of weights, under the alias `incumbent`."""

from pathlib import Path

from tasks.record import Record
from tasks.tracking.names import fitting_text, model_name
from tasks.tracking.rounds import send_folder
from tasks.tracking.store import Handle

ALIAS = "incumbent"
_FOLDER = "incumbent"


def register(handle: Handle, record: Record, checkpoint: Path, generation: int) -> str:
    """The version under which the round's promoted checkpoint is registered; a second time adds none.

    The alias `incumbent` goes to it only if no newer generation has the alias: a round that is projected late does
    not take it back.

    Playbook: G9
    """
    client, name, wanted = handle.client, model_name(record.workload), str(generation)
    if not client.search_registered_models(f"name = '{name}'"):
        client.create_registered_model(name, description=f"What tunebook promoted for {record.workload}")
    versions = {v.version: v.tags for v in client.search_model_versions(f"name = '{name}'")}
    mine = {"tunebook.generation": wanted, "tunebook.round": record.round_id}
    version = next((v for v, tags in versions.items() if mine.items() <= tags.items()), None)
    if version is None:
        send_folder(handle, handle.parent, checkpoint, _FOLDER)
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
