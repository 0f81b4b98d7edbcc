"""Puts public warnings together: the desk, the public pages, the lists of the province."""

from collections.abc import Callable

import msgspec
from msgspec import Struct

from dothi.access.endpoint import Endpoint
from dothi.api.kept_files import WarningFiles
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.mode import Mode
from dothi.app.notices import document_notifiers
from dothi.app.stores import Registers
from dothi.facades.cap import public
from dothi.facades.cap.answering import AnswerDesk
from dothi.facades.cap.catalogue import read_catalogue
from dothi.facades.cap.desk import Desk, DeskPorts
from dothi.facades.cap.pushing import CapPush, Patience, PushPorts
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.subjects import Known, KnownSubjects
from dothi.model.alarm import RuleFacts
from dothi.model.problem import Problem
from dothi.model.warning_lists import Catalogue
from dothi.ports.clock import Clock
from dothi.storage.blobs.evidence import EvidenceFolder


class WarningParts(Struct, frozen=True):
    """What runs of it."""

    desk: Desk
    answers: AnswerDesk
    files: WarningFiles
    endpoints: list[Endpoint]
    push: CapPush


def warning_parts(
    settings: Settings,
    stores: Registers,
    folder: DataFolder,
    clock: Clock,
    facts: Callable[[str, int], RuleFacts],
    mode: Mode,
) -> WarningParts:
    """In a drill only exercises are possible, whatever the settings say. `facts`: what is known of
    a rule's version.

    Raises Problem: a list cannot be read.
    """
    own = settings.warnings
    if mode.is_fenced:
        own = msgspec.structs.replace(own, is_drill=True)
    files = WarningFiles(EvidenceFolder(folder.warning_files), own.file_mb * 2**20)
    catalogue = _catalogue(own)
    is_real = mode.name == "normal"
    known = Known(stores.alarms, facts, stores.incidents, stores.areas, catalogue, is_real)
    ports = DeskPorts(
        stores.warnings,
        stores.areas,
        clock,
        stores.people,
        KnownSubjects(known, clock, own.zone),
        settings.server.public_url,
    )
    desk = Desk(own, catalogue, ports)
    answers = public.PublicWarnings(
        public.PublicStores(stores.warnings, stores.foreign_warnings, files.store),
        own,
        clock,
        settings.server.public_url,
    )
    replies = AnswerDesk(own, stores.foreign_warnings, clock)
    push = CapPush(
        own.receivers,
        PushPorts(stores.warnings, stores.cursors, clock, document_notifiers(settings)),
        Patience(
            settings.notices.poll_s,
            settings.notices.retry_s,
            settings.notices.max_retry_s,
            settings.notices.keep_s,
        ),
    )
    return WarningParts(desk, replies, files, public.endpoints(answers), push)


def _catalogue(settings: WarningSettings) -> Catalogue:
    try:
        return read_catalogue(settings.events_file, settings.risk_levels_file)
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "warning_lists_unusable",
            "A list for public warnings cannot be read",
            str(error),
            where=f"{settings.events_file} {settings.risk_levels_file}".strip(),
            remedy="the files that come with dothi in facades/cap/data show their form",
        ) from error
