"""What our types and the libraries have against an input, as one sentence."""

import re

from pydantic import ValidationError

from flows.config import TOP


def validation_sentence(error: ValidationError) -> str:
    """The first thing that our types have against a value: where it stands, and why it will not do."""
    first = error.errors()[0]
    place = ".".join(str(part) for part in first["loc"]) or error.title
    model = error.title.lower()
    where = place if place.split(".")[0] in TOP or model == "roundconfig" else f"{model}.{place}"
    if first["type"] == "extra_forbidden":
        return f"{where}: unknown key; see --cfg job for the keys there are."
    if first["type"] == "missing":
        return f"{where}: missing, and it has no default; give it."
    return f"{where}: {first['input']!r} will not do: {first['msg'].lower()}."


def plain_sentence(error: Exception) -> str:
    """A library's message on one line, without its hints for programmers."""
    text = str(error.__cause__ or error) if not str(error) else str(error)
    text = re.sub(r"\n\s*(full_key|object_type|reference_type).*", "", text)
    text = re.sub(r"\nTo append to your config use \S+", "; see --cfg job for the keys there are", text)
    text = text.replace("Search path:", "")
    lines = [line.strip() for line in text.splitlines() if line.strip() and "provider=" not in line]
    return re.sub(r"\s+", " ", " ".join(lines)).rstrip(".") + "."
