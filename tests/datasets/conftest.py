"""What the data sets' tests share: folders of their own, reference data where it is, and a server that misbehaves."""

import functools
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core import datasets


@pytest.fixture
def reference():
    """``reference(name)`` skips unless ``HOURGLASS_DATA`` holds that data set."""

    def need(name):
        if not datasets.is_available(name):
            pytest.skip(f"HOURGLASS_DATA holds no {name}")

    return need


@pytest.fixture(scope="session")
def loaded():
    """``loaded(name)`` loads a data set once a session."""
    return functools.cache(datasets.load)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty cache folder."""
    folder = tmp_path / "data"
    monkeypatch.setenv("HOURGLASS_DATA", str(folder))
    return folder


class Server:
    """Serves `files` (name -> bytes) on 127.0.0.1, in the manner that the path names: ``/truncated/NAME``."""

    def __init__(self):
        self.files, self.asked, self.over = {}, [], threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.asked.append(self.path)
                _, manner, name = self.path.split("/", 2)
                content = outer.files[name]
                self.send_response(404 if manner == "missing" else 200)
                if manner != "unmeasured":
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                half = content[: len(content) // 2]
                sent = {"truncated": half, "stalled": half, "lying": bytes(len(content))}
                self.wfile.write(sent.get(manner, content))
                if manner == "stalled":
                    outer.over.wait(20)

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def url(self, manner, name):
        return f"http://127.0.0.1:{self.http.server_port}/{manner}/{name}"


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    with server.http as http:
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.over.set()
        http.shutdown()
