"""Notices to people: channels by the settings, the service, and its routes."""

import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import anyio.to_thread
from msgspec import Struct

from dothi.access.egress import EgressPolicy, egress_policy
from dothi.access.endpoint import Endpoint
from dothi.api import notice_preferences, notice_receipts, notices
from dothi.api.notice_deps import NoticeDeps
from dothi.app.config.settings import Settings
from dothi.app.stores import Registers
from dothi.model.problem import Problem
from dothi.notify.captured import CapturedChannel
from dothi.notify.dispatch.circle import WEB_PUSH
from dothi.notify.dispatch.service import NoticePorts, NoticeService
from dothi.notify.email.channel import EmailChannel
from dothi.notify.gateway.channel import GatewayChannel
from dothi.notify.mqtt.channel import MqttChannel
from dothi.notify.mqtt.sender import MqttSender
from dothi.notify.secrets import read_secret
from dothi.notify.settings import NoticeSettings
from dothi.notify.smpp.channel import SmppChannel
from dothi.notify.webhook.channel import WebhookChannel, signing_key
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.documents import CapturedDocuments, DocumentWebhook
from dothi.notify.wording.templates import read_templates
from dothi.notify.wording.words import Wording
from dothi.ports.channel import Channel
from dothi.ports.clock import Clock
from dothi.ports.clock_watch import SteadyClock, boot_id
from dothi.ports.notifier import DocumentNotifier

_LOOPBACK = ("127.0.0.0/8", "::1/128")
_SETTING = "[notices] allow"
_MARKS = {
    "example": {"vi": "[VÍ DỤ, SỐ LIỆU GIẢ]", "en": "[EXAMPLE, MADE-UP DATA]"},
    "drill": {"vi": "[DIỄN TẬP]", "en": "[DRILL]"},
}
_USUAL = (WEB_PUSH, "sms", "email", "webhook", "mqtt")


class _Built(Struct, frozen=True):
    channels: Mapping[str, Channel]
    push_key: str = ""


class NoticePart:
    """What the program has of notices."""

    def __init__(
        self, settings: Settings, stores: Registers, clock: Clock, folder: Path, mode: str
    ) -> None:
        """Raises Problem: something is set up wrongly, or a secret is missing."""
        own = settings.notices
        built = _channels(settings, stores, folder)
        wording = Wording(
            read_templates(Path(own.templates_dir) if own.templates_dir else None),
            _zone(own),
            settings.server.public_url,
            own.sms_diacritics,
            own.sms_parts,
            _MARKS.get(mode, {}),
        )
        ports = NoticePorts(
            stores.notices,
            stores.delivery_queue,
            stores.notice_preferences,
            stores.people,
            built.channels,
            wording,
            clock,
            built.push_key,
            SteadyClock(boot=boot_id()),
        )
        self.service = NoticeService(ports, own)
        self._deps = NoticeDeps(
            stores.notices,
            stores.notice_preferences,
            stores.people,
            self.service,
            clock,
            {
                name: channel.receipts
                for name, channel in built.channels.items()
                if isinstance(channel, GatewayChannel) and channel.receipts is not None
            },
        )

    def endpoints(self) -> list[Endpoint]:
        """Every route about notices."""
        parts = (notices, notice_preferences, notice_receipts)
        return [endpoint for part in parts for endpoint in part.endpoints(self._deps)]


def _zone(settings: NoticeSettings) -> ZoneInfo:
    try:
        return ZoneInfo(settings.zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise _wrong("[notices] zone", f"{settings.zone!r} is no time zone") from error


def _channels(settings: Settings, stores: Registers, folder: Path) -> _Built:
    """In the order in which they are tried."""
    own = settings.notices
    if own.capture:
        contacts = {name: gateway.contact or name for name, gateway in own.gateways.items()}
        contacts = dict.fromkeys(_USUAL, "") | contacts
        built = _Built(
            {name: CapturedChannel(contact or name) for name, contact in contacts.items()}
        )
    else:
        built = _open_channels(settings, stores, folder)
    unknown = [name for name in own.channels if name not in built.channels]
    if unknown and not own.capture:
        raise _wrong("[notices] channels", f"{', '.join(unknown)}: no such channel is set up")
    first = [name for name in own.channels if name in built.channels]
    order = dict.fromkeys([*first, *built.channels])
    return _Built({name: built.channels[name] for name in order}, built.push_key)


def _open_channels(settings: Settings, stores: Registers, folder: Path) -> _Built:
    own = settings.notices
    policy = _policy(settings)
    found: dict[str, Channel] = {}
    push_key = ""
    if own.web_push.subject:
        found[WEB_PUSH], push_key = _web_push(own, policy, stores, folder)
    for name, gateway in own.gateways.items():
        secret = read_secret(gateway.secret_file, f"[notices.gateways.{name}] secret_file")
        where = f"[notices.gateways.{name}] receipt_secret_file"
        told = read_secret(gateway.receipt_secret_file, where)
        found[name] = GatewayChannel(name, gateway, secret, _client(policy), told)
    if own.smpp.host:
        if "sms" in found:
            raise _wrong("[notices.smpp]", "a gateway has the name `sms` too; give it another one")
        password = read_secret(own.smpp.password_file, "[notices.smpp] password_file")
        found["sms"] = SmppChannel(own.smpp, password, policy)
    if own.email.host:
        found["email"] = _email(own, policy)
    if own.webhook.secret_file:
        secret = read_secret(own.webhook.secret_file, "[notices.webhook] secret_file")
        client = _client(policy)
        found["webhook"] = WebhookChannel(client, signing_key(secret), own.webhook.timeout_s)
    if own.mqtt.url:
        password = read_secret(own.mqtt.password_file, "[notices.mqtt] password_file")
        sender = MqttSender(policy, setting=_SETTING)
        found["mqtt"] = MqttChannel(own.mqtt, password, sender)
    return _Built(found, push_key)


def document_notifiers(settings: Settings) -> dict[str, DocumentNotifier]:
    """One for each receiver of public warnings. Raises Problem: a secret is missing or wrong."""
    receivers = settings.warnings.receivers
    if settings.notices.capture:
        return {name: CapturedDocuments() for name in receivers}
    policy, found = _policy(settings), dict[str, DocumentNotifier]()
    for name, one in receivers.items():
        setting = f"[warnings.receivers.{name}] secret_file"
        key = signing_key(read_secret(one.secret_file, setting), setting)
        found[name] = DocumentWebhook(_client(policy), one.url, key, one.timeout_s)
    return found


def _policy(settings: Settings) -> EgressPolicy:
    allowed = settings.notices.allow
    if settings.access.mode == "open":
        allowed += _LOOPBACK  # whoever may use the program is on this machine already
    try:
        return egress_policy(allowed)
    except ValueError as error:
        raise _wrong(_SETTING, str(error)) from error


def _client(policy: EgressPolicy, verification: ssl.SSLContext | None = None) -> HttpClient:
    return HttpClient(policy, verification, setting=_SETTING)


def _email(own: NoticeSettings, policy: EgressPolicy) -> Channel:
    settings = own.email
    if settings.security == "none" and settings.user:
        raise _wrong("[notices.email] security", "user and password would be sent in the clear")
    if "@" not in settings.sender:
        raise _wrong("[notices.email] sender", "the address that messages come from is missing")
    password = read_secret(settings.password_file, "[notices.email] password_file")
    return EmailChannel(settings, password, policy)


def _web_push(
    own: NoticeSettings, policy: EgressPolicy, stores: Registers, folder: Path
) -> tuple[Channel, str]:
    # Imported here: where web push is off, nobody needs the cryptography behind it.
    from dothi.notify.web_push.channel import WebPushChannel
    from dothi.notify.web_push.vapid import Vapid, load_key

    vapid = Vapid(load_key(folder / "secrets" / "vapid.pem"), own.web_push.subject)
    gone = _gone(stores)
    return WebPushChannel(own.web_push, vapid, _client(policy), gone), vapid.public_key


def _gone(stores: Registers) -> Callable[[str], Awaitable[None]]:
    async def gone(endpoint: str) -> None:
        await anyio.to_thread.run_sync(stores.notice_preferences.drop_push, endpoint)

    return gone


def _wrong(where: str, detail: str) -> Problem:
    return Problem(
        "notices_wrong",
        "Notices are set up wrongly",
        detail,
        500,
        where=where,
        remedy="docs/reference/settings.md lists every setting; the guide has examples",
    )
