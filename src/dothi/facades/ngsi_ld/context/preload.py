"""@contexts that an operator hands over as files, for places without internet."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from dothi.model.problem import Problem


def read_documents(files: Mapping[str, str]) -> dict[str, Any]:
    """URL -> document of `[ngsi_ld] contexts`. Raises Problem naming the file that is wrong."""
    return {url: _read(url, Path(path)) for url, path in files.items()}


def _read(url: str, path: Path) -> Any:
    try:
        document = msgspec.json.decode(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise _problem(url, path, str(error)) from error
    if not isinstance(document, dict) or "@context" not in document:
        raise _problem(url, path, "it is no JSON object with a member @context")
    return document


def _problem(url: str, path: Path, detail: str) -> Problem:
    return Problem(
        "context_file_unreadable",
        "A JSON-LD @context file cannot be used",
        f"{path}: {detail}",
        500,
        where=f"[ngsi_ld] contexts, {url}",
        remedy="put the downloaded @context document there, or take the entry out",
    )
