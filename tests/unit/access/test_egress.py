"""Which addresses may be called."""

import pytest

from dothi.access.egress import EgressPolicy, egress_policy

INSIDE = [
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
]


@pytest.mark.parametrize("address", INSIDE)
def test_addresses_that_are_not_public_are_closed(address: str) -> None:
    assert not EgressPolicy().permits(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_public_addresses_are_open(address: str) -> None:
    assert EgressPolicy().permits(address)


def test_an_operator_opens_networks() -> None:
    policy = egress_policy(("10.0.0.0/8", "::1"))
    assert policy.permits("10.9.8.7")
    assert policy.permits("::1")
    assert policy.permits("::ffff:10.9.8.7")
    assert not policy.permits("192.168.0.1")
    with pytest.raises(ValueError):
        egress_policy(("nonsense",))
