"""Nothing in a checkpoint's folder runs code, leads elsewhere or fills the memory; what came before is gone on with."""

import hashlib
import json
import os
import pickle
import resource
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch

from tasks.scope.error import InputError
from tasks.trials.checkpoints import checkpoints
from tasks.trials.checkpoints.checkpoints import MANIFEST, VERSION, Checkpoints
from tests.faults.conftest import Tally
from tests.faults.security.payloads import Touch

Attack = Callable[[Path, Path], dict[str, Any] | None]  # (checkpoints, outside) -> what the manifest says of step 2


def _bytes(content: Callable[[Path], bytes]) -> Attack:
    def attack(folder: Path, outside: Path) -> None:
        (folder / "step_2.pt").write_bytes(content(outside))

    return attack


def _saved(state: Callable[[Path], object]) -> Attack:
    def attack(folder: Path, outside: Path) -> None:
        torch.save(state(outside), folder / "step_2.pt")

    return attack


def _zipped(name: str, size: int, method: int) -> Attack:
    """A checkpoint whose one record is `size` zeros."""

    def attack(folder: Path, outside: Path) -> None:
        with (
            zipfile.ZipFile(folder / "step_2.pt", "w", method, compresslevel=1) as archive,
            archive.open(name, "w", force_zip64=True) as file,
        ):
            for _ in range(size // 2**20):
                file.write(bytes(2**20))

    return attack


def _inflated(folder: Path, outside: Path) -> None:
    """A sound checkpoint, its tensor as a gigabyte of packed zeros."""
    torch.save({"weight": torch.zeros(2**18)}, folder / "small.pt")
    with (
        zipfile.ZipFile(folder / "small.pt") as small,
        zipfile.ZipFile(folder / "step_2.pt", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as big,
    ):
        for entry in small.infolist():
            with big.open(entry.filename, "w", force_zip64=True) as file:
                for _ in range(1024 if "/data/0" in entry.filename else 0):
                    file.write(bytes(2**20))
                file.write(small.read(entry) if "/data/0" not in entry.filename else b"")
    (folder / "small.pt").unlink()


def _huge_header(folder: Path, outside: Path) -> None:
    """A sound checkpoint of which the directory of the archive says 10 GB."""
    torch.save({"weight": torch.zeros(8)}, folder / "step_2.pt")
    data = bytearray((folder / "step_2.pt").read_bytes())
    at = data.index(b"PK\x01\x02")
    data[at + 20 : at + 28] = b"\xf0\xff\xff\xff\xf0\xff\xff\xff"
    (folder / "step_2.pt").write_bytes(data)


def _linked(make: Callable[[Path, Path], None], name: str = "step_2.pt") -> Attack:
    def attack(folder: Path, outside: Path) -> None:
        torch.save({"secret": torch.ones(3)}, outside / "other.pt")
        make(outside / "other.pt", folder / name)

    return attack


def _says(**entry: Any) -> Attack:
    def attack(folder: Path, outside: Path) -> dict[str, Any]:
        torch.save({"secret": torch.ones(3)}, outside / "other.pt")
        torch.save({"weight": torch.ones(3)}, folder / "step_2.pt")
        return {k: v.format(outside=outside) if isinstance(v, str) else v for k, v in entry.items()}

    return attack


def _symlink(target: Path, link: Path) -> None:
    link.symlink_to(target)


ATTACKS: dict[str, Attack] = {
    "a pickle": _bytes(lambda out: pickle.dumps(Touch(str(out / "canary")))),
    "a pickle of protocol 0": _bytes(lambda out: pickle.dumps(Touch(str(out / "canary")), protocol=0)),
    "torch's own of an object": _saved(lambda out: Touch(str(out / "canary"))),
    "an object deep in a state": _saved(lambda out: {"a": [{"b": (torch.ones(2), Touch(str(out / "canary")))}]}),
    "an object as a key": _saved(lambda out: {Touch(str(out / "canary")): 1}),
    "a module": _saved(lambda out: torch.nn.Linear(2, 2)),
    "torch's old format": lambda f, out: torch.save(
        Touch(str(out / "canary")), f / "step_2.pt", _use_new_zipfile_serialization=False
    ),
    "os.system by hand": _bytes(lambda out: b"cos\nsystem\n(S'touch %s'\ntR." % str(out / "canary").encode()),
    "a billion laughs": _bytes(lambda out: b"\x80\x02]q\x00" + b"".join(b"(h\x00h\x00e" for _ in range(60)) + b"."),
    "a text of 10 GB": _bytes(lambda out: b"\x80\x04\x8d" + (10 * 2**30).to_bytes(8, "little") + b"x."),
    "nothing": _bytes(lambda out: b""),
    "a zip bomb": _zipped("archive/data.pkl", 2**30, zipfile.ZIP_DEFLATED),
    "a zip bomb beside the state": _inflated,
    "a header of 10 GB": _huge_header,
    "names that lead out of the archive": _zipped("../../canary", 2**20, zipfile.ZIP_STORED),
    "a symbolic link": _linked(_symlink),
    "a hard link": _linked(os.link),
    "a folder": lambda f, out: (f / "step_2.pt").mkdir(),
    "a pipe": lambda f, out: os.mkfifo(f / "step_2.pt"),
    "a device": _linked(lambda other, link: link.symlink_to("/dev/zero")),
    "a path upwards": _says(file="../../outside/other.pt"),
    "an absolute path": _says(file="{outside}/other.pt"),
    "another name": _says(file="step_1.pt"),
    "a NUL in its name": _says(file="step_2.pt\0.pt"),
    "a size of 10 GB": _says(size=10 * 2**30),
    "a negative size": _says(size=-1),
    "a step that is none": _says(step=True),
    "a step of 300 digits": _says(step=10**300, file=f"step_{10**300}.pt"),
    "a loss that is a list": _says(loss=[1]),
    "another trial": _says(trial="../t"),
    "a hash of another length": _says(sha256="0"),
    "a missing file": lambda f, out: {"size": 3},
}


@contextmanager
def little_memory(gigabytes: float) -> Iterator[None]:
    """No more than that beyond what there is now: what would fill the memory fails instead."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + int(gigabytes * 2**30), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def planted(base: Path, attack: Attack) -> Path:
    """A folder with a sound checkpoint of step 1, and after it the attack with a manifest that vouches for it."""
    folder, outside = base / "checkpoints", base / "outside"
    outside.mkdir(parents=True)
    Checkpoints(folder, "t").save(1, {"weight": torch.arange(3)}, 0.5)
    said = attack(folder, outside) or {}
    path, manifest = folder / "step_2.pt", json.loads((folder / MANIFEST).read_text())
    data = path.read_bytes() if path.is_file() and not str(path.resolve()).startswith("/dev") else b""
    entry = {"trial": "t", "step": 2, "loss": 0.1, "file": "step_2.pt", "size": len(data)}
    entry |= {"sha256": hashlib.sha256(data).hexdigest(), "curve": None}
    entries = [*manifest["checkpoints"], entry | said]
    manifest |= {"checkpoints": entries, "sha256": checkpoints._seal(entries)}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    return folder


def test_a_hostile_checkpoint_is_refused_and_the_one_before_is_gone_on_with(tmp_path: Path, tally: Tally) -> None:
    wrong = []
    for name, attack in ATTACKS.items():
        base = tmp_path / name.replace(" ", "_")
        folder = planted(base, attack)
        with little_memory(0.5):
            try:
                step, state = Checkpoints(folder, "t").last()
                best = Checkpoints(folder, "t").best()[0]
            except Exception as error:
                wrong.append(f"{name}: {type(error).__name__}: {error}"[:200])
                continue
        if (step, best) != (1, 1) or state["weight"].tolist() != [0, 1, 2]:
            wrong.append(f"{name}: went on from {step} and {best}")
        if (base / "outside" / "canary").exists() or (base / "canary").exists():
            wrong.append(f"{name}: it was run")
    assert wrong == []
    tally("E17 B9", "hostile checkpoints, with a manifest that vouches for them", len(ATTACKS), len(wrong))


def test_the_attacks_would_work_where_nothing_checks(tmp_path: Path) -> None:
    folder = planted(tmp_path, ATTACKS["a pickle"])
    with (folder / "step_2.pt").open("rb") as file:
        pickle._Unpickler(file).load()
    assert (tmp_path / "outside" / "canary").exists()


def test_a_sound_checkpoint_with_the_same_manifest_is_taken(tmp_path: Path) -> None:
    folder = planted(tmp_path, _saved(lambda out: {"weight": torch.ones(2)}))
    assert Checkpoints(folder, "t").last()[0] == 2


MANIFESTS = {
    "a link": None,
    "another version": b'{"version": 99, "checkpoints": []}',
    "a list": b"[]",
    "a deep nest": b"[" * 100_000,
    "an entry that is no entry": b'{"version": %d, "checkpoints": [[], 3, null, {}, {"file": {}}]}' % VERSION,
    "no JSON": b"\x80\x04cos\nsystem\n",
    "a number of a megabyte": b'{"version": %d, "checkpoints": ' % VERSION + b"9" * 2**20 + b"}",
    "not text": b"\xff\xfe\xfd",
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_hostile_manifest_is_no_manifest(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints"
    Checkpoints(folder, "t").save(1, {"weight": torch.arange(3)}, 0.5)
    content = MANIFESTS[name]
    if content is None:
        (folder / MANIFEST).rename(tmp_path / "moved")
        (folder / MANIFEST).symlink_to(tmp_path / "moved")
    else:
        (folder / MANIFEST).write_bytes(content)
    if name == "another version":
        with pytest.raises(InputError, match="version 99"):
            Checkpoints(folder, "t")
    else:
        assert Checkpoints(folder, "t").last() == (0, None)
