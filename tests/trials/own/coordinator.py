"""A coordinator with two trials that never end, to be killed: python coordinator.py OWN FOLDER."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tasks.design.study import Planned
from tasks.scope.goal import Objective, Workload
from tasks.trials.local.execute import run_trial
from tasks.trials.local.forkserver import ForkServer
from tasks.trials.settings import Execution, RunnerSettings


def main(own: str, folder: Path) -> None:
    """Runs both trials; each writes `<folder>/<id>.pids` when it is under way."""
    runner = RunnerSettings(wall_timeout=600)
    with ForkServer(runner) as server, ThreadPoolExecutor(2) as pool:
        for id in ("a", "b"):
            workload = Workload(
                name="endings",
                target="endings.sleeps",
                arguments={"pids": str(folder / f"{id}.pids")},
                objective=Objective(metric="loss", direction="minimize"),
            )
            execution = Execution(workload=workload, runner=runner, own=own)
            trial = Planned(
                id=id,
                study="s",
                purpose="search",
                index=0,
                point={},
                seed=1,
                max_train_steps=9,
                eval_every_steps=3,
            )
            pool.submit(run_trial, trial, execution, server, folder / id, "cpu")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
