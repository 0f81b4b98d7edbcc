"""Certificates of tests: for `localhost`, signed by themselves, so their own authority."""

import subprocess
from pathlib import Path


def self_signed(folder: Path) -> Path:
    """Makes `cert.pem` and `key.pem` in the folder; gives the folder."""
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "2", "-subj", "/CN=localhost"),
            *("-addext", "subjectAltName=DNS:localhost"),
            *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        ],
        check=True,
        capture_output=True,
    )
    return folder
