"""Names by which a server may be called, against DNS rebinding.

A website can give its own name the address of this machine, and its scripts may then
read what is served under that name.  The browser still says that name in Host.
"""

from __future__ import annotations

import dataclasses
import ipaddress
import re
import socket

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_HOST = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")


@dataclasses.dataclass(frozen=True)
class AllowedHosts:
    """Values of the header Host that are answered.

    Attributes:
      names: names, and addresses without brackets.
      any_address: whether every IP address is: no website has one for a name.
    """

    names: frozenset[str]
    any_address: bool

    @classmethod
    def of_server(cls, host: str) -> AllowedHosts:
        """Returns those of a server that listens on an address or a name."""
        if is_loopback(host):
            return cls(frozenset((*_LOOPBACK, host.lower())), any_address=False)
        own = (*_LOOPBACK, host.lower(), socket.gethostname().lower())
        return cls(frozenset(own), any_address=True)

    def __contains__(self, value: object) -> bool:
        """Tells whether a value of Host is answered; its port does not matter.

        The port is another one where a tunnel leads here.
        """
        found = _HOST.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return False
        name = found[1].strip("[]").lower()
        return name in self.names or (self.any_address and _is_address(name))


def is_loopback(host: str) -> bool:
    """Tells whether an address reaches this machine alone."""
    return host == "localhost" or (
        _is_address(host) and ipaddress.ip_address(host).is_loopback
    )


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
