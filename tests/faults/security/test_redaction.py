"""Which names are those of secrets, and how a secret is left out of a text that comes in pieces."""

import pytest

from tasks.scope.redaction import NONE, Secrets, Sieve, is_secret_name, secrets_in, without_said


@pytest.mark.parametrize(
    "name",
    [
        *("api_key", "apiKey", "APIKEY", "x-api-key", "token", "hf_token", "accessToken", "password", "db.passwd"),
        *("passphrase", "client_secret", "secretAccessKey", "credentials", "AWS_SECRET_ACCESS_KEY", "private_key"),
        *("auth", "Authorization", "bearer", "session_cookie", "proxy_pwd"),
    ],
)
def test_a_name_of_a_secret_is_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens",
        "token_dim",
        "tokenizer",
        "key",
        "sort_key",
        "passes",
        "author",
        "authors",
        "learning_rate",
        "pwd_bits",
        "keys",
    ],
)
def test_an_innocent_name_is_left_alone(name: str) -> None:
    assert not is_secret_name(name)


def test_a_secret_is_left_out_however_it_is_cut() -> None:
    secrets = Secrets(frozenset({"swordfish-and-chips", "swordfish", "short"}))
    text = b"a swordfish-and-chips b swordfish c sword d short " + b"swordfish-and-chips" * 2
    whole = Sieve(secrets.forms).passed(text)
    assert whole == b"a *** b *** c sword d short ******"
    for cut in range(len(text)):
        sieve = Sieve(secrets.forms)
        assert sieve.passed(text[:cut]) + sieve.passed(text[cut:]) + sieve.rest() == whole
    sieve = Sieve(secrets.forms)
    assert b"".join(sieve.passed(bytes([b])) for b in text) + sieve.rest() == whole


def test_the_greater_part_of_a_secret_is_a_secret_too() -> None:
    secrets = Secrets(frozenset({"swordfish-and-chips"}))
    assert secrets.redacted("it was swordfish-an") == "it was ***"
    assert secrets.redacted("it was sword") == "it was sword"
    assert NONE.redacted("it was swordfish-an") == "it was swordfish-an"


def test_a_secret_is_left_out_in_every_form() -> None:
    secrets = Secrets(frozenset({'it\'s "a" pässword/\\x'}))
    for said in (
        'it\'s "a" pässword/\\x',
        "it%27s%20%22a%22%20p%C3%A4ssword%2F%5Cx",
        'it\'s \\"a\\" p\\u00e4ssword/\\\\x',
    ):
        assert secrets.redacted(f"<{said}>") == "<***>"
    assert secrets.redacted(repr('it\'s "a" pässword/\\x')) == "'***'"


def test_secrets_stand_under_their_names_and_before_the_at_of_an_address() -> None:
    tree = {"api_key": "one", "deep": [{"credentials": {"user": "two", "more": [3, None, True]}}], "text": "four"}
    assert list(secrets_in(tree)) == ["one", "two", "3"]
    assert list(secrets_in({"a": "x http://u:p@h/ and http://h/"})) == ["u:p", "p"]
    assert list(secrets_in({"token": "${oc.env:TOKEN}", "password": "???", "secret": "***"})) == []


@pytest.mark.prose
def test_free_words_lose_what_says_that_it_is_a_secret() -> None:
    said = without_said("lr 1e-3, token=abcd, api_key = 'x y', per-token: mean, http://u:p@h, ghp_" + "a" * 36)
    assert said == "lr 1e-3, token=***, api_key = '*** y', per-token: mean, http://***@h, ***"
    assert without_said("token: learned, learning_rate=0.1") == "token: learned, learning_rate=0.1"


def test_what_is_stored_keeps_its_shape_and_marks_what_came_from_elsewhere() -> None:
    secrets = Secrets(frozenset({"from-the-environment"}))
    plain = secrets.plain({"api_key": "abc", "n": 3, "b": [True, None, "x from-the-environment y"], "u": "a://u:p@h"})
    assert plain["api_key"] == "***"
    assert plain["n"] == 3
    assert plain["b"][:2] == [True, None]
    assert plain["b"][2].startswith("x *** y#")
    assert plain["u"] == "a://***@h"
