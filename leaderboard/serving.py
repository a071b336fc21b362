"""A web server for a folder of pages, for looking at them on one's own machine."""

from __future__ import annotations

import functools
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from motifidelity.errors import UserError


class _Handler(SimpleHTTPRequestHandler):
    extensions_map = {  # noqa: RUF012 - as the standard library declares it
        **SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".svg": "image/svg+xml",
        ".xml": "application/atom+xml",
        ".parquet": "application/vnd.apache.parquet",
    }

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""


def open_server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    """Listen at an address; ``serve_forever`` of what is returned serves the folder.

    Raises
    ------
    UserError
        If the address cannot be had.
    """
    handler = functools.partial(_Handler, directory=str(folder))
    try:
        return ThreadingHTTPServer((host, port), handler)
    except OSError as error:
        raise UserError(
            f"{host}:{port}: cannot listen there ({error.strerror or error}); choose another "
            "with --port"
        ) from error
