"""The training loop: steps, evaluations, checkpoints.

Everything that is random in a trial derives from its seed, each purpose with a seed of its own, and every batch is
a pure function of the step. So equal inputs give an equal curve to the last bit on one CPU with one thread, and an
interrupted trial goes on as if nothing had happened.
"""

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, NoReturn

import torch
from torch import Tensor, nn
from torch.nn import functional

from tasks.design.study import derived_seed
from tasks.record import Value
from tasks.scope.error import InputError
from tasks.trials.running import Infeasible, RunningTrial
from tasks.trials.supervised.batches import Batches, Data, check_batch_sizes, correct_of, evaluate
from tasks.trials.supervised.gradients import GradientTrace, clip, quantiles, total_norm
from tasks.trials.supervised.optimization import Schedule, learning_rate, optimizer_at, update_rule
from tasks.trials.target import call_recipe

METRICS = ("train_loss", "train_error", "valid_loss", "valid_error", "learning_rate", "grad_norm", "grad_norm_max")
DRAIN = 32  # steps whose losses wait on the device: reading each at once would stall a GPU (J1)
USUAL_EVAL_BATCH = 1024
SHOWN = 32  # validation examples whose predictions each checkpoint keeps

Recipe = Mapping[str, Any] | Callable[..., Any]


def train(
    trial: RunningTrial,
    *,
    data: Recipe,
    model: Recipe,
    batch_size: int,
    eval_batch_size: int | None = None,
    schedule: str = "constant",
    warmup_steps: int = 0,
    clip_norm: float | None = None,
    label_smoothing: float = 0.0,
) -> None:
    """Trains a classifier on `data` and reports at fixed steps: every `eval_every_steps`, and the last.

    `data` is a recipe for `Data`; `model` one for a module from inputs to logits, called with `point` and `data`.
    A hyperparameter of the point overrides the argument of its name. `eval_batch_size` None is 1024, or the training
    batch where that is larger. `clip_norm` None is no clipping. The run has
    `warmup_steps + max_train_steps` steps: the warmup is prepended and the decay stays as long as it was (I10).

    Reported: `train_loss` (mean of the batches' losses since the last report, with dropout and label smoothing),
    `train_error` (on as many of the training examples as there are validation examples, always the same),
    `valid_loss` and `valid_error`, `learning_rate`, `grad_norm`, `grad_norm_max` and `grad_norm_first` (mean, largest
    and first unclipped norm since the last report), `grad_norm_q10` to `grad_norm_q90` (quantiles of them),
    `grad_norm_p90` (90th percentile over all steps), `clipped` and `clip_norm` (with clipping: the share of updates
    since the last report, and the threshold), and `valid_correct_<class>` for each rare class. A loss that is not
    finite ends the trial at its step as infeasible.

    Raises:
        InputError: an argument or hyperparameter that cannot be.
        Infeasible: the training loss or the objective is not finite.

    Playbook: J3, J12
    """
    given: dict[str, Value | None] = {
        "batch_size": batch_size,
        "schedule": schedule,
        "warmup_steps": warmup_steps,
        "clip_norm": clip_norm,
        "label_smoothing": label_smoothing,
    }
    settings = {name: trial.point.get(name, value) for name, value in given.items()}
    loop = Loop(trial, call_recipe(data), model, eval_batch_size, settings)
    loop.resume()
    while loop.step < loop.schedule.total_steps:
        loop.advance(next_evaluation(loop.step, trial.eval_every_steps, loop.schedule.total_steps))
        trial.report(loop.step, **loop.metrics())
        trial.save(loop.step, loop.state())


def next_evaluation(step: int, every: int, total: int) -> int:
    """The step of the next evaluation after `step`: the next multiple of `every`, at the latest the last step.

    Playbook: J3
    """
    return min((step // every + 1) * every, total)


class Loop:
    """A trial's model, optimizer and place in the data; `step` counts the updates done."""

    def __init__(
        self,
        trial: RunningTrial,
        data: Data,
        model: Recipe,
        eval_batch_size: int | None,
        settings: Mapping[str, Value | None],
    ) -> None:
        if not isinstance(data, Data):
            raise InputError(
                f"workload.data: it returned a {type(data).__name__}, not tasks.trials.supervised.batches.Data."
            )
        batch_size = int(_positive("batch_size", settings["batch_size"]))
        self.eval_batch_size = max(USUAL_EVAL_BATCH, batch_size) if eval_batch_size is None else eval_batch_size
        check_batch_sizes(batch_size, self.eval_batch_size)
        self.trial = trial
        self.clip_norm = None if settings["clip_norm"] is None else _positive("clip_norm", settings["clip_norm"])
        self.label_smoothing = _within("label_smoothing", settings["label_smoothing"])
        self.valid = data.valid.to(trial.device)
        self.seen = data.train.first(len(data.valid)).to(trial.device)
        self.rare = rare_classes(data)
        self.batches = Batches(data.train.to(trial.device), batch_size, trial.seed)
        self.schedule = Schedule(
            kind=str(settings["schedule"]),
            base=learning_rate(trial.point),
            decay_steps=trial.max_train_steps,
            warmup_steps=int(_within("warmup_steps", settings["warmup_steps"], high=math.inf)),
        )
        torch.manual_seed(derived_seed(trial.seed, "init"))
        self.model: nn.Module = call_recipe(model, point=trial.point, data=data).to(trial.device)
        self.parameters = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = optimizer_at(trial.point, self.parameters)
        torch.manual_seed(derived_seed(trial.seed, "dropout"))
        self.gradients = GradientTrace()
        self.step = 0
        self._pending: list[Tensor] = []  # loss, norm, loss, norm, …: on the device, not yet looked at
        self._losses: list[float] = []  # since the last report
        self._norms: list[float] = []

    def advance(self, until: int) -> None:
        """Trains up to and including step `until`, or saves and ends before it where the trial is stopping.

        Raises:
            Interrupted: it was stopping.
            Infeasible: a training loss or a gradient was not finite.
        """
        self.model.train()
        while self.step < until:
            self._update(self.step + 1)
            self.step += 1
            if self.trial.stopping and self.step < until:  # at `until` it is evaluated and saved anyway
                self._drain()
                self.trial.save(self.step, self.state())
            if len(self._pending) >= 2 * DRAIN:
                self._drain()
        self._drain()

    def metrics(self) -> dict[str, float]:
        """One evaluation, by metric; what was gathered since the last one starts anew.

        Playbook: I1, J6, J9
        """
        self.model.eval()
        train_error = evaluate(self.model, self.seen, self.eval_batch_size)[1]
        valid_loss, valid_error = evaluate(self.model, self.valid, self.eval_batch_size)
        count = len(self._losses)
        values = {
            "train_loss": math.fsum(self._losses) / count,
            "train_error": train_error,
            "valid_loss": valid_loss,
            "valid_error": valid_error,
            "learning_rate": self.schedule.at(self.step),
            "grad_norm": math.fsum(self._norms) / count,
            "grad_norm_max": max(self._norms),
            "grad_norm_p90": self.gradients.percentile(0.9),
            "grad_norm_first": self._norms[0],
            **quantiles(self._norms),
        }
        if self.clip_norm is not None:
            values["clipped"] = sum(norm > self.clip_norm for norm in self._norms) / count
            values["clip_norm"] = self.clip_norm
        if self.rare:
            right = correct_of(self.model, self.valid, self.rare, self.eval_batch_size)
            values |= {f"valid_correct_{c}": float(n) for c, n in right.items()}
        self._losses, self._norms = [], []
        return values

    def state(self) -> dict[str, Any]:
        """A checkpoint: all that the next step depends on, as live tensors and plain values.

        The place in the data and in the schedule is `step` alone. `losses` and `norms` are what was gathered since
        the last report: nothing right after one, some where the trial is stopped in between. `predictions`: of the
        first validation examples, the same in every trial: (shown,) int64 targets and predicted classes, and (shown,)
        float32 the share that the model gives to the latter. `update_rule`: the optimizer as it is built.

        Playbook: J7, J12, J20
        """
        self.model.eval()
        with torch.no_grad():
            sure, shown = self.model(self.valid.inputs[:SHOWN]).softmax(1).max(1)
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "rng": torch.get_rng_state(),
            "device_rng": torch.cuda.get_rng_state() if self.trial.device.startswith("cuda") else None,
            "gradients": self.gradients.state(),
            "losses": list(self._losses),
            "norms": list(self._norms),
            "predictions": {"target": self.valid.labels[:SHOWN], "predicted": shown, "confidence": sure},
            "update_rule": update_rule(self.optimizer),
        }

    def resume(self) -> None:
        """Goes on from the last checkpoint, if there is one.

        Playbook: J12
        """
        step, state = self.trial.resume()
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"].cpu())
        if state["device_rng"] is not None and self.trial.device.startswith("cuda"):
            torch.cuda.set_rng_state(state["device_rng"].cpu())
        self.gradients = GradientTrace.from_state(state["gradients"])
        self._losses, self._norms = list(state["losses"]), list(state["norms"])
        self.step = int(step)

    def _update(self, step: int) -> None:
        inputs, labels = self.batches.at(step)
        rate = self.schedule.at(step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss = functional.cross_entropy(self.model(inputs), labels, label_smoothing=self.label_smoothing)
        loss.backward()  # type: ignore[no-untyped-call]
        gradients = [p.grad for p in self.parameters if p.grad is not None]
        norm = total_norm(gradients)
        if self.clip_norm is not None:
            clip(gradients, norm, self.clip_norm)
        self.optimizer.step()
        self._pending += (loss.detach(), norm)

    def _drain(self) -> None:
        """Reads what waits on the device, and ends the trial at the first step that is not finite."""
        if not self._pending:
            return
        values = torch.stack(self._pending).tolist()
        self._pending = []
        losses, norms = values[::2], values[1::2]
        for i, (loss, norm) in enumerate(zip(losses, norms, strict=True)):
            if not (math.isfinite(loss) and math.isfinite(norm)):
                self._diverge(self.step - len(losses) + 1 + i, loss, norm)
        self._losses += losses
        self._norms += norms
        self.gradients.add(norms)

    def _diverge(self, step: int, loss: float, norm: float) -> NoReturn:
        """Reports the step with every metric NaN, the objective among them, and says what was not finite."""
        with suppress(Infeasible):
            self.trial.report(step, **dict.fromkeys(METRICS, math.nan))
        what, value = ("train_loss", loss) if not math.isfinite(loss) else ("the gradient's norm", norm)
        raise Infeasible(f"{what} is {value} at step {step}")


def rare_classes(data: Data) -> tuple[int, ...]:
    """The classes with fewer than half of an even share of the validation examples.

    Half is our choice: a class that small hardly moves the error, so its count is reported beside it.

    Playbook: J9
    """
    counts = torch.bincount(data.valid.labels, minlength=data.classes).tolist()
    return tuple(c for c, count in enumerate(counts) if 2 * count * data.classes < len(data.valid))


def _positive(name: str, value: Value | None) -> float:
    if isinstance(value, bool | str) or value is None or not (math.isfinite(value) and value > 0):
        raise InputError(f"{name}: {value!r} is no finite number above 0.")
    return float(value)


def _within(name: str, value: Value | None, high: float = 1.0) -> float:
    if isinstance(value, bool | str) or value is None or not 0 <= value < high:
        raise InputError(f"{name}: {value!r} does not lie in [0, {high:g}).")
    return float(value)
