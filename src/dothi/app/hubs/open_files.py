"""How many files may be open at once: every hub takes some, every connection one."""

import resource

FILES_PER_HUB = 16


def raise_limit() -> int:
    """Lift the soft limit of this process to the hard one; gives what holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):
            return soft
    return hard
