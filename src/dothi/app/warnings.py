"""Puts public warnings together: the desk, the public pages, the lists of the province."""

import msgspec
from msgspec import Struct

from dothi.access.endpoint import Endpoint
from dothi.api.kept_files import WarningFiles
from dothi.app.config.settings import Settings
from dothi.app.data_folder import DataFolder
from dothi.app.notices import document_notifiers
from dothi.app.stores import Registers
from dothi.facades.cap import public
from dothi.facades.cap.answering import AnswerDesk
from dothi.facades.cap.catalogue import read_catalogue
from dothi.facades.cap.desk import Desk, DeskPorts
from dothi.facades.cap.pushing import CapPush, Patience, PushPorts
from dothi.facades.cap.settings import WarningSettings
from dothi.facades.cap.subjects import KnownSubjects
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
    *,
    is_drill: bool,
) -> WarningParts:
    """In a drill only exercises are possible, whatever the settings say.

    Raises Problem: a list cannot be read.
    """
    own = settings.warnings
    if is_drill:
        own = msgspec.structs.replace(own, is_drill=True)
    files = WarningFiles(EvidenceFolder(folder.warning_files), own.file_mb * 2**20)
    subjects = KnownSubjects(stores.alarms, stores.incidents, stores.areas, clock, own.zone)
    ports = DeskPorts(
        stores.warnings,
        stores.areas,
        clock,
        stores.people,
        subjects,
        settings.server.public_url,
    )
    desk = Desk(own, _catalogue(own), ports)
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
