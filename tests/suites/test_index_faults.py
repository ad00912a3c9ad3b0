# SPDX-License-Identifier: Apache-2.0
"""A package index that does not serve: the error says what is in the way, and the hint where the index comes from."""

import http.server
import json
import shutil
import ssl
import subprocess
import threading

import support
from builder_suite import BuilderSuite
from private_server import Server
from wheels import wheel

PROJECT = '[project]\nname = "x"\nversion = "1"\ndependencies = ["planted"]\n'


class Answering(http.server.ThreadingHTTPServer):
    """Answers everything with one status; as a proxy as well."""

    daemon_threads = True

    def __init__(self, status):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_HEAD = do_CONNECT = do_GET

            def log_message(self, *arguments):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self):
        self.shutdown()
        self.server_close()


class Faults(BuilderSuite):
    def setUp(self):
        super().setUp()
        support.require_tool("uv")

    def environment(self, **changes):
        plain = {name: None for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy",
                                         "all_proxy", "NO_PROXY", "no_proxy", "UV_DEFAULT_INDEX", "UV_INDEX_URL",
                                         "PIP_INDEX_URL", "UV_EXTRA_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_INDEX",
                                         "PIP_CONFIG_FILE", "UV_INSECURE_HOST", "PIP_TRUSTED_HOST")}
        return super().environment(**{**plain, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(self.folder / "uv"),
                                      "HOME": str(self.folder / "home"), **changes})

    def answering(self, status):
        server = Answering(status)
        self.addCleanup(server.close)
        return f"127.0.0.1:{server.server_port}"

    def fails(self, files, code, what, hint, **env):
        subprocess.run(["rm", "-rf", *(str(self.folder / name) for name in ("source", "uv"))], check=True)
        source = self.source({"main.py": "", **files})
        result = self.build(source, env=self.environment(**env))
        self.assert_fails(result, code, f"{what}\nhint: {hint}\n")
        return result

    def test_where_the_index_comes_from(self):
        """Of each kind of file and variable that can name one."""
        url = "http://127.0.0.1:9/simple"
        said = f"the package index {url} cannot be reached: connection refused"
        hint = "this address comes from {}; check the address and the network, then try again"
        lock = {"_meta": {"sources": [{"name": "ours", "url": url}]}, "default": {"planted": {"version": "==1.0"}}}
        cases = [
            ("Pipfile", f'[[source]]\nname = "ours"\nurl = "{url}"\n[packages]\nplanted = "*"\n', "Pipfile:3", {}),
            ("pyproject.toml", f'{PROJECT}[[tool.uv.index]]\nname = "ours"\nurl = "{url}"\ndefault = true\n',
             "pyproject.toml:7", {}),
            ("pyproject.toml", f'[tool.poetry]\n[tool.poetry.dependencies]\nplanted = "*"\n[[tool.poetry.source]]\n'
                               f'name = "ours"\nurl = "{url}"\n', "pyproject.toml:6", {}),
            ("requirements.txt", f"# http://example.com\n--index-url {url}\nplanted\n", "requirements.txt:2", {}),
            ("Pipfile.lock", json.dumps(lock), "Pipfile.lock", {}),
            ("requirements.txt", "planted\n", "the variable PIP_INDEX_URL", {"PIP_INDEX_URL": url}),
            ("requirements.txt", "planted\n", "the variable UV_INDEX_URL", {"UV_INDEX_URL": url}),
            ("requirements.txt", "planted\n", f"{self.folder}/home/.config/pip/pip.conf", {}),
        ]
        for name, text, place, env in cases if support.LONG else cases[:3]:
            with self.subTest(name=name, place=place):
                if "pip.conf" in place:
                    self.write("home/.config/pip/pip.conf", f"[global]\nindex-url = {url}\n")
                self.fails({name: text}, 75, f"error: {name}: {said}", hint.format(place), **env)

    def test_a_certificate_that_is_not_trusted(self):
        openssl = shutil.which("openssl")
        support.require(openssl, "openssl is not installed")
        new = [openssl, "req", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
        names = self.write("names", "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n")
        authority, key, request, leaf = (self.folder / name for name in ("ca.pem", "key.pem", "request", "leaf.pem"))
        self.succeed(*new, "-x509", "-subj", "/CN=planted authority", "-keyout", self.folder / "ca.key", "-out", authority)
        self.succeed(*new[:-2], "-subj", "/CN=localhost", "-keyout", key, "-out", request)
        self.succeed(openssl, "x509", "-req", "-in", request, "-CA", authority, "-CAkey", self.folder / "ca.key",
                     "-CAcreateserial", "-days", "2", "-extfile", names, "-out", leaf)
        self.write("served/simple/planted/planted-1.0-py3-none-any.whl", wheel("planted", {"planted.py": ""}))
        self.write("served/simple/planted/index.html", '<a href="planted-1.0-py3-none-any.whl">planted-1.0-py3-none-any.whl</a>')
        server = Server(self.folder / "served", "word")
        self.addCleanup(server.close)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf, key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        url = f"https://me:word@localhost:{server.server_port}/simple"
        files = {"Pipfile": f'[[source]]\nname = "ours"\nurl = "{url}"\n[packages]\nplanted = "*"\n'}
        result = self.fails(files, 75, f"error: Pipfile: the certificate of localhost:{server.server_port} is not trusted",
                            "this address comes from Pipfile:3; set SSL_CERT_FILE to a file with the certificate of its "
                            "authority (PEM)", SSL_CERT_FILE=None, SSL_CERT_DIR=None)
        self.assertNotIn("word", result.stderr)
        # What the hint says is what works.
        self.build_well(self.folder / "source", env=self.environment(SSL_CERT_FILE=str(authority)))

    def test_credentials(self):
        server = Server(self.folder, "word")
        self.addCleanup(server.close)
        host = f"127.0.0.1:{server.server_port}"
        index = f'{PROJECT}[[tool.uv.index]]\nname = "our-own"\nurl = "http://{{}}{host}/simple"\ndefault = true\n'
        missing = f"error: pyproject.toml: installation failed: the package index http://{host}/simple requires credentials (401)"
        netrc = "the user name and password in ~/.netrc (machine 127.0.0.1) or in UV_INDEX_OUR_OWN_USERNAME and …_PASSWORD"
        self.fails({"pyproject.toml": index.format("")}, 1, missing,
                   f"this address comes from pyproject.toml:7; put {netrc}, or into the URL")
        refused = f"error: pyproject.toml: installation failed: the package index http://{{}}{host}/simple refuses the credentials (401)"
        hint = f"this address comes from pyproject.toml:7; check {netrc}, or in the URL"
        self.fails({"pyproject.toml": index.format("me:other@")}, 1, refused.format("me:***@"), hint)
        self.fails({"pyproject.toml": index.format("")}, 1, refused.format(""), hint,
                   UV_INDEX_OUR_OWN_USERNAME="me", UV_INDEX_OUR_OWN_PASSWORD="other")
        self.write("home/.netrc", "machine 127.0.0.1 login me password other\n", mode=0o644)
        self.fails({"pyproject.toml": index.format("")}, 1, refused.format(""), hint)

    def test_an_index_that_answers_otherwise(self):
        for status, code, what, hint in (
                (403, 1, "installation failed: the package index http://{}/simple denies access (403)",
                 "check whether its credentials may read this index"),
                (404, 1, "installation failed: http://{}/simple is not a package index (404)",
                 "check it: it usually ends with /simple"),
                (503, 75, "the package index http://{}/simple fails (503)", "try again later")):
            with self.subTest(status=status):
                host = self.answering(status)
                self.fails({"requirements.txt": f"-i http://{host}/simple\nplanted\n"}, code,
                           f"error: requirements.txt: {what.format(host)}",
                           f"this address comes from requirements.txt:1; {hint}")

    @support.long_test
    def test_an_index_without_a_page_of_its_own(self):
        """It is not blamed for a package that is missing from another file of the source."""
        name = "planted-1.0-py3-none-any.whl"
        self.write(f"served/simple/planted/{name}", wheel("planted", {"planted.py": ""}))
        self.write("served/simple/planted/index.html", f'<a href="{name}">{name}</a>')
        server = Server(self.folder / "served", "word")
        self.addCleanup(server.close)
        self.fails({"requirements.txt": f"-i http://me:word@127.0.0.1:{server.server_port}/simple\nplanted==2\n"}, 1,
                   "error: requirements.txt: installation failed: uv exited with code 1", "see uv's output above")

    @support.long_test
    def test_a_host_that_does_not_exist_and_a_proxy(self):
        files = {"requirements.txt": "-i http://index.invalid/simple\nplanted\n"}
        self.fails(files, 75, "error: requirements.txt: the host index.invalid is unknown",
                   "this address comes from requirements.txt:1; check the name, and the network and its DNS, then try again")
        self.fails(files, 75, "error: requirements.txt: index.invalid cannot be reached through the proxy http://127.0.0.1:9",
                   "HTTP_PROXY sets this proxy; correct it, or add index.invalid to NO_PROXY, then try again",
                   HTTP_PROXY="http://127.0.0.1:9")
        proxy = f"http://me:pl4nted@{self.answering(407)}"
        secure = {"requirements.txt": "-i https://index.invalid/simple\nplanted\n"}
        result = self.fails(secure, 75, f"error: requirements.txt: the proxy {proxy.replace('pl4nted', '***')} requires credentials (407)",
                            "HTTPS_PROXY sets this proxy; put the user name and password into its URL", HTTPS_PROXY=proxy)
        self.assertNotIn("pl4nted", result.stderr)


if __name__ == "__main__":
    support.main()
