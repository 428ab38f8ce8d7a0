"""Secrets stay secret: 27 planted ones go through a whole round, reach the trial, and are found nowhere afterwards."""

import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from flows.compose import compose
from flows.compose.config import CONF
from flows.round import main
from tasks.record import Record
from tasks.scope.error import InputError
from tasks.scope.redaction import NONE
from tests.faults.conftest import Tally, Times

PLACES = (
    *("yaml", "nested", "listed", "quoted", "camel", "token", "cli", "cli_nested", "cli_comma", "env", "neutral"),
    *("within", "again", "decoded", "address", "uri", "variable", "hidden", "said", "raised", "halves", "why"),
    *("question", "test", "line_one", "line_two", "printed"),
)
CANARIES = {name: f"canary-{hashlib.sha256(name.encode()).hexdigest()[:20]}" for name in PLACES}
CANARIES |= {"quoted": f'it\'s "{CANARIES["quoted"]}"\\', "number": "93847561"}
ENVIRONMENT = {
    "MY_TOKEN": CANARIES["env"],
    "GREETING": CANARIES["neutral"],
    "WITHIN": CANARIES["within"],
    "AGAIN": CANARIES["again"],
    "DECODED": CANARIES["decoded"],
    "WANDB_API_KEY": CANARIES["variable"],
    "AWS_SECRET_ACCESS_KEY": CANARIES["hidden"],
}
TRAIN = """
import hashlib, json, os, sys, torch, urllib.parse  # torch: what saving needs, once for all trials

def train(trial, wanted, **arguments):
    told = json.dumps(arguments, sort_keys=True, default=str)
    assert hashlib.sha256(told.encode()).hexdigest() == wanted, "the trial did not get the real values"
    assert "AWS_SECRET_ACCESS_KEY" not in os.environ
    print(told, dict(os.environ), repr(arguments), urllib.parse.quote(arguments["password"], safe=""))
    print(arguments["private_key"], arguments["address"], file=sys.stderr)
    half = len(arguments["halves_token"]) // 2
    for part in (arguments["halves_token"][:half], arguments["halves_token"][half:]):
        sys.stdout.write(part)
        sys.stdout.flush()
    if trial.point["switch"] == "broken":
        raise RuntimeError("x" * 280 + arguments["raised_token"] + " was refused")
    if trial.point["switch"] == "killed":
        sys.stdout.write(arguments["raised_token"][:-2])
        sys.stdout.flush()
        os.abort()
    for step in range(trial.eval_every_steps, trial.max_train_steps + 1, trial.eval_every_steps):
        trial.report(step, loss=(trial.point["x"] - 0.3) ** 2 + 1.0 / step)
        trial.save(step, {"step": step})

def test(trial, **arguments):
    raise NotImplementedError
"""


def plant(base: Path) -> list[str]:
    """The overrides of a round whose configuration is full of secrets; its files lie in `base/own`."""
    c = CANARIES
    arguments = {
        "api_key": c["yaml"],
        "credentials": {"user": c["nested"], "old": [c["listed"]]},
        "password": c["quoted"],
        "clientSecret": c["camel"],
        "hf_token": c["token"],
        "auth_token": "${oc.env:MY_TOKEN}",
        "greeting": "${oc.env:GREETING}",
        "header": "Bearer ${oc.env:WITHIN}, please",
        "first": "${oc.env:AGAIN}",
        "second": "${workload.first}",
        "decoded": "${oc.decode:${oc.env:DECODED}}",
        "address": f"postgres://someone:{c['address']}@127.0.0.1/x",
        "halves_token": c["halves"],
        "raised_token": c["raised"],
        "printed_token": c["printed"],
        "private_key": f"-----BEGIN KEY-----\n{c['line_one']}\n{c['line_two']}\n-----END KEY-----",
    }
    workload = {
        "_target_": "vault.train",
        "wanted": "",
        "objective": {"metric": "loss", "direction": "minimize"},
        "baseline": {"x": 0.5, "switch": "a"},
        "test": {"_target_": "vault.test", "api_key": c["test"]},
        **arguments,
    }
    typed = {"access_token": c["cli"], "login": {"password": c["cli_nested"]}, "pwd": 93847561}
    typed |= {"secret_key": f"a, {c['cli_comma']}"}
    real = {k: _resolved(v) for k, v in {**arguments, **typed}.items()}
    workload["wanted"] = hashlib.sha256(json.dumps(real, sort_keys=True).encode()).hexdigest()
    question = f"Is b better, {c['yaml']}, or password={c['question']}?"
    goal = {"question": question, "kind": "improve", "scientific": {"switch": ["a", "b", "broken", "killed"]}}
    files = {
        "workload/vault.yaml": json.dumps(workload),  # JSON is YAML
        "goal/vault.yaml": json.dumps(goal),
        "space/vault.yaml": "x: {low: 0.0, high: 1.0}\nswitch: {choices: [a, b, broken, killed]}\n",
        "vault.py": TRAIN,
    }
    for name, text in files.items():
        path = base / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return [
        *("workload=vault", "space=vault", "goal=vault", f"tracking.root={base / 'store'}", "runner.workers=2"),
        *("budget.trials=2", "budget.retrains=1", "budget.max_train_steps=4", "budget.eval_every_steps=1"),
        *("runner.environment=[WANDB_API_KEY,GREETING]", "runner.retries=0"),
        f"+workload.access_token={c['cli']}",
        f"+workload.login={{password: {c['cli_nested']}}}",
        "++workload.pwd=93847561",
        f"+workload.secret_key='a, {c['cli_comma']}'",
        f"notes='with token={c['said']} and sk-{c['said'].replace('-', '')}'",
        f"acknowledge={{E2: 'password={c['why']}', E10: 'known'}}",
    ]


def _resolved(value: object) -> object:
    """What the trial gets for a value with interpolations."""
    if not isinstance(value, str):
        return value
    for name, text in ENVIRONMENT.items():
        value = value.replace(f"${{oc.decode:${{oc.env:{name}}}}}", text).replace(f"${{oc.env:{name}}}", text)
    return value.replace("${workload.first}", CANARIES["again"])


def found(base: Path) -> dict[str, set[str]]:
    """The files under `base` in which a canary stands, by canary; databases are looked into row by row as well."""
    seen: dict[str, set[str]] = {}
    for path in (p for p in base.rglob("*") if p.is_file() and "own" not in p.relative_to(base).parts):
        data = path.read_bytes()
        if data.startswith(b"SQLite format 3"):
            with sqlite3.connect(path) as database:
                data += "\n".join(database.iterdump()).encode()
            database.close()
        for name, canary in CANARIES.items():
            core = canary.split("-")[-1][:20].encode()
            if core in data:
                seen.setdefault(name, set()).add(str(path.relative_to(base)))
    return seen


def run(base: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """A round as a program of its own; what it prints lies in `base`, too."""
    done = subprocess.run(
        [sys.executable, "-m", "flows.round", "--config-dir", str(base / "own"), *plant(base), *more],
        cwd=CONF.parent,
        env={k: v for k, v in os.environ.items() if k in ("PATH", "HOME")}
        | ENVIRONMENT
        | {"PREFECT_HOME": str(base / "prefect")},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    (base / "printed").write_text(done.stdout + done.stderr)
    return done


def test_planted_secrets_are_found_nowhere_after_a_round_and_the_trial_had_them(tmp_path: Path, tally: Tally) -> None:
    done = run(tmp_path, "orchestrate=off")
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "store" / "records").glob("*/record.json")
    record = Record.model_validate_json(path.read_text())
    ends = {t.point["switch"]: (t.status, t.reason) for t in record.trials}
    assert ends["a"] == ends["b"] == ("complete", "")
    assert ends["broken"][0] == "failed"
    assert ends["broken"][1].startswith("RuntimeError: xxx")
    assert ends["killed"][0] == "failed"
    logs = [p.read_text() for p in (tmp_path / "store" / "records").glob("*/trials/*/log.txt")]
    assert all("***" in log for log in logs)
    assert (tmp_path / "store" / "mlflow.db").exists()
    left = found(tmp_path)
    assert left == {}
    tally("E18", "planted secrets after a round (S5)", len(CANARIES), len(left))


def test_without_the_secrets_being_known_they_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    real = compose.from_shell
    monkeypatch.setattr(
        compose, "from_shell", lambda words: [c.model_copy(update={"secrets": NONE}) for c in real(words)]
    )
    typed = [*plant(tmp_path), "orchestrate=off", "tracking.enabled=false", "goal.scientific.switch=[a,broken]"]
    arguments = ["--config-dir", str(tmp_path / "own"), *typed]
    assert main(arguments) == 0
    assert len(found(tmp_path)) >= 15
    sys.modules.pop("vault", None)


def test_prefect_gets_no_secret_and_refuses_those_that_it_would_store(
    tmp_path: Path, times: Times, tally: Tally, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    own = ["workload=vault", "space=vault", "goal=vault", f"tracking.root={tmp_path / 'store'}"]
    for typed in [o for o in plant(tmp_path) if "canary" in o or "9384" in o]:
        with pytest.raises(InputError, match=r"holds a secret.*\$\{oc\.env:NAME\}") as refused:
            compose.from_overrides([*own, typed], str(tmp_path / "own"))
        assert not any(canary in str(refused.value) for canary in CANARIES.values())
    if times(0, 1):
        allowed = [o for o in plant(tmp_path) if "canary" not in o and "9384" not in o and "notes" not in o]
        arguments = ["--config-dir", str(tmp_path / "own"), *allowed, "workload.wanted=''"]
        environment = os.environ | ENVIRONMENT | {"PREFECT_HOME": str(tmp_path / "prefect")}
        program = [sys.executable, "-m", "flows.round", *arguments]
        done = subprocess.run(program, cwd=CONF.parent, env=environment, capture_output=True, text=True, check=False)
        (tmp_path / "printed").write_text(done.stdout + done.stderr)
        assert list((tmp_path / "store" / "records").glob("*/record.json")), done.stderr
        left = found(tmp_path)
        assert left == {}
        tally("E18", "planted secrets after a round under Prefect", len(CANARIES), len(left))


def config_of(tmp_path: Path, *more: str) -> object:
    base = ["workload=synthetic", "goal=synthetic", "orchestrate=off", f"tracking.root={tmp_path}"]
    return compose.from_overrides([*base, *more]).model_dump(mode="json")


def test_an_address_keeps_its_place_and_loses_its_password(tmp_path: Path) -> None:
    uri = f"http://someone:{CANARIES['uri']}@127.0.0.1:1/x"
    config = compose.from_overrides([f"tracking.uri={uri}", "orchestrate=off", f"tracking.root={tmp_path}"])
    assert config.tracking.uri == uri
    assert config.model_dump()["tracking"]["uri"] == "http://***@127.0.0.1:1/x"
    assert CANARIES["uri"] not in json.dumps(config.model_dump(mode="json")) + repr(config.overrides)


def test_a_new_credential_is_the_same_round_and_another_folder_from_the_environment_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dump(credential: str, folder: str) -> object:
        monkeypatch.setenv("CREDENTIAL", credential)
        monkeypatch.setenv("FOLDER_OF_DATA", folder)
        return config_of(
            tmp_path, "+workload.api_key=${oc.env:CREDENTIAL}", "+workload.data=${oc.env:FOLDER_OF_DATA}/x"
        )

    first = dump("a-credential", "/data/one")
    assert dump("another-credential", "/data/one") == first
    assert dump("a-credential", "/data/two") != first


@pytest.mark.prose
def test_a_printed_command_is_not_taken_for_one_with_its_secret(tmp_path: Path) -> None:
    config = compose.from_overrides(
        [
            "workload=synthetic",
            "goal=synthetic",
            "+workload.api_key=hunter-two",
            "orchestrate=off",
            f"tracking.root={tmp_path}",
        ]
    )
    assert "+workload.api_key=***" in config.overrides
    with pytest.raises(InputError, match=r"workload\.api_key: \*\*\* stands for a secret that was left out"):
        compose.from_overrides(config.overrides)


@pytest.mark.prose
def test_an_error_of_the_composition_itself_quotes_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NEUTRAL", CANARIES["yaml"])
    quoted = "goal=${oc.env:NEUTRAL}"
    for words in ([quoted], [quoted, "--cfg", "job"], [quoted, "--help"], ["-m", f"{quoted},dropout"]):
        assert main(words) == 2
        said = capsys.readouterr()
        assert "goal: there is no goal/***" in said.err
        assert CANARIES["yaml"] not in said.out + said.err


def test_a_shown_configuration_and_an_error_have_no_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = CANARIES["yaml"]
    typed = ["workload=synthetic", "goal=synthetic", f"+workload.api_key={secret}", f"tracking.root={tmp_path}"]
    assert main([*typed, "--cfg", "job"]) == 0
    assert main([*typed, "--cfg", "job", "--resolve", "--package", "workload"]) == 0
    assert main([*typed, "orchestrate=off", f"sampler={secret}"]) == 2
    assert main([*typed, "orchestrate=off", f"budget.trials={secret}"]) == 2
    assert main([*typed, "orchestrate=off", "goal="]) == 2
    printed = capsys.readouterr()
    assert "api_key: '***'" in printed.out
    assert secret not in printed.out + printed.err
