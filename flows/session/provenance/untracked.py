"""Files of the user's program that git does not know: small source files with their content, the others by name."""

import re
from pathlib import Path

from tasks.scope.redaction import is_secret_name, without_said

NAMED = 100  # files
FILE_BYTES = 50_000  # a source file of a thousand lines; what is longer is data, or was generated
CODE = frozenset("py pyi pyx ipynb sh r jl c cc cpp cu h hpp rs go js ts yaml yml toml".split())  # noqa: SIM905
_ASSIGNED = re.compile(r"""([\w.\-]+)["']?\s*[:=]\s*\S""")


def untracked_text(folder: Path, names: list[str], prefix: str) -> str:
    """A diff that makes the small source files among them, and a line with the reason for each that is named only.

    `names`: relative to `folder`, without what the repository ignores; `prefix`: where that lies in the repository. A
    file in which something looks like a secret is named only: nobody has said that it may be written down.

    Playbook: J13
    """
    found = [_shown(folder / name, f"{prefix}{name}") for name in names[:NAMED]]
    more = [f"Not in git: {len(names) - NAMED} more, named nowhere"] if len(names) > NAMED else []
    return "\n".join([*found, *more])


def _shown(path: Path, name: str) -> str:
    text, why = _read(path)
    if why:
        return f"Not in git: {name} (named only: {why})"
    lines = text.removesuffix("\n").split("\n") if text else []
    end = [] if text.endswith("\n") else ["\\ No newline at end of file"]
    head = [f"diff --git a/{name} b/{name}", "new file mode 100644"]
    body = ["--- /dev/null", f"+++ b/{name}", f"@@ -0,0 +1,{len(lines)} @@", *(f"+{line}" for line in lines), *end]
    return "\n".join([*head, *(body if lines else ())])


def _read(path: Path) -> tuple[str, str]:
    """The text of the file, or why it is not kept."""
    if path.is_symlink() or not path.is_file():
        return "", "no plain file"
    if path.suffix.lower().removeprefix(".") not in CODE:
        return "", "no source file"
    try:
        data = path.read_bytes() if path.stat().st_size <= FILE_BYTES else None
        text = "" if data is None else data.decode()
    except (OSError, UnicodeDecodeError):
        return "", "it cannot be read as text"
    if data is None:
        return "", f"over {FILE_BYTES:,} bytes"
    if without_said(text) != text or any(map(is_secret_name, (path.stem, *_ASSIGNED.findall(text)))):
        return "", "it may hold a secret"
    return text, ""
