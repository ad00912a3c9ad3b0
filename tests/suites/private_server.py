# SPDX-License-Identifier: Apache-2.0
"""A server of files that asks for a user and a password."""

import base64
import functools
import http.server
import threading


class Server(http.server.ThreadingHTTPServer):
    """Files below a folder, for the user `me` with one password."""

    daemon_threads = True

    def __init__(self, folder, password):
        wanted = "Basic " + base64.b64encode(f"me:{password}".encode()).decode()
        self.authorized = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                if self.headers.get("Authorization") == wanted:
                    self.server.authorized.append(self.path)
                    super().do_GET()
                    return
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Basic realm="x"')
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_GET

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), functools.partial(Handler, directory=str(folder)))
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()
