"""Texts in files that table programs open."""


def harmless(cell: object) -> object:
    """The cell; what begins like a formula, which such programs run, begins with an apostrophe."""
    if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r"):
        return f"'{cell}"
    return cell
