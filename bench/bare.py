"""A WSGI application that does nothing but answer, under Waitress: the yardstick.

``bare.py PORT THREADS HEADERS BODY``: a JSON file of header pairs, and a file of bytes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from waitress import serve


def main(port: str, threads: str, headers_file: str, body_file: str) -> None:
    """Serve the same answer to every request."""
    headers = [tuple(pair) for pair in json.loads(Path(headers_file).read_text(encoding="utf-8"))]
    body = [Path(body_file).read_bytes()]

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", headers)
        return body

    serve(application, listen=f"127.0.0.1:{port}", threads=int(threads))


if __name__ == "__main__":
    main(*sys.argv[1:])
