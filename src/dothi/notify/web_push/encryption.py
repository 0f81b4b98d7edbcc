"""Encrypts what only the browser may read (RFC 8291, content coding aes128gcm of RFC 8188)."""

import base64
import os

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_RECORD_BYTES = 4096
"""RFC 8291, section 4: push services take so much; all of it is one record."""
MOST_BYTES = _RECORD_BYTES - 86 - 16 - 1
"""Of the plain text: without header, tag and delimiter."""
_CURVE = ec.SECP256R1()


def encrypted(
    plain: bytes,
    receiver: bytes,
    secret: bytes,
    key: ec.EllipticCurvePrivateKey | None = None,
    salt: bytes | None = None,
) -> bytes:
    """The body of the request.

    `receiver`: public key of the browser (p256dh), `secret`: its auth; `key` and `salt` are made
    anew for every message and given only by tests. Raises ValueError: no such key; too long.
    """
    if len(plain) > MOST_BYTES:
        raise ValueError(f"{len(plain)} bytes; at most {MOST_BYTES} fit")
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(_CURVE, receiver)
    key = key or ec.generate_private_key(_CURVE)
    salt = salt or os.urandom(16)
    ours = public_bytes(key.public_key())
    shared = key.exchange(ec.ECDH(), theirs)
    info = b"WebPush: info\x00" + receiver + ours
    keying = _expand(_extract(secret, shared), info, 32)
    pseudo_random = _extract(salt, keying)
    content_key = _expand(pseudo_random, b"Content-Encoding: aes128gcm\x00", 16)
    nonce = _expand(pseudo_random, b"Content-Encoding: nonce\x00", 12)
    header = salt + _RECORD_BYTES.to_bytes(4, "big") + bytes([len(ours)]) + ours
    return header + AESGCM(content_key).encrypt(nonce, plain + b"\x02", None)


def public_bytes(key: ec.EllipticCurvePublicKey) -> bytes:
    """Uncompressed point, 65 bytes."""
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def from_base64url(text: str) -> bytes:
    """With or without padding. Raises ValueError."""
    return base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True)


def to_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _extract(salt: bytes, keying: bytes) -> bytes:
    mac = hmac.HMAC(salt, hashes.SHA256())
    mac.update(keying)
    return mac.finalize()


def _expand(pseudo_random: bytes, info: bytes, length: int) -> bytes:
    return HKDFExpand(hashes.SHA256(), length, info).derive(pseudo_random)
