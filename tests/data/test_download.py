from __future__ import annotations

import functools
import hashlib
import http.server
import os
import sys
import threading

import pytest

from minimidl.data.download import download
from minimidl.data.raw import RawFile
from minimidl.errors import InputError

CONTENT = b"published bytes"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args):
        self.server.requested.append(self.path)


@pytest.fixture
def server(tmp_path):
    """A loopback server of one file; ``server.requested`` tells what was asked of it."""
    pytest.importorskip("pooch", reason="downloads need the extra [data]")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(CONTENT)
    handler = functools.partial(Quiet, directory=tmp_path / "served")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.requested = []
        server.url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def published(name: str = "file", content: bytes = CONTENT) -> RawFile:
    return RawFile(name, hashlib.sha256(content).hexdigest(), len(content))


def test_a_file_is_fetched_once(server, tmp_path):
    for _ in range(2):
        folder = download([published()], server.url, tmp_path / "raw")
        assert (folder / "file").read_bytes() == CONTENT
    assert len(server.requested) == 1, "a file that is there and right is not fetched again"


def test_a_wrong_checksum_leaves_nothing(server, tmp_path):
    expected = published(content=b"something else")
    with pytest.raises(InputError) as caught:
        download([expected], server.url, tmp_path / "raw")
    line = str(caught.value)
    assert "\n" not in line
    assert f"got sha256 {published().sha256}, expected {expected.sha256}" in line
    assert "--raw DIR" in line
    assert not os.listdir(tmp_path / "raw")


def test_a_damaged_file_is_fetched_again(server, tmp_path):
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "file").write_bytes(b"half")
    download([published()], server.url, tmp_path / "raw")
    assert (tmp_path / "raw" / "file").read_bytes() == CONTENT


def test_an_absent_file_is_told_with_its_address(server, tmp_path):
    with pytest.raises(InputError, match=r"127.0.0.1.*/absent: got HTTPError.*404"):
        download([published("absent")], server.url, tmp_path / "raw")
    assert not os.listdir(tmp_path / "raw")


def test_a_server_that_is_not_there(server, tmp_path):
    server.shutdown()
    server.server_close()
    with pytest.raises(InputError, match="ConnectionError"):
        download([published()], server.url, tmp_path / "raw")


def test_without_pooch_the_mend_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(InputError, match=r'pip install "minimidl\[data\]"'):
        download([published()], "http://127.0.0.1:9/", tmp_path)


def test_an_unwritable_folder_is_told_before_anything_is_asked(server, tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        download([published()], server.url, tmp_path / "taken")
    assert server.requested == []
