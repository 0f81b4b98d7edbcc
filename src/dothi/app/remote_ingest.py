"""The way in for commands while the program runs: over its own HTTP server."""

from types import TracebackType

import httpx
import msgspec

from dothi.app.http.batches import PATH
from dothi.app.http.identity import COOKIE
from dothi.model.batch import Batch, CommitResult
from dothi.model.batch_message import encode_batch
from dothi.model.problem import Overloaded, Problem, StoreUnavailable

_TIMEOUT_S = 120.0


class RemoteIngest:
    """`ports.ingest.Ingest` on the running server of this data directory."""

    def __init__(self, url: str, session_token: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=url, cookies={COOKIE: session_token}, timeout=_TIMEOUT_S, trust_env=False
        )

    async def __aenter__(self) -> "RemoteIngest":
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.aclose()

    async def submit(self, batch: Batch) -> CommitResult:
        """See ports.ingest.Ingest."""
        try:
            answer = await self._client.post(PATH, content=encode_batch(batch))
        except httpx.HTTPError as error:
            raise StoreUnavailable(f"the running dothi does not answer: {error!r}") from error
        if answer.status_code == 429:
            raise Overloaded(float(answer.headers.get("retry-after", "1")))
        if answer.status_code == 503:
            raise StoreUnavailable(answer.json().get("detail", "no reason given"))
        if answer.status_code != 200:
            raise problem_of(answer)
        return msgspec.json.decode(answer.content, type=CommitResult)


def problem_of(answer: httpx.Response) -> Problem:
    """What the server says is wrong."""
    try:
        said = answer.json()
    except ValueError:
        said = {}
    return Problem(
        said.get("code", "not_taken"),
        said.get("title", "The running dothi refuses"),
        said.get("detail", f"status {answer.status_code}"),
        answer.status_code,
        remedy=said.get("remedy", ""),
    )
