"""A proxy before the server, as notebooks and hubs put one there: it takes a prefix off every path."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PREFIX = "/user/ann/proxy/7811"
_OWN = {"connection", "transfer-encoding", "content-length", "keep-alive"}


@contextmanager
def proxied(port: int, *, buffers: bool) -> Iterator[str]:
    """Its address, which ends in the prefix. One that `buffers` hands on every answer when it is whole."""

    class Handler(BaseHTTPRequestHandler):
        def _hand_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if not self.path.startswith(PREFIX):
                self.send_error(404)
                return
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=240)
            try:
                line.request(self.command, self.path.removeprefix(PREFIX), body, dict(self.headers))
                answer = line.getresponse()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in _OWN:
                        self.send_header(name, value)
                self.send_header("Connection", "close")
                self.end_headers()
                while part := answer.read() if buffers else answer.read1(65536):
                    self.wfile.write(part)
            except (BrokenPipeError, ConnectionResetError):  # the page has left
                pass
            finally:
                line.close()

        do_GET = do_POST = do_DELETE = _hand_on

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://localhost:{server.server_address[1]}{PREFIX}"
        server.shutdown()
        thread.join()
