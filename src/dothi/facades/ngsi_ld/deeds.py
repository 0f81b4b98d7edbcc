"""What is done through NGSI-LD, in the words of the audit record.

Values of devices and systems are not told: each stands in the log with its source and time. What a
person writes is told, one line per request; so is what takes data away, and what makes data flow.
"""

from dothi.access.deed_kind import DeedKind, Deeds

_V1 = "/ngsi-ld/v1"
_WHERE = ("query", "tenant")
_ENTITY = "entity:{entity_id}"


def _about(path: str, name: str, parameter: str, kind: str = "") -> dict[str, DeedKind]:
    kind = kind or name
    one = f"{kind}:{{{parameter}}}"
    return {
        f"POST {_V1}/{path}": DeedKind(f"{name}_made", kind, _WHERE),
        f"PATCH {_V1}/{path}/{{{parameter}}}": DeedKind(f"{name}_changed", one, _WHERE),
        f"DELETE {_V1}/{path}/{{{parameter}}}": DeedKind(f"{name}_deleted", one, _WHERE),
    }


def _written(action: str, subject: str, *fields: str) -> DeedKind:
    return DeedKind(action, subject, (*fields, *_WHERE), is_of_people_only=True)


DEEDS: Deeds = {
    **_about("subscriptions", "subscription", "subscription_id"),
    **_about("csourceRegistrations", "registration", "registration_id"),
    **_about(
        "csourceSubscriptions", "registration_subscription", "subscription_id", "subscription"
    ),
    **_about("snapshots", "snapshot", "snapshot_id"),
    f"POST {_V1}/snapshots/{{snapshot_id}}/clone": DeedKind(
        "snapshot_cloned", "snapshot:{snapshot_id}", _WHERE
    ),
    f"DELETE {_V1}/snapshots": DeedKind("snapshots_purged", "snapshot", _WHERE),
    f"POST {_V1}/jsonldContexts": DeedKind("context_hosted", "context"),
    f"DELETE {_V1}/jsonldContexts/{{name}}": DeedKind(
        "context_deleted", "context:{name}", ("query",)
    ),
    f"DELETE {_V1}/entities": DeedKind("entities_purged", "entity", _WHERE),
    f"DELETE {_V1}/entities/{{entity_id}}": DeedKind("entity_deleted", _ENTITY, _WHERE),
    f"DELETE {_V1}/entities/{{entity_id}}/attrs/{{attribute}}": DeedKind(
        "attribute_deleted", _ENTITY, ("attribute", *_WHERE)
    ),
    f"POST {_V1}/entityOperations/delete": DeedKind(
        "entities_deleted", "entity", ("count", "entities", *_WHERE)
    ),
    f"DELETE {_V1}/temporal/entities/{{entity_id}}": DeedKind("history_deleted", _ENTITY, _WHERE),
    f"DELETE {_V1}/temporal/entities/{{entity_id}}/attrs/{{attribute}}": DeedKind(
        "history_deleted", _ENTITY, ("attribute", *_WHERE)
    ),
    f"POST {_V1}/entities": _written("entity_written", "entity:{id}"),
    **{
        f"{method} {_V1}/entities/{{entity_id}}{rest}": _written(
            "entity_written", _ENTITY, "attribute"
        )
        for method, rest in (
            ("PATCH", ""),
            ("PUT", ""),
            ("PATCH", "/attrs"),
            ("POST", "/attrs"),
            ("PATCH", "/attrs/{attribute}"),
            ("PUT", "/attrs/{attribute}"),
        )
    },
    **{
        f"POST {_V1}/entityOperations/{name}": _written(
            "entities_written", "entity", "count", "entities"
        )
        for name in ("create", "merge", "update", "upsert")
    },
    f"POST {_V1}/temporal/entities": _written("history_written", "entity:{id}"),
    **{
        f"{method} {_V1}/temporal/entities/{{entity_id}}/attrs{rest}": _written(
            "history_written", _ENTITY, "attribute"
        )
        for method, rest in (("POST", ""), ("PATCH", "/{attribute}"))
    },
}

_ASKS = "changes nothing: a question with a body, or its kept answer"
_REFUSES = "always refused"

UNTOLD = {
    "POST /ngsi-ld/ex/remote-notify": "a system tells; what follows has the source in the log",
    "POST /ngsi-ld/ex/remote-notify/{tenant}": "as above",
    f"PUT {_V1}/entities": _REFUSES,
    f"PATCH {_V1}/entities": _REFUSES,
    f"POST {_V1}/entityOperations/query": _ASKS,
    f"POST {_V1}/temporal/entityOperations/query": _ASKS,
    f"POST {_V1}/entityMaps": _ASKS,
    f"PATCH {_V1}/entityMaps/{{map_id}}": _ASKS,
    f"DELETE {_V1}/entityMaps/{{map_id}}": _ASKS,
    f"POST {_V1}/temporal/entityMaps": _ASKS,
}
"""Writing endpoints without a line above, and why."""
