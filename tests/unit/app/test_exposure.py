"""Doors that others reach without TLS are named; the printed address can be opened."""

import ipaddress
from urllib.parse import urlsplit

import pytest

from dothi.app.config.load import load
from dothi.app.config.settings import Settings
from dothi.app.doctor import check_exposure
from dothi.app.exposure import plain_doors, reachable
from dothi.app.started import Started
from dothi.cli.serve import announce

ANY = "0.0.0.0"


def _settings(**environ: str) -> Settings:
    return load(Settings, None, {f"DOTHI_{name}": text for name, text in environ.items()}).settings


def test_the_defaults_expose_nothing() -> None:
    assert not list(plain_doors(_settings()))
    assert check_exposure(_settings()).verdict == "ok"


def test_both_doors_are_named_when_they_speak_plainly_to_the_network() -> None:
    settings = _settings(SERVER__HOST=ANY, MQTT__EMBEDDED__HOST=ANY)
    assert [door.name for door in plain_doors(settings)] == ["HTTP", "MQTT"]
    finding = check_exposure(settings)
    assert finding.verdict == "warning"
    assert "server.public_url" in finding.remedy
    assert "tls_certificate" in finding.remedy


def test_tls_takes_the_warning_away() -> None:
    settings = _settings(
        SERVER__HOST=ANY,
        SERVER__PUBLIC_URL="https://hub.example.vn",
        MQTT__EMBEDDED__HOST=ANY,
        MQTT__EMBEDDED__TLS_CERTIFICATE="/etc/dothi/chain.pem",
    )
    assert not list(plain_doors(settings))
    plain = _settings(SERVER__HOST=ANY, SERVER__PUBLIC_URL="http://hub.example.vn")
    assert [door.name for door in plain_doors(plain)] == ["HTTP"]


def test_the_warning_is_printed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    doors = tuple(plain_doors(_settings(SERVER__HOST=ANY)))
    announce(Started("http://192.0.2.7:8400", None, {}, doors))
    said = capsys.readouterr().out
    assert "CẢNH BÁO: HTTP" in said
    assert "WARNING: HTTP" in said
    assert said.rstrip().endswith("Ctrl+C")


def test_the_address_is_one_that_can_be_opened() -> None:
    assert reachable("http://127.0.0.1:8400", "127.0.0.1") == "http://127.0.0.1:8400"
    found = urlsplit(reachable("http://127.0.0.1:8400", ANY))
    assert found.port == 8400
    assert not ipaddress.ip_address(found.hostname or "").is_unspecified
