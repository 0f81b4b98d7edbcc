"""Hatch hook: builds the web console into the wheel (or into the source tree of an editable install)."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ConsoleBuildHook(BuildHookInterface):
    """Runs `npm ci && npm run build` in console/ unless its sources are unchanged."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build when console/package.json exists and Node is there; say so when it is not."""
