"""Where the package `tunebook` of flows/entry goes: into a wheel as a copy, into an editable install as a path."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ENTRY = {"flows/entry/tunebook": "tunebook"}


class Entry(BuildHookInterface):  # type: ignore[type-arg]
    """An editable install has `dev-mode-dirs` on its path; a copy beside it would be found first, and grow old."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the package to a wheel; `version` is "standard" or "editable"."""
        if self.target_name == "wheel" and version == "standard":
            build_data["force_include"] |= ENTRY
