"""What people do through the API, in the words of the audit record: one line per endpoint.

Whatever changes something stands here, or among UNTOLD with the reason.
"""

from dothi.access.deed_kind import DeedKind, Deeds

_INCIDENT, _WARNING = "incident:{id}", "warning:{id}"
_SHIFTS = "/api/v1/shifts"

DEEDS: Deeds = {
    "POST /api/v1/alarms/acknowledge": DeedKind(
        "alarms_acknowledged", "alarm:{alarms}", ("comment",)
    ),
    "POST /api/v1/alarms/{id}/comment": DeedKind("alarm_commented", "alarm:{id}", ("reason",)),
    "POST /api/v1/alarms/{id}/assign": DeedKind(
        "alarm_assigned", "alarm:{id}", ("owner", "reason")
    ),
    "POST /api/v1/alarms/{id}/reset": DeedKind("alarm_reset", "alarm:{id}", ("reason",)),
    "POST /api/v1/alarms/{id}/shelve": DeedKind(
        "alarm_shelved", "alarm:{id}", ("until_at", "reason")
    ),
    "POST /api/v1/alarms/{id}/unshelve": DeedKind("alarm_unshelved", "alarm:{id}", ("reason",)),
    "POST /api/v1/alarms/suppressions": DeedKind(
        "suppression_made",
        "suppression",
        (
            *("cause", "reason", "from_at", "until_at", "rule", "entity", "area", "parent"),
            *("least_urgent", "permit"),
        ),
    ),
    "POST /api/v1/alarms/suppressions/{id}/end": DeedKind(
        "suppression_ended", "suppression:{id}", ("reason",)
    ),
    "POST /api/v1/rules": DeedKind("rule_saved", "rule:{id}", ("title", "priority")),
    "PUT /api/v1/rules/limits": DeedKind("limits_saved", "limits:{tables}"),
    "POST /api/v1/rules/limits": DeedKind("limit_table_made", "limits:{name}", ("title", "unit")),
    "POST /api/v1/rules/limits/{table}/values": DeedKind(
        "limit_added",
        "limits:{table}",
        ("level", "entity", "value", "valid_from", "valid_to", "source"),
    ),
    "POST /api/v1/rules/limits/{table}/values/end": DeedKind(
        "limit_ended",
        "limits:{table}",
        ("level", "entity", "valid_from", "valid_to", "reason"),
    ),
    "POST /api/v1/rules/limits/{table}/values/verify": DeedKind(
        "limit_verified", "limits:{table}", ("level", "entity", "valid_from")
    ),
    "POST /api/v1/rules/{rule}/versions/{version}/approve": DeedKind(
        "rule_approved", "rule:{rule}", ("version",)
    ),
    "POST /api/v1/rules/{rule}/switch": DeedKind("rule_switched", "rule:{rule}", ("is_enabled",)),
    "POST /api/v1/incidents": DeedKind(
        "incident_opened",
        "incident",
        ("title", "severity", "commander", "subjects", "procedure"),
    ),
    "PATCH /api/v1/incidents/{id}": DeedKind(
        "incident_changed",
        _INCIDENT,
        ("title", "severity", "commander", "reason", "version"),
    ),
    "POST /api/v1/incidents/{id}/state": DeedKind(
        "incident_moved", _INCIDENT, ("state", "reason", "version")
    ),
    "POST /api/v1/incidents/{id}/entries": DeedKind(
        "incident_written", _INCIDENT, ("kind", "text", "refers_to", "amount", "currency", "to")
    ),
    "POST /api/v1/incidents/{id}/informed": DeedKind(
        "incident_informed", _INCIDENT, ("name", "how")
    ),
    "POST /api/v1/incidents/{id}/links": DeedKind("incident_linked", _INCIDENT, ("subjects",)),
    "POST /api/v1/incidents/{id}/unlink": DeedKind(
        "incident_unlinked", _INCIDENT, ("subject", "reason")
    ),
    "POST /api/v1/incidents/{id}/tasks": DeedKind(
        "task_added", _INCIDENT, ("title", "owner", "due_at")
    ),
    "PATCH /api/v1/incidents/{id}/tasks/{task}": DeedKind(
        "task_changed", _INCIDENT, ("task", "state", "owner", "due_at", "note")
    ),
    "POST /api/v1/incidents/{id}/runs": DeedKind(
        "procedure_started", _INCIDENT, ("procedure", "version", "cause")
    ),
    "POST /api/v1/incidents/{id}/runs/{run}/steps/{step}": DeedKind(
        "step_done", _INCIDENT, ("run", "step", "action", "reason")
    ),
    "POST /api/v1/incidents/{id}/runs/{run}/end": DeedKind(
        "procedure_broken_off", _INCIDENT, ("run", "reason")
    ),
    "POST /api/v1/incidents/{id}/files": DeedKind("file_added", _INCIDENT, ("name", "note")),
    "POST /api/v1/procedures": DeedKind("procedure_saved", "procedure"),
    "POST /api/v1/procedures/{procedure}/{version}/approve": DeedKind(
        "procedure_approved", "procedure:{procedure}", ("version",)
    ),
    "PATCH /api/v1/procedures/{procedure}/{version}": DeedKind(
        "procedure_switched", "procedure:{procedure}", ("version", "is_active")
    ),
    "POST /api/v1/warnings": DeedKind("warning_begun", "warning", ("subject",)),
    "PUT /api/v1/warnings/{id}/draft": DeedKind("warning_written", _WARNING, ("version",)),
    "POST /api/v1/warnings/{id}/submit": DeedKind(
        "warning_submitted", _WARNING, ("version", "reason")
    ),
    "POST /api/v1/warnings/{id}/return": DeedKind(
        "warning_returned", _WARNING, ("version", "reason")
    ),
    "POST /api/v1/warnings/{id}/discard": DeedKind(
        "warning_discarded", _WARNING, ("version", "reason")
    ),
    "POST /api/v1/warnings/{id}/release": DeedKind(
        "warning_released", _WARNING, ("version", "reason")
    ),
    "POST /api/v1/warnings/{id}/update": DeedKind("warning_update_begun", _WARNING, ("reason",)),
    "POST /api/v1/warnings/{id}/cancel": DeedKind(
        "warning_cancellation_begun", _WARNING, ("reason",)
    ),
    "POST /api/v1/warnings/files": DeedKind("warning_file_put", "warning", ("name",)),
    "POST /api/v1/warnings/foreign/{id}/answer": DeedKind(
        "foreign_answered", "foreign:{id}", ("msg_type", "note")
    ),
    "POST /api/v1/notices/test": DeedKind("test_notice_sent", "person:{me}"),
    "POST /api/v1/notices/{id}/answer": DeedKind("notice_answered", "notice:{id}", ("text",)),
    "PUT /api/v1/notices/preferences": DeedKind(
        "preferences_changed",
        "person:{person}",
        ("least_priority", "kinds", "language", "channels", "is_told_off_duty"),
    ),
    "POST /api/v1/notices/push": DeedKind("browser_added", "person:{me}", ("name",)),
    "DELETE /api/v1/notices/push": DeedKind("browser_dropped", "person:{me}"),
    "POST /api/v1/people": DeedKind("person_added", "person:{id}"),
    "PATCH /api/v1/people/{id}": DeedKind("person_changed", "person:{id}"),
    "POST /api/v1/people/{id}/link": DeedKind("login_link_made", "person:{id}"),
    f"POST {_SHIFTS}": DeedKind("shifts_planned", "roster"),
    f"PATCH {_SHIFTS}/{{id}}": DeedKind("shift_reassigned", "shift:{id}", ("person", "reason")),
    f"POST {_SHIFTS}/{{id}}/cancel": DeedKind("shift_cancelled", "shift:{id}", ("reason",)),
    f"POST {_SHIFTS}/absences": DeedKind("absence_added", "person:{person}"),
    f"DELETE {_SHIFTS}/absences/{{id}}": DeedKind("absence_removed", "absence:{id}"),
    f"POST {_SHIFTS}/take": DeedKind("duty_taken", "position:{position}"),
    f"POST {_SHIFTS}/duties/{{id}}/leave": DeedKind("duty_left", "duty:{id}", ("reason",)),
    "POST /api/v1/handovers": DeedKind("handover_opened", "duty:{duty}"),
    "PUT /api/v1/handovers/{id}/notes": DeedKind(
        "handover_written", "handover:{id}", ("revision",)
    ),
    "POST /api/v1/handovers/{id}/sign": DeedKind("handover_signed", "handover:{id}", ("digest",)),
    "POST /api/v1/handovers/{id}/withdraw": DeedKind("handover_withdrawn", "handover:{id}"),
    "POST /api/v1/sources": DeedKind(
        "source_saved",
        "source:{id}",
        (
            *("name", "kind", "owner", "origin", "cadence_s", "licence"),
            *("is_enabled", "may_write_others"),
        ),
    ),
    "POST /api/v1/sources/{id}/token": DeedKind("token_issued", "source:{id}"),
    "DELETE /api/v1/sources/{id}/tokens": DeedKind("tokens_revoked", "source:{id}"),
    "POST /api/v1/sources/{id}/release": DeedKind("series_released", "source:{id}"),
    "POST /api/v1/observations": DeedKind(
        "observations_sent", "source:{source}", ("query",), is_of_people_only=True
    ),
    "GET /api/v1/audit/export": DeedKind("audit_exported", "audit"),
}

UNTOLD = {
    "POST /api/v1/batches": "a command of this machine; values with their source in the log",
    "POST /api/v1/rules/back-test": "changes nothing: it computes over the past",
    "POST /api/v1/procedures/check": "changes nothing: it says what is wrong with a text",
    "POST /api/v1/warnings/preview": "changes nothing: it shows what would go out",
    "POST /api/v1/notices/receipts/{gateway}": "a program reports; it stands with the notice",
    "POST /api/v1/logout": "the sessions write their own entry, with the end of the session",
    "POST /login": "the sessions write their own entry; refusals are told by the door",
}
"""Writing endpoints without a line above, and why."""
