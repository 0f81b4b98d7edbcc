"""Hatch hook: builds the web console into the wheel (or into the source tree of an editable install)."""
