"""Tables `notice_preference` and `push_subscription`: how people want to be told."""

import time

import msgspec
from sqlalchemy import Engine, delete, select
from sqlalchemy.dialects import sqlite

from dothi.model.preference import Preference
from dothi.ports.notices import PushSubscription
from dothi.storage.relational.notice_tables import notice_preference, push_subscription
from dothi.storage.relational.writing import writing


class RelationalPreferences:
    """The port `Preferences` over SQLAlchemy Core."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def of(self, person: str) -> Preference | None:
        query = select(notice_preference.c.body).where(notice_preference.c.person == person)
        with self._engine.connect() as connection:
            body = connection.scalar(query)
        return None if body is None else msgspec.json.decode(body, type=Preference)

    def all(self) -> list[Preference]:
        query = select(notice_preference.c.body).order_by(notice_preference.c.person)
        with self._engine.connect() as connection:
            return [
                msgspec.json.decode(body, type=Preference) for body in connection.scalars(query)
            ]

    def put(self, preference: Preference) -> None:
        values = {
            "person": preference.person,
            "body": msgspec.json.encode(preference).decode(),
            "modified_us": time.time_ns() // 1000,
        }
        put = sqlite.insert(notice_preference).values(values)
        with writing(self._engine) as connection:
            connection.execute(
                put.on_conflict_do_update(
                    index_elements=[notice_preference.c.person],
                    set_={"body": put.excluded.body, "modified_us": put.excluded.modified_us},
                )
            )

    def pushes(self) -> list[PushSubscription]:
        query = select(push_subscription).order_by(push_subscription.c.id)
        with self._engine.connect() as connection:
            return [
                PushSubscription(row.person, row.endpoint, row.public_key, row.secret, row.name)
                for row in connection.execute(query)
            ]

    def add_push(self, subscription: PushSubscription) -> None:
        values = {
            "person": subscription.person,
            "endpoint": subscription.endpoint,
            "public_key": subscription.public_key,
            "secret": subscription.secret,
            "name": subscription.name,
            "created_us": time.time_ns() // 1000,
        }
        put = sqlite.insert(push_subscription).values(values)
        changed = {name: put.excluded[name] for name in values if name != "endpoint"}
        with writing(self._engine) as connection:
            connection.execute(
                put.on_conflict_do_update(
                    index_elements=[push_subscription.c.endpoint], set_=changed
                )
            )

    def drop_push(self, endpoint: str, person: str = "") -> bool:
        which = push_subscription.c.endpoint == endpoint
        if person:
            which &= push_subscription.c.person == person
        with writing(self._engine) as connection:
            known = connection.scalar(select(push_subscription.c.id).where(which))
            connection.execute(delete(push_subscription).where(which))
        return known is not None
