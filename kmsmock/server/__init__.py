"""A mock as an HTTP server: an ASGI application, and the command ``kmsmock serve``.

``kmsmock.server:app`` is the application for other ASGI servers. Its mock is made when such a
server starts, with the options in the environment variables ``KMSMOCK_SERVER_REGION`` and so on.
"""

from __future__ import annotations

from kmsmock.server.application import Application
from kmsmock.server.settings import Settings

__all__ = ["app"]

app = Application(Settings.of_environment)
