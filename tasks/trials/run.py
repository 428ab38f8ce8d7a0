"""The step of trials: those on record are kept, the others run side by side, each when what it depends on is there."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue

from tasks.design.study import Planned, Round, Study
from tasks.record import hash_of
from tasks.scope.goal import Objective
from tasks.trials.adaptive import AdaptiveStudy
from tasks.trials.attempts import BookedAttempts, TrialBook
from tasks.trials.failures.first import FirstTrials
from tasks.trials.runner import Runner, Unit
from tasks.trials.settings import RunnerSettings
from tasks.trials.stored import trial_from
from tasks.trials.trial import Trial

NOTICE = 4.0  # seconds for trials to save when the round is stopped: a machine that is wanted back is gone after 5

Failed = Callable[[BaseException], None]
Submit = Callable[[Unit, Callable[[], None], Failed], object]
Pool = Callable[[int], AbstractContextManager[Submit]]
"""Runs functions side by side, so many at once: each is submitted with the unit that it runs.

`Failed` is told what kept a function from running to its end.
"""


@contextmanager
def in_threads(slots: int) -> Iterator[Submit]:
    """A `Pool` of plain threads: each waits for the processes of one unit."""
    with ThreadPoolExecutor(max_workers=slots) as pool:

        def submit(unit: Unit, run: Callable[[], None], failed: Failed) -> None:
            def done(future: Future[None]) -> None:
                if error := future.exception():
                    failed(error)

            pool.submit(run).add_done_callback(done)

        yield submit


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a round's trials run and are written down; `heard` is told of every trial that ended."""

    round_id: str
    book: TrialBook
    runner: Runner
    settings: RunnerSettings
    objective: Objective
    heard: Callable[[Trial], None]
    pool: Pool = in_threads


def run_round(round: Round, site: Site) -> tuple[Round, dict[str, Trial]]:
    """The round with all of its trials, and what came of each, by id: those on record as they ended, the others run.

    Raises:
        FirstTrialsFailed: the first of them failed alike before any had reported.

    Playbook: J12, J14, D16
    """
    unknown = [study for study in round.studies if not study.trials]
    stored = [Planned.model_validate(plan) for plan in site.book.planned(site.round_id)] if unknown else []
    growing = {s.id: AdaptiveStudy(round.scope, s, {p.index: p for p in stored if p.study == s.id}) for s in unknown}
    trials = _run(round.trials, tuple(growing.values()), site, watched=True)

    def grown(study: Study) -> Study:
        return growing[study.id].study if study.id in growing else study

    whole = round.model_copy(update={"studies": tuple(map(grown, round.studies))})
    return whole, {p.id: trials[p.id] for p in whole.trials}


def run_trials(planned: Sequence[Planned], site: Site) -> dict[str, Trial]:
    """Every planned trial, by id: those on record as they ended, the others run now.

    Playbook: J12, J14
    """
    trials = _run(planned, (), site)
    return {p.id: trials[p.id] for p in planned}


def _run(
    planned: Sequence[Planned], growing: Sequence[AdaptiveStudy], site: Site, *, watched: bool = False
) -> dict[str, Trial]:
    """Everything planned and everything that the adaptive studies come to suggest; where one raises, all is ended.

    `watched`: where the first ones fail alike, all is ended too.
    """
    course = _Course(planned, growing, site, watched=watched)
    with site.pool(site.runner.slots) as submit:
        try:
            course.run(submit)
        except Exception:
            site.runner.close()
            raise
        except BaseException:  # somebody stops the round: its trials may save
            site.runner.interrupt(NOTICE)
            raise
    return course.ended


def packed(planned: Sequence[Planned], site: Site) -> list[Planned]:
    """The trials, each with the pack that it runs in: the one that is on record, else as the runner groups them now.

    Playbook: J12
    """
    stored = {plan["id"]: plan.get("pack") for plan in site.book.planned(site.round_id)}
    together = site.runner.units([p for p in planned if p.id not in stored and not p.alone])
    fresh = {p.id: hash_of([q.id for q in unit], 12) for unit in map(tuple, together) if len(unit) > 1 for p in unit}
    return [p.model_copy(update={"pack": stored.get(p.id, fresh.get(p.id))}) for p in planned]


class _Course:
    """What waits, what runs and what has ended. All of it is seen from one thread; units run in others."""

    def __init__(
        self, planned: Sequence[Planned], growing: Sequence[AdaptiveStudy], site: Site, *, watched: bool
    ) -> None:
        self._growing, self._site = growing, site
        if kept := [p.model_dump(mode="json") for p in planned if p.kept]:
            site.book.keep(site.round_id, kept)
        planned = packed(planned, site)
        site.book.plan(site.round_id, [p.model_dump(mode="json") for p in planned])
        self._known = site.book.results(site.round_id)
        self._news: SimpleQueue[Trial | Unit | BaseException] = SimpleQueue()
        self._running: list[Unit] = []
        self._unheard: list[Trial] = []  # failures that are held back
        self.ended: dict[str, Trial] = {}
        booked = BookedAttempts(book=site.book, round_id=site.round_id, settings=site.settings)
        self._first = FirstTrials(booked, site.runner.slots, reported=True)
        units: dict[str, list[Planned]] = {}
        for fresh in (p for p in planned if not self._on_record(p)):
            units.setdefault(fresh.pack or fresh.id, []).append(fresh)
        self._fresh = sum(map(len, units.values()))  # trials that are to run, as far as they are planned
        self._waiting: deque[Unit] = deque(sorted(map(tuple, units.values()), key=lambda unit: unit[0].alone))
        if watched and not any(len(trial.curve) for trial in self.ended.values()):
            self._first = FirstTrials(booked, site.runner.slots, reported=False)

    def run(self, submit: Submit) -> None:
        """Until nothing waits and nothing runs.

        Raises:
            BaseException: whatever a unit raised.
        """
        while True:
            self._grow()
            for unit in self._startable():
                self._running.append(unit)
                submit(unit, partial(self._work, unit), self._news.put)
            if not self._running:
                return self._end()
            self._take(self._news.get())

    def _take(self, news: Trial | Unit | BaseException) -> None:
        if isinstance(news, Trial):
            self.ended[news.id] = news
            self._unheard.append(news)
            self._first.judge(self._fresh + sum(study.left for study in self._growing))
            if not self._first.held:
                self._tell()
        elif isinstance(news, BaseException):
            raise news
        else:
            self._running.remove(news)

    def _end(self) -> None:
        """All have ended, and none was the last straw: what is held back counts."""
        self._first.release()
        self._tell()

    def _tell(self) -> None:
        """Tell of every trial that ended since."""
        while self._unheard:
            self._site.heard(self._unheard.pop(0))

    def _work(self, unit: Unit) -> None:
        """One unit, in a thread of its own."""
        for trial in self._site.runner.run(unit, self._first):
            self._news.put(trial)
        self._news.put(unit)

    def _startable(self) -> Iterable[Unit]:
        """What may start now, in order: a trial that runs alone waits for all others, and they for it."""
        while self._waiting:
            alone = self._waiting[0][0].alone
            if self._running and (alone or self._running[-1][0].alone):
                return
            yield self._waiting.popleft()

    def _grow(self) -> None:
        """Plan whatever the adaptive studies can suggest by now."""
        for study in self._growing:
            while planned := study.next(self.ended):
                self._site.book.plan(self._site.round_id, [planned.model_dump(mode="json")])
                if not self._on_record(planned):
                    self._waiting.append((planned,))
                    self._fresh += 1

    def _on_record(self, planned: Planned) -> bool:
        """Whether the trial had ended before; it is then heard of at once."""
        if planned.id not in self._known:
            return False
        self.ended[planned.id] = trial_from(planned, *self._known[planned.id], self._site.objective)
        self._unheard.append(self.ended[planned.id])
        self._tell()
        return True
