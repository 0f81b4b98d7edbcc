"""Tables of rules, their versions and what they remember."""

from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Table, Text

from dothi.storage.relational.schema import metadata

rule = Table(
    "rule",
    metadata,
    Column("id", String, primary_key=True),
    Column("is_enabled", Boolean, nullable=False, server_default="1"),
    Column("switched_by", String, nullable=False, server_default=""),
    Column("switched_us", BigInteger),
)

rule_version = Table(
    "rule_version",
    metadata,
    Column("rule_id", String, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("document", Text, nullable=False, comment="JSON: model/rule.py, Rule"),
    Column("author", String, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    Column("approved_by", String, nullable=False, server_default=""),
    Column("approved_us", BigInteger, comment="null: a draft"),
)

rule_state = Table(
    "rule_state",
    metadata,
    Column("rule_id", String, primary_key=True, comment="empty: shared by all rules"),
    Column("entity", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

limit_table = Table(
    "limit_table",
    metadata,
    Column("name", String, primary_key=True),
    Column("document", Text, nullable=False, comment="JSON: model/rule.py, LimitTable"),
)

TABLES = (rule, rule_version, rule_state, limit_table)
