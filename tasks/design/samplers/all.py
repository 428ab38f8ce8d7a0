"""The samplers by name: what `sampler=` may say."""

from collections.abc import Iterable

from tasks.design.dealing import Dealt
from tasks.design.samplers.grid import Grid
from tasks.design.samplers.halton import Halton
from tasks.design.samplers.listed import Listed
from tasks.design.samplers.sampler import Sampler, Search
from tasks.design.samplers.sequence import PointSequence
from tasks.design.samplers.sobol import Sobol
from tasks.design.samplers.uniform import Uniform
from tasks.scope.error import InputError
from tasks.scope.goal import Sampling

LISTED = "points"

SAMPLERS: dict[str, type[Sampler]] = {
    "halton": Halton,
    "sobol": Sobol,
    "random": Uniform,
    "grid": Grid,
    LISTED: Listed,
}


def sampling_of(name: str) -> Sampling | None:
    """What the sampler of that name does; None where there is none."""
    sampler = SAMPLERS.get(name)
    return Sampling(adapts=sampler.adaptive, deals=issubclass(sampler, PointSequence)) if sampler else None


def sampler_of(name: str, search: Search, dealt: Iterable[str] = ()) -> Sampler:
    """The sampler of that name; a sequence deals the values of the parameters `dealt` evenly to its points.

    Raises:
        InputError: an unknown name, or a search that the sampler cannot make.

    Playbook: D3, D4
    """
    if name not in SAMPLERS:
        raise InputError(f"sampler: {name!r} is unknown; allowed are {', '.join(SAMPLERS)}.")
    sampler, listed = SAMPLERS[name](search), tuple(dealt)
    return Dealt(sampler, listed) if listed and isinstance(sampler, PointSequence) else sampler
