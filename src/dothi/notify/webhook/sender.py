"""Notifications as HTTP POST over connections that are kept (ports.notifier.Notifier)."""

import ssl

from dothi.access.egress import EgressPolicy
from dothi.notify.addresses import ForbiddenAddress, reason
from dothi.notify.webhook.client import HttpClient
from dothi.ports.notifier import Message, Outcome

RETRYABLE = frozenset({408, 425, 429})


class WebhookSender:
    """Success is status 200 alone (ETSI GS CIM 009, clause 5.8.6)."""

    def __init__(self, policy: EgressPolicy, verification: ssl.SSLContext | None = None) -> None:
        """`verification`: which certificates are trusted; those of the system when left out."""
        self._client = HttpClient(policy, verification)

    async def send(self, message: Message) -> Outcome:
        """See ports.notifier.Notifier."""
        try:
            status = (await self._client.exchange(message)).status
        except TimeoutError:
            return Outcome(False, f"no answer within {message.timeout_s:g} s", may_retry=True)
        except ssl.SSLCertVerificationError as error:
            return Outcome(False, f"the certificate is not trusted: {error.verify_message}", True)
        except ForbiddenAddress as error:
            return Outcome(False, str(error))
        except (OSError, ValueError) as error:
            return Outcome(False, reason(error), may_retry=True)
        if status == 200:
            return Outcome(True)
        may_retry = status >= 500 or status in RETRYABLE
        return Outcome(False, f"answered with status {status}", may_retry)

    async def close(self) -> None:
        """See ports.notifier.Notifier."""
        await self._client.close()
