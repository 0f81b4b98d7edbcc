"""How much a query of evolutions may ask for (clause 6.3.2)."""

from tests.conformance.ngsi_ld.broker import Running, problem_of

MANY = "/temporal/entities"
POST = "/temporal/entityOperations/query"
EVER = {"timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}


async def test_too_large_filters_are_refused(door: Running) -> None:
    """Clause 6.3.2, TooComplexQuery: never an error of the database."""
    names = [f"a{n}" for n in range(1500)]
    for params in (
        {"q": "|".join(f"{name}==1" for name in names[:300])},
        {"type": ",".join(names[:300])},
        {"scopeQ": ",".join(f"/{name}" for name in names[:300])},
    ):
        answer = await door.get(MANY, params={"type": "Vehicle", **EVER, **params})
        problem_of(answer, 403, "TooComplexQuery")
    largest = {"q": "|".join(f"{name}==1" for name in names[:190])}
    answer = await door.get(MANY, params={"type": "Vehicle", **EVER, **largest})
    assert (answer.status_code, answer.json()) == (200, [])
    for entities in ([{"type": n} for n in names], [{"idPattern": n} for n in names]):
        body = {"type": "Query", "entities": entities, "attrs": ["speed"], "temporalQ": EVER}
        problem_of(await door.send("POST", POST, body), 403, "TooComplexQuery")
