"""Says to push services who sends (VAPID, RFC 8292)."""

import os
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from dothi.model.problem import Problem
from dothi.notify.web_push.encryption import public_bytes, to_base64url

_LIFETIME_S = 12 * 3600
"""At most a day is allowed (RFC 8292, section 2)."""


class Vapid:
    """Signs for any push service."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, subject: str) -> None:
        self._key = key
        self._subject = subject
        self.public_key = to_base64url(public_bytes(key.public_key()))
        """What browsers want as `applicationServerKey`."""

    def authorization(self, origin: str, now_s: float) -> str:
        """Value of the header for a push service, e.g. `https://push.example.net`."""
        claims = {"aud": origin, "exp": int(now_s) + _LIFETIME_S, "sub": self._subject}
        signed = f"{_part({'typ': 'JWT', 'alg': 'ES256'})}.{_part(claims)}"
        der = self._key.sign(signed.encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(der)
        token = f"{signed}.{to_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"
        return f"vapid t={token}, k={self.public_key}"


def load_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key in the file; a new one when there is none: browsers know us by it.

    Raises Problem: the file holds no such key, or cannot be written.
    """
    try:
        if not path.exists():
            _write(path, ec.generate_private_key(ec.SECP256R1()))
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise _unusable(path, str(error)) from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise _unusable(path, "it is no key of the curve P-256")
    return key


def _write(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)


def _part(value: dict[str, object]) -> str:
    return to_base64url(msgspec.json.encode(value))


def _unusable(path: Path, detail: str) -> Problem:
    return Problem(
        "vapid_key_unusable",
        "The key of web push cannot be used",
        detail,
        500,
        where=str(path),
        remedy="take the file away: a new key is made, and browsers register anew",
    )
