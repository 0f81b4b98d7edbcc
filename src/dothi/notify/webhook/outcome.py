"""What an HTTP exchange means for a letter."""

import ssl

from dothi.model.delivery import DeliveryState
from dothi.notify.addresses import ForbiddenAddress, reason
from dothi.notify.webhook.client import HttpClient
from dothi.notify.webhook.connection import Answer
from dothi.ports.channel import Handed
from dothi.ports.notifier import Message

_AGAIN = frozenset({408, 409, 423, 425, 429})
"""Status codes after which the same request may pass later."""


async def exchanged(client: HttpClient, message: Message, method: str = "POST") -> Answer | Handed:
    """The answer, or what became of the attempt when there was none."""
    try:
        return await client.exchange(message, method)
    except TimeoutError:
        detail = f"no answer within {message.timeout_s:g} s"
    except ssl.SSLCertVerificationError as error:
        detail = f"the certificate is not trusted: {error.verify_message}"
    except ForbiddenAddress as error:
        return Handed(DeliveryState.FAILED, str(error))
    except UnicodeError:
        return Handed(DeliveryState.FAILED, "the address cannot be used")
    except ValueError as error:
        return Handed(DeliveryState.FAILED, str(error))
    except OSError as error:
        detail = reason(error)
    return Handed(DeliveryState.WAITING, detail, is_reached=False)


def refused(answer: Answer, detail: str = "") -> Handed:
    """What an answer without success means."""
    detail = detail or f"answered with status {answer.status}"
    if answer.status >= 500:
        return Handed(DeliveryState.WAITING, detail, is_reached=False)
    if answer.status in _AGAIN:
        return Handed(DeliveryState.WAITING, detail)
    return Handed(DeliveryState.FAILED, detail)


def is_success(status: int) -> bool:
    return 200 <= status < 300
