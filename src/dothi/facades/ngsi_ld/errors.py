"""Error answers of NGSI-LD (ETSI GS CIM 009, clauses 5.5.2 and 6.3.2)."""

from typing import Any

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"


class NgsiError(Exception):
    """An error answer: HTTP status, short name of the error type, title and detail."""

    def __init__(self, status: int, kind: str, title: str, detail: str) -> None:
        super().__init__(f"{title}: {detail}")
        self.status = status
        self.kind = kind
        self.title = title
        self.detail = detail

    def body(self) -> dict[str, Any]:
        """The ProblemDetails document."""
        return {
            "type": ERRORS + self.kind,
            "title": self.title,
            "detail": self.detail,
            "status": self.status,
        }


def invalid_request(detail: str) -> NgsiError:
    """Not readable as a request at all: broken JSON, unknown URL parameter."""
    return NgsiError(400, "InvalidRequest", "The request cannot be read", detail)


def bad_request_data(detail: str) -> NgsiError:
    """Readable, but its data break a rule."""
    return NgsiError(400, "BadRequestData", "The request holds wrong data", detail)


def not_found(detail: str) -> NgsiError:
    return NgsiError(404, "ResourceNotFound", "There is no such resource", detail)


def already_exists(detail: str) -> NgsiError:
    return NgsiError(409, "AlreadyExists", "The entity exists already", detail)


def conflict(detail: str) -> NgsiError:
    """Data or registrations are in the way (clauses 5.6 and 5.9)."""
    return NgsiError(409, "Conflict", "The request is in conflict with what is there", detail)


def loop_detected(detail: str) -> NgsiError:
    return NgsiError(508, "LoopDetected", "The request goes round in a circle", detail)


def not_supported(detail: str) -> NgsiError:
    return NgsiError(422, "OperationNotSupported", "The operation is not supported", detail)


def too_many_results(detail: str) -> NgsiError:
    return NgsiError(403, "TooManyResults", "The answer would be too large", detail)


def too_many_tenants(detail: str) -> NgsiError:
    return NgsiError(403, "TooManyResults", "There are too many tenants", detail)


def too_complex_query(detail: str) -> NgsiError:
    return NgsiError(403, "TooComplexQuery", "The query is too complex", detail)


def context_not_available(detail: str) -> NgsiError:
    return NgsiError(504, "LdContextNotAvailable", "A JSON-LD @context is not available", detail)


def nonexistent_tenant(detail: str) -> NgsiError:
    return NgsiError(404, "NonexistentTenant", "There is no such tenant", detail)


def no_multi_tenant_support(detail: str) -> NgsiError:
    return NgsiError(501, "NoMultiTenantSupport", "There are no tenants here", detail)


def not_acceptable(detail: str) -> NgsiError:
    return NgsiError(406, "InvalidRequest", "No acceptable media type", detail)


def method_not_allowed(detail: str) -> NgsiError:
    return NgsiError(405, "InvalidRequest", "The method is not allowed here", detail)


def unsupported_media_type(detail: str) -> NgsiError:
    return NgsiError(415, "InvalidRequest", "The media type is not supported", detail)


def too_large(detail: str) -> NgsiError:
    return NgsiError(413, "InvalidRequest", "The request is too large", detail)


def unavailable(detail: str) -> NgsiError:
    return NgsiError(503, "InternalError", "The store takes no writes now", detail)
