"""The names by which brokers recognise each other (clauses 5.2.40 and 6.3.18)."""


def tenant_alias(alias: str, tenant: str) -> str:
    """The pseudonym of one tenant of this broker; the default tenant has the broker's own."""
    return f"{alias}~{tenant}" if tenant else alias
