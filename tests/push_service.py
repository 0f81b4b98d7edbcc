"""A push service and a browser on loopback: decrypts what comes, and checks who sent it."""

import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dothi.ports.notices import PushSubscription
from http_sink import Got, HttpSink, Sunk, sinking

_CURVE = ec.SECP256R1()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """Keys of one registration."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(_CURVE)
        self.secret = b"0123456789abcdef"
        self.public = self._key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )

    def subscription(self, endpoint: str, person: str = "lan") -> PushSubscription:
        return PushSubscription(person, endpoint, b64(self.public), b64(self.secret), "Firefox")

    def decrypt(self, body: bytes) -> bytes:
        """RFC 8291, section 3.4, from the receiver's side."""
        salt, size, length = body[:16], int.from_bytes(body[16:20], "big"), body[20]
        assert size == 4096
        assert len(body) <= size
        sender, content = body[21 : 21 + length], body[21 + length :]
        shared = self._key.exchange(
            ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, sender)
        )
        info = b"WebPush: info\0" + self.public + sender
        keying = HKDF(hashes.SHA256(), 32, self.secret, info).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(keying)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(keying)
        plain = AESGCM(key).decrypt(nonce, content, None).rstrip(b"\0")
        assert plain.endswith(b"\2")
        return plain[:-1]


@dataclass
class PushService:
    sink: HttpSink
    browser: Browser
    status: int = 201

    @property
    def endpoint(self) -> str:
        return self.sink.url.replace("/hook", "/push/abc")

    def shown(self, got: Got) -> Any:
        """What the browser reads."""
        return json.loads(self.browser.decrypt(got.body))

    @staticmethod
    def claims(got: Got) -> tuple[dict[str, Any], str]:
        """Of the token, whose signature is checked, and the key."""
        scheme, _, rest = got.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        head, body, signature = fields["t"].split(".")
        raw = unb64(signature)
        der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
        key = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, unb64(fields["k"]))
        key.verify(der, f"{head}.{body}".encode(), ec.ECDSA(hashes.SHA256()))
        assert json.loads(unb64(head)) == {"typ": "JWT", "alg": "ES256"}
        return json.loads(unb64(body)), fields["k"]


@asynccontextmanager
async def push_service() -> AsyncIterator[PushService]:
    async with sinking(lambda _: Sunk(service.status)) as sink:
        service = PushService(sink, Browser())
        yield service
