"""Reads of the store that are waited for at the same time share one look.

Many threads that each ask for one entity stand in each other's way, and in that of the writer; one
that asks for all of them at once needs a quarter of the time for each.
"""

import asyncio
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, NamedTuple, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from dothi.facades.ngsi_ld.errors import NgsiError
from dothi.model.problem import StoreUnavailable
from dothi.ports.entity_query import Entities, EntitySearch, Form, StoredEntity, with_only

Q = TypeVar("Q")
A = TypeVar("A")
Failure = NgsiError | StoreUnavailable

_MOST_AT_ONCE = 64
_SLOW_S = 0.05
"""64 questions take 10 ms where the disk is warm; on a busy machine some times as much."""
_IN_THREADS_S = 30.0


class Pace:
    """Whether a look is made on the event loop: to hand a short one to a thread, and its answer
    back, costs more than the look. A slow one (a disk that is not warm) sends the next to threads.
    """

    def __init__(self, read_s: Callable[[], float] = time.monotonic) -> None:
        self._read_s = read_s
        self._slow_until_s = -math.inf

    def lets(self, count: int) -> bool:
        """Whether so many questions are answered on the loop."""
        return count <= _MOST_AT_ONCE and self._read_s() >= self._slow_until_s

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Around a look."""
        began_s = self._read_s()
        yield
        ended_s = self._read_s()
        if ended_s - began_s > _SLOW_S:
            self._slow_until_s = ended_s + _IN_THREADS_S


class Gathering(Generic[Q, A]):
    """What is asked while a look is under way, or in one turn, shares a look. On the event loop."""

    def __init__(
        self, look: Callable[[Sequence[Q]], Sequence[A | Failure]], pace: Pace | None = None
    ) -> None:
        """`look`: answers all questions, in order; it runs in a thread, or where the pace lets
        it on the loop.
        """
        self._look = look
        self._pace = pace
        self._waiting: list[tuple[Q, asyncio.Future[A]]] = []
        self._task: asyncio.Task[None] | None = None

    async def ask(self, question: Q) -> A:
        """The answer. Raises what the look gave instead of one, or failed with."""
        answer: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._waiting.append((question, answer))
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="dothi-gathered-reads")
        return await answer

    async def _run(self) -> None:
        try:
            while self._waiting:
                asked, self._waiting = self._waiting, []
                answers = self._answers([question for question, _ in asked])
                (look,), _ = await asyncio.wait([asyncio.ensure_future(answers)])
                failure = look.exception()
                found = [failure] * len(asked) if failure is not None else look.result()
                for (_, answer), got in zip(asked, found, strict=True):
                    _settle(answer, got)
        finally:
            self._task = None

    async def _answers(self, questions: Sequence[Q]) -> Sequence[A | Failure]:
        pace = self._pace
        if pace is None or not pace.lets(len(questions)):
            return await asyncio.to_thread(self._look, questions)
        with pace.measured():
            return self._look(questions)


def _settle(answer: "asyncio.Future[A]", got: A | BaseException) -> None:
    if answer.done():
        return  # whoever asked has gone
    if isinstance(got, BaseException):
        answer.set_exception(got)
    else:
        answer.set_result(got)


class Wanted(Struct, frozen=True):
    """Entities of one store; with a form, as it writes them."""

    entities: Entities
    ids: Sequence[str]
    form: Form | None = None
    names: tuple[str, ...] = ()
    """Only these attributes; empty: all."""


def load_together(questions: Sequence[Wanted]) -> list[list[StoredEntity] | Failure]:
    """The entities that exist, per question in the order of its ids."""
    alike: dict[tuple[int, bool], list[Wanted]] = {}
    for question in questions:
        alike.setdefault(_kind(question), []).append(question)
    found = {kind: _loaded(some) for kind, some in alike.items()}
    return [_of(found[_kind(question)], question) for question in questions]


class Glance(Struct, frozen=True):
    """A page of a search, written."""

    entities: Entities
    search: EntitySearch
    """With a limit."""
    form: Form


class Glimpse(NamedTuple):
    """What a glance saw."""

    written: list[bytes]
    has_next: bool


def glance_together(questions: Sequence[Glance]) -> list[Glimpse | Failure | None]:
    """The pages that are found at once, per question; None: it must be searched for."""
    found = _glanced(questions)
    held = [
        Wanted(q.entities, ids[: q.search.limit], q.form)
        for q, ids in zip(questions, found, strict=True)
        if isinstance(ids, list)
    ]
    written = iter(write_together(held))
    answers: list[Glimpse | Failure | None] = []
    for question, ids in zip(questions, found, strict=True):
        if not isinstance(ids, list):
            answers.append(ids)
            continue
        content = next(written)
        has_next = len(ids) > (question.search.limit or 0)
        answers.append(Glimpse(content, has_next) if isinstance(content, list) else content)
    return answers


def _glanced(questions: Sequence[Glance]) -> list[list[str] | Failure | None]:
    """Per question: ids of the page and one more, when there are more."""
    by_store: dict[int, list[Glance]] = {}
    for question in questions:
        by_store.setdefault(id(question.entities), []).append(question)
    seen = {store: iter(_seen(alike)) for store, alike in by_store.items()}
    return [next(seen[id(question.entities)]) for question in questions]


def _seen(alike: Sequence[Glance]) -> Sequence[list[str] | Failure | None]:
    """The same for questions of one store."""
    searches = [replace(q.search, limit=(q.search.limit or 0) + 1) for q in alike]
    try:
        return alike[0].entities.glance(searches)
    except StoreUnavailable as error:
        return [error] * len(alike)


def _kind(question: Wanted) -> tuple[int, bool]:
    """Of one store, and whole entities or not."""
    return id(question.entities), bool(question.names)


def _loaded(alike: Sequence[Wanted]) -> dict[str, StoredEntity] | Failure:
    ids = dict.fromkeys(id_ for question in alike for id_ in question.ids)
    names = dict.fromkeys(name for question in alike for name in question.names)
    try:
        return {e.id: e for e in alike[0].entities.load(list(ids), tuple(names))}
    except StoreUnavailable as error:
        return error


def _of(found: dict[str, StoredEntity] | Failure, question: Wanted) -> list[StoredEntity] | Failure:
    if not isinstance(found, dict):
        return found
    wanted = [found[id_] for id_ in dict.fromkeys(question.ids) if id_ in found]
    return [with_only(entity, question.names) for entity in wanted] if question.names else wanted


def write_together(questions: Sequence[Wanted]) -> list[list[bytes] | Failure]:
    """The forms of the entities that exist, per question in the order of its ids."""
    alike: dict[tuple[int, int], list[Wanted]] = {}
    for question in questions:
        alike.setdefault((id(question.entities), id(question.form)), []).append(question)
    together = {key: _by_id(some) for key, some in alike.items()}
    return [_answer(q, together[id(q.entities), id(q.form)]) for q in questions]


def _by_id(alike: Sequence[Wanted]) -> dict[str, bytes] | None:
    """What questions of one store want in one form; None where each has to be asked for itself:
    it is alone, one of them fails, or something does not exist."""
    if len(alike) == 1:
        return None
    ids = list(dict.fromkeys(i for q in alike for i in q.ids))
    found = _written(Wanted(alike[0].entities, ids, alike[0].form))
    if not isinstance(found, list) or len(found) < len(ids):
        return None
    return dict(zip(ids, found, strict=True))


def _answer(question: Wanted, found: dict[str, bytes] | None) -> list[bytes] | Failure:
    if found is None:
        return _written(question)
    return [found[i] for i in dict.fromkeys(question.ids)]


def _written(question: Wanted) -> list[bytes] | Failure:
    try:
        assert question.form is not None
        return question.entities.written(question.ids, question.form)
    except (NgsiError, StoreUnavailable) as error:
        return error
