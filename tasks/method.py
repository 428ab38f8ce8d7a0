"""How the numbers of a record came to be: what was explored, by which update rules, evaluated when, predicted what.

All of it is optional, and none of it is in the digest: it says how a round was run, not what was found.
"""

from typing import Literal

from tasks.values import RecordRow, Value

Mode = Literal["exploration", "exploitation"]


class ExplorationRow(RecordRow):
    """What this round is (`mode`), and how the workload's trials so far are split; this round's are among them.

    `rounds`, `trials` and `steps` by mode, of every round that ended by now; retrains count with their round, a kept
    trial with the one that ran it. `unread`: rounds whose record cannot be read, or of a kind that this version does
    not know. `ready`: this round finds the space ready for exploitation (G10). `saturated`: tuning has likely
    saturated (B7).

    Playbook: B4
    """

    mode: Mode
    rounds: dict[Mode, int]
    trials: dict[Mode, int]
    steps: dict[Mode, int]
    unread: int = 0
    ready: bool = False
    saturated: bool = False

    @property
    def enough(self) -> bool:
        """Whether exploration has said enough."""
        return self.ready and self.saturated


class UpdateRuleRow(RecordRow):
    """The optimizer's implementation, as a trial that ran it has noted: its class, version, options and formula.

    `optimizer`: the value of the hyperparameter of that name, "" where the point has none. `rule`: where epsilon
    stands, how the moments are corrected, what weight decay does, and how it differs from the playbook's text.

    Playbook: J20
    """

    optimizer: str = ""
    trial: str
    implementation: str
    version: str = ""
    options: dict[str, Value] = {}
    rule: dict[str, str] = {}


class EvaluationRow(RecordRow):
    """Which number of the record is which: `number` is its place, `of` whose it is.

    `evaluation`: periodic, while the trial trained; once, where a trial reported one number; offline, of a chosen
    checkpoint. `takes`: which of the evaluations it is. `selected`: the best of several, and so
    better than the configuration is. `evaluations`: the most that a trial has. `width`: how many neighbouring ones are
    averaged.

    Playbook: K8
    """

    number: str
    of: Literal["search", "retrain", "test"]
    evaluation: Literal["periodic", "once", "offline"]
    takes: Literal["best", "last", "only", "smoothed best", "none"]
    selected: bool
    evaluations: int = 0
    width: int = 1


class PredictionsRow(RecordRow):
    """What one trial predicted for a few fixed validation examples, evaluation by evaluation.

    `steps`: of the evaluations that are kept, `best_step` among them. `target`: (examples,). `predicted` and
    `confidence`: (evaluations, examples); no confidence where none was saved. `file`: beside the record, with all
    evaluations.

    Playbook: J7
    """

    trial: str
    best_step: int
    steps: tuple[int, ...]
    target: tuple[Value, ...]
    predicted: tuple[tuple[Value, ...], ...]
    confidence: tuple[tuple[float, ...], ...] = ()
    file: str = ""

    @property
    def at_best(self) -> int:
        """The place of the best step among the evaluations that are kept."""
        return self.steps.index(self.best_step)

    @property
    def real(self) -> bool:
        """Whether the targets are real numbers, which nobody predicts exactly: then only differences tell anything."""
        return any(isinstance(t, float) for t in self.target)

    def missed(self, evaluation: int, example: int) -> bool:
        """Whether the prediction is another than the target."""
        return self.predicted[evaluation][example] != self.target[example]


class MethodRow(RecordRow):
    """How the numbers came to be, as far as it was recorded.

    `own_evaluation`: whether the user's own program evaluated the trials, into which nothing here can look; None where
    that was not recorded.
    """

    exploration: ExplorationRow | None = None
    update_rules: tuple[UpdateRuleRow, ...] = ()
    evaluations: tuple[EvaluationRow, ...] = ()
    predictions: PredictionsRow | None = None
    own_evaluation: bool | None = None
