"""Writes docs/record.schema.json, the JSON Schema of record.json, from the types and every registered answer.

python -m tests.record_schema            write it
python -m tests.record_schema --check    only say whether it is up to date
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from tasks.answers import ANSWERS, Answer
from tasks.record import SCHEMA, Record
from tasks.scope.kinds import KINDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "record.schema.json"
SHIPPED = {kind: ANSWERS[kind] for kind in KINDS}  # the tests of the seams register others
DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> dict[str, Any]:
    """The JSON Schema of a record: fields that it does not name are allowed, and so are answers of other kinds."""
    types: list[type[BaseModel]] = [Record, Answer, *dict.fromkeys(SHIPPED.values())]
    _, found = models_json_schema([(t, "validation") for t in types], by_alias=True, ref_template="#/$defs/{model}")
    named: dict[str, Any] = found["$defs"]
    whole = named.pop("Record")
    whole["properties"]["schema"] = {"const": SCHEMA}
    whole["properties"]["answer"] = {
        "$ref": "#/$defs/Answer",
        "allOf": [_of_kind(kind, answer) for kind, answer in sorted(SHIPPED.items())],
    }
    whole["required"] = ["schema", *whole["required"]]
    title = f"record.json of tunebook, version {SCHEMA}"
    return {"$schema": DIALECT, **whole, "title": title, "$defs": named}


def _of_kind(kind: str, answer: type[Answer]) -> dict[str, Any]:
    """An answer of that kind has the fields of its type."""
    return {
        "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
        "then": {"$ref": f"#/$defs/{answer.__name__}"},
    }


def main(arguments: Sequence[str]) -> int:
    """The exit status: 1 where `--check` finds the file out of date."""
    text = json.dumps(schema(), indent=1) + "\n"
    if "--check" in arguments:
        return int(not PAGE.exists() or PAGE.read_text() != text)
    PAGE.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
