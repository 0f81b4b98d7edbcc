"""How much the tests try: a part of it by default, everything under DOTHI_TEST_REQUIRE=all.

What is thorough by nature (long fuzzing, audits of all screens, loops of kills, building the
wheel) carries `@pytest.mark.thorough`; conftest.py leaves it out of the default run and says so.
"""

import os

REQUIRED = os.environ.get("DOTHI_TEST_REQUIRE", "").split(",")
"""Names of tools that must be there, or `all`."""
IS_THOROUGH = "all" in REQUIRED
_SHARE = 8


def examples(count: int) -> int:
    """How many examples hypothesis makes where `count` is thorough."""
    return count if IS_THOROUGH else max(10, count // _SHARE)
