"""Pull connectors as the console shows them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from dothi.ports.pulls import PullRun

AT = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)


async def test_every_connector_that_runs_is_told_with_its_last_error(api: Any) -> None:
    hour = timedelta(hours=1)
    api.parts.pull_runs.put(PullRun("weather", AT + hour, AT, AT - hour, 3, "503 after 4 attempts"))
    api.parts.pull_runs.put(PullRun("forgotten", AT))
    answer = await api.get("/pulls")
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "connector": "air",
            "source": "air",
            "failures": 0,
            "last_error": "",
            "last_run_at": None,
            "next_run_at": None,
            "covered_to_at": None,
        },
        {
            "connector": "weather",
            "source": "open-meteo",
            "failures": 3,
            "last_error": "503 after 4 attempts",
            "last_run_at": "2026-11-22T01:00:00Z",
            "next_run_at": "2026-11-22T02:00:00Z",
            "covered_to_at": "2026-11-22T00:00:00Z",
        },
    ]
    assert (await api.get("/pulls", nonsense=1)).status_code == 400
