"""Secrets (passwords, tokens, keys): found, and left out of everything that is written.

A secret is known by the name under which it stands, by having come from the environment, or by standing before the
`@` of an address. From then on its text is a secret wherever it turns up: in a log, a reason, a command.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from tasks.record import hash_of

LEFT_OUT = "***"
LONG_NAME = 16  # characters: from here on a name before an `@` is rather a token
SHORTEST = 6  # characters: a shorter text is no secret worth the name, and would be struck out of innocent words
_NAME = re.compile(
    r"pass(word|wd|phrase)|secret|credential|(api|access|private|signing|encryption|account)[_-]?key|"
    r"(^|[_.-])(token|auth|authorization|bearer|pwd|cookie)$",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"(?<=://)([^/\s@]+)(?=@)")
_SAID = re.compile(r"""([\w.\-]+)(\s*=\s*)(["']?)([^\s,;"'{}\[\]]+)""")
_SHAPES = re.compile(  # of tokens that say themselves what they are
    r"\b(?:sk-[\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|hf_\w{20,}|glpat-[\w-]{16,}|xox[abprs]-[\w-]{10,}|"
    r"AKIA[0-9A-Z]{16}|eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*)"
)


def is_secret_name(name: str) -> bool:
    """Whether what stands under this name is a secret: `api_key`, `hf_token`, `clientSecret`; not `max_tokens`."""
    return _NAME.search(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)) is not None


def secrets_in(tree: Any, known: bool = False) -> Iterator[str]:
    """The secrets of a configuration, as texts: what stands under a secret name, and the passwords of addresses.

    An interpolation is no secret yet, and neither are a boolean or nothing.
    """
    if isinstance(tree, Mapping):
        for key, value in tree.items():
            yield from secrets_in(value, known or is_secret_name(str(key)))
    elif isinstance(tree, list | tuple):
        for value in tree:
            yield from secrets_in(value, known)
    elif _is_text(tree):
        if known:
            yield str(tree)
        for found in _ADDRESS.findall(str(tree)):
            user, colon, password = found.partition(":")
            yield from (found, password) if colon else (user,) * (len(user) >= LONG_NAME)


def without_passwords(text: str) -> str:
    """The text without what stands before the `@` of an address."""
    return _ADDRESS.sub(LEFT_OUT, text)


def without_said(text: str) -> str:
    """Free text without what looks like a secret by itself: `token=…`, an address's password, a known shape."""
    text = _SHAPES.sub(LEFT_OUT, without_passwords(text))
    return _SAID.sub(lambda m: f"{m[1]}{m[2]}{m[3]}{LEFT_OUT}" if is_secret_name(m[1]) else m[0], text)


@dataclass(frozen=True)
class Secrets:
    """The texts that must not be written down."""

    texts: frozenset[str] = frozenset()

    @cached_property
    def forms(self) -> tuple[str, ...]:
        """Every form in which they may turn up (in an address, in JSON, quoted, a line of several), longest first."""
        long = [t for t in self.texts if len(t) >= SHORTEST]
        forms = {
            form for text in long for form in (text, quote(text, safe=""), json.dumps(text)[1:-1], repr(text)[1:-1])
        }
        forms |= {line for text in long for line in text.splitlines() if len(line) >= 2 * SHORTEST}
        return tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def __or__(self, more: Iterable[str]) -> "Secrets":
        return Secrets(self.texts | frozenset(more))

    def redacted(self, text: str) -> str:
        """The text without the secrets; also without the beginning of one at its end, where it was cut off."""
        sieve = Sieve(self.forms)
        return (sieve.passed(text.encode(errors="surrogatepass")) + sieve.rest()).decode(errors="surrogatepass")

    def plain(self, tree: Any, name: str = "") -> Any:
        """The tree as it may be stored: a value under a secret name is left out, a secret within another value too.

        The latter came from the environment and may matter to the round (a folder of data), so it leaves a mark by
        which a change is noticed. A credential leaves none: a new one goes on with the same round, and a short one
        could be guessed from its mark.
        """
        if isinstance(tree, Mapping):
            return {key: self.plain(value, f"{name}.{key}") for key, value in tree.items()}
        if isinstance(tree, list | tuple):
            return [self.plain(value, name) for value in tree]
        if not _is_text(tree):
            return tree
        if any(is_secret_name(part) for part in name.split(".")):
            return LEFT_OUT
        if not isinstance(tree, str):
            return tree
        left = without_passwords(tree)
        redacted = self.redacted(left)
        return redacted if redacted == left else f"{redacted}#{hash_of([name, tree], 8)}"


NONE = Secrets()


class Sieve:
    """Bytes in pieces, without the secrets: also without one that the end of a piece cuts in two."""

    def __init__(self, forms: Iterable[str]) -> None:
        self._forms = [form.encode(errors="surrogatepass") for form in forms]
        self._pattern = re.compile(b"|".join(map(re.escape, self._forms))) if self._forms else None
        self._held = b""

    def passed(self, data: bytes) -> bytes:
        """What may be written now; the beginning of a secret at the very end waits for the next piece."""
        if self._pattern is None:
            return data
        data = self._held + data
        keep = len(data) - max(_overlap(data, form) for form in self._forms)
        out, done = b"", 0
        for match in self._pattern.finditer(data):
            if match.start() < keep:
                out += data[done : match.start()] + LEFT_OUT.encode()
                done = match.end()
        self._held = data[max(done, keep) :]
        return out + data[done:keep]

    def rest(self) -> bytes:
        """What waited, now that nothing follows; the greater part of a secret does not come out that way either."""
        held, self._held = self._held, b""
        return held if len(held) < SHORTEST else LEFT_OUT.encode()


def _overlap(data: bytes, form: bytes) -> int:
    """How many bytes at the end of the data are the beginning of the form, but not the whole."""
    longest = min(len(form) - 1, len(data))
    return next((n for n in range(longest, 0, -1) if data.endswith(form[:n])), 0)


def _is_text(value: Any) -> bool:
    """Whether the value can be a secret: a text with something in it that is no interpolation, or a number."""
    if isinstance(value, str):
        return value not in ("", "???", LEFT_OUT) and not value.startswith("${")
    return isinstance(value, int | float) and not isinstance(value, bool)
