"""The command line: one file per command."""

from dothi.cli.entry import main

__all__ = ["main"]
