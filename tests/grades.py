"""How far the rows of the playbook are carried out that are not so in full, as an outsider graded them, and why."""

from collections.abc import Mapping

PARTLY: Mapping[str, str] = {}
