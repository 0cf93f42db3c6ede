"""The report page of a server, as its mock is when the page is loaded."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timezone
from http import HTTPStatus
from typing import TYPE_CHECKING

from kmsmock.process.real_time import RealTime
from kmsmock.process.watchers import watchers
from kmsmock.protocols.messages import HttpRequest, HttpResponse
from kmsmock.reports.as_html import page
from kmsmock.reports.collection import Collection
from kmsmock.server.browser_access import find_refusal

if TYPE_CHECKING:
    from kmsmock.control import KMSMock

_HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def is_page_request(request: HttpRequest) -> bool:
    """Return whether a browser asks for the page; requests to AWS are signed, or are POSTs."""
    headers = request.headers
    return (
        request.method in ("GET", "HEAD")
        and request.target.partition("?")[0] == "/"
        and "text/html" in headers.get("accept", "")
        and "authorization" not in headers
    )


class _CollectionOfOne(Collection):
    """A collection with one mock of the process, whichever others there are."""

    def __init__(self, kms: KMSMock) -> None:
        super().__init__(with_details=True, name="the server")
        self._kms = kms

    def began(self, kms: KMSMock) -> None:
        if kms is self._kms:
            super().began(kms)


class LivePage:
    """The page of a mock. It observes the mock from now on. allow_remote: see `find_refusal`."""

    def __init__(self, kms: KMSMock, *, allow_remote: bool) -> None:
        self._allow_remote = allow_remote
        self._collection = _CollectionOfOne(kms)
        self._collection.began(kms)
        watchers.add(self._collection)

    def prepare(self, request: HttpRequest) -> Callable[[], HttpResponse]:
        """Return what renders the page as of now, or says why this browser does not get it.

        It takes a while for thousands of calls, and can be called in another thread.
        """
        refusal = find_refusal(request.headers, allow_remote=self._allow_remote, is_opened=True)
        if refusal is not None:
            headers = {**_HEADERS, "content-type": "text/plain; charset=utf-8"}
            refused = HttpResponse(HTTPStatus.FORBIDDEN, headers, f"{refusal}\n".encode())
            return lambda: refused
        report = self._collection.look()
        made = int(RealTime.start + RealTime.seconds())
        report.is_of_server = True
        report.made = datetime.fromtimestamp(made, timezone.utc)
        headers = {**_HEADERS, "content-type": "text/html; charset=utf-8"}
        return lambda: HttpResponse(HTTPStatus.OK, headers, page(report).encode())

    def stop(self) -> None:
        """Stop observing the mock."""
        watchers.remove(self._collection)
