"""Who may use the control plane and the page: programs, and browsers that show this server.

A page of another site must not reach them, neither by a request of its own (it has another
``Origin``), nor by a name that the site lets point to this machine (it has another ``Host``).
Sources: Fetch Standard, "Origin header"; W3C, "Fetch Metadata Request Headers".
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

#: The values of ``Sec-Fetch-Site`` for requests by this server's pages, and by the user.
_OWN_SITES = ("same-origin", "none")


def find_refusal(
    headers: Mapping[str, str], *, allow_remote: bool, is_opened: bool = False
) -> str | None:
    """Return why a request is refused; None if it is not.

    allow_remote: whether the server can have other names than those of the loopback address.
    is_opened: whether the answer is a page that the browser opens, so that a link of another site
    may lead to it, whose scripts cannot read it.
    """
    host = headers.get("host", "")
    if not allow_remote and not _is_loopback(host):
        return (
            f"The host {host!r} is not that of the loopback address, such as localhost, as in an "
            "attack by DNS rebinding. The option --allow-remote permits other hosts."
        )
    origin = headers.get("origin")
    if origin is not None and origin.lower() != f"http://{host.lower()}":
        return f"The page of {origin} is not one of this server."
    if is_opened and headers.get("sec-fetch-mode") == "navigate":
        return None
    site = headers.get("sec-fetch-site", "none")
    if site not in _OWN_SITES:
        return f"The request comes from another page: it is {site}."
    return None


def _is_loopback(host: str) -> bool:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
