"""What to try against signs of instability: what the playbook has for them, less what the round does already."""

from tasks.analyze.reviews.optimization_issues import best_spikes
from tasks.analyze.study.evidence import Evidence
from tasks.analyze.study.gradients import clipped_share, typical_norm
from tasks.record import Finding
from tasks.scope.roles import Scope

WARMUP, CLIP = "warmup_steps", "clip_norm"  # the arguments of our own training loop
SHARE = 0.05  # of the steps: a warmup that needs no longer training (the playbook's 5 %)


def stabilizer(evidence: Evidence, found: tuple[Finding, ...]) -> tuple[str, tuple[str, ...]]:
    """`(what to try, overrides)`: warmup for early spikes, clipping for later ones, a lower learning rate last.

    Where most updates are clipped already the learning rate is to go down. What the round does already is not
    suggested again. Overrides are given for arguments that the workload has.

    Playbook: B6
    """
    scope = evidence.round.scope
    if any(f.row == "I14" and f.level == "warn" for f in found):
        return "most updates are clipped already, so lower the learning rate", ()
    spikes = [(t, s) for study in evidence.studies for t, s in best_spikes(study) if s.counts]
    warms, clips = _on(scope, WARMUP), _on(scope, CLIP) or _clips(evidence)
    late = bool(spikes) and not any(s.early for _, s in spikes)
    if late and not clips:
        norms = [n for t, _ in spikes if (n := typical_norm(t.curve)) is not None]
        own = norms and CLIP in scope.arguments and CLIP not in scope.declared
        remedy = (f"workload.{CLIP}={max(norms):.2g}",) if own else ()
        return "try gradient clipping at the 90th percentile of the norms", remedy
    if not warms:
        steps = max(round(SHARE * scope.budget.max_train_steps), 1)
        own = WARMUP in scope.arguments and WARMUP not in scope.declared
        then = "" if clips else ", then gradient clipping"
        return f"try warmup{then}", (f"workload.{WARMUP}={steps}",) if own else ()
    if not clips:
        return "try gradient clipping beside the warmup", ()
    return "try a longer warmup or a lower clipping threshold, and a lower learning rate last", ()


def _on(scope: Scope, name: str) -> bool:
    """Whether a technique is on: by its hyperparameter, where the round has one, else by the workload's argument."""
    for known in (*scope.roles.scientific, *scope.roles.nuisance):
        if scope.names.bare(known) == name:
            return True
    values = [role.value for known, role in scope.roles.fixed.items() if scope.names.bare(known) == name]
    return bool(values[0] if values else scope.arguments.get(name))


def _clips(evidence: Evidence) -> bool:
    """Whether some trial reports a share of clipped updates."""
    return any((clipped_share(t.curve) or 0.0) > 0 for s in evidence.studies for t in s.trials)
