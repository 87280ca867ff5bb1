from __future__ import annotations

import hashlib
import http.server
import io
import json
import os
import re
import socket
import stat
import threading
import time
import urllib.request
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path

import pytest

from edge.errors import EngineError
from edge.models.catalog import find_model, install, installed_model, list_models, models_folder, remove
from edge.models.download import download, fetch_bytes
from edge.models.http import _Redirects
from edge.models.unpack import unpack_zip

PAYLOAD = bytes(range(256)) * 2000


@dataclass
class Publisher:
    """A web server whose misbehaviour the test chooses."""

    files: dict[str, bytes] = field(default_factory=dict)
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    honours_range: bool = True
    ranges: list[str | None] = field(default_factory=list)
    address: str = ""

    def url(self, name: str) -> str:
        return f"{self.address}/{name}"


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    state = Publisher()

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            data = state.files.get(self.path.lstrip("/"))
            state.ranges.append(self.headers.get("Range"))
            if state.statuses:
                self.send_error(state.statuses.pop(0))
                return
            if data is None:
                self.send_error(404)
                return
            start = 0
            asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            if asked and state.honours_range:
                start = int(asked[1])
                if start >= len(data):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(data)}")
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
            else:
                self.send_response(200)
            body = data[start:]
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: state.cuts.pop(0)] if state.cuts else body)

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    state.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield state
    server.shutdown()
    server.server_close()
    thread.join()


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


VOSK = zipped({"some-model/am/final.mdl": os.urandom(200_000), "some-model/conf/model.conf": b"--x=1\n"})


def published(publisher: Publisher, md5: str | None = None) -> dict[str, object]:
    data = publisher.files["some-model.zip"]
    stated = md5 or hashlib.md5(data).hexdigest()
    return {"name": "some-model", "size": len(data), "md5": stated, "url": publisher.url("some-model.zip")}


@pytest.fixture
def catalog(publisher: Publisher, tmp_path: Path) -> Path:
    publisher.files["some-model.zip"] = VOSK
    publisher.files["model-list.json"] = json.dumps([published(publisher)]).encode()
    entries = []
    for name, data in {"v.onnx": PAYLOAD, "v.onnx.json": b"{}", "MODEL_CARD": b"CC0"}.items():
        publisher.files[f"xx/{name}"] = data
        entries.append(f'{{ path = "xx/{name}", size = {len(data)}, md5 = "{hashlib.md5(data).hexdigest()}" }}')
    path = tmp_path / "catalog.toml"
    path.write_text(
        f'[vosk]\nbase = "{publisher.address}/"\nindex = "{publisher.url("model-list.json")}"\n'
        'models = [{ name = "some-model", language = "xx", licence = "MIT" }]\n'
        f'[piper]\nbase = "{publisher.address}/"\n'
        f'[[piper.models]]\nname = "xx-voice"\nlanguage = "xx"\nfiles = [{", ".join(entries)}]\n'
    )
    return path


def test_the_catalogue_names_models_with_addresses_and_the_publishers_hashes() -> None:
    models = list_models()
    names = [model.name for model in models]
    assert len(names) == len(set(names)) > 190
    assert {model.engine for model in models} == {"vosk", "piper"}
    for model in models:
        assert all(file.url.startswith("https://") for file in model.files)
        if model.engine == "piper":
            assert all(re.fullmatch("[0-9a-f]{32}", file.md5 or "") and file.size for file in model.files)
            assert {file.name for file in model.files} == {
                f"{model.name}.onnx",
                f"{model.name}.onnx.json",
                "MODEL_CARD",
            }
        else:
            assert model.index is not None and model.licence
    assert next(model for model in models if model.name == "en_US-joe-medium").size_mb == 63.2


def test_models_live_below_the_users_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert models_folder() == tmp_path / "edge" / "models"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert models_folder() == Path.home() / ".local" / "share" / "edge" / "models"


def test_a_recognizer_model_is_installed_found_and_removed(publisher: Publisher, catalog: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    folder = tmp_path / "models"
    path = install("some-model", lambda done, total: seen.append((done, total)), folder=folder, catalog=catalog)
    assert path == folder / "some-model" == installed_model("some-model", folder) == find_model("some-model", folder)
    assert (path / "conf" / "model.conf").read_bytes() == b"--x=1\n"
    assert seen[-1] == (len(VOSK), len(VOSK)) and [done for done, _ in seen] == sorted(done for done, _ in seen)
    requests = len(publisher.ranges)
    assert install("some-model", folder=folder, catalog=catalog) == path
    assert len(publisher.ranges) == requests
    remove("some-model", folder)
    assert installed_model("some-model", folder) is None
    with pytest.raises(EngineError, match="not installed"):
        remove("some-model", folder)


def test_a_voice_is_installed_with_its_licence(catalog: Path, tmp_path: Path) -> None:
    path = install("xx-voice", folder=tmp_path / "models", catalog=catalog)
    assert sorted(file.name for file in path.iterdir()) == ["MODEL_CARD", "v.onnx", "v.onnx.json"]
    assert (path / "v.onnx").read_bytes() == PAYLOAD


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(EngineError, match="do you mean vosk-model-small-en-us-0.15"):
        install("vosk-model-small-en-us")
    with pytest.raises(EngineError, match="edge models install vosk-model-small-de-0.15"):
        find_model("vosk-model-small-de-0.15", Path("/nonexistent"))
    with pytest.raises(EngineError, match="no model"):
        find_model("../../etc")


def test_a_cut_connection_is_resumed(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    publisher.cuts = [100_000, 50_000]
    download(publisher.url("f"), tmp_path / "f", size=len(PAYLOAD), md5=hashlib.md5(PAYLOAD).hexdigest(), wait_s=0.01)
    assert (tmp_path / "f").read_bytes() == PAYLOAD
    assert publisher.ranges == [None, "bytes=100000-", "bytes=150000-"]
    assert not (tmp_path / "f.part").exists()


def test_a_later_run_goes_on_where_the_first_gave_up(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    publisher.cuts = [1000, 1000]
    with pytest.raises(EngineError, match="run the command again"):
        download(publisher.url("f"), tmp_path / "f", attempts=2, wait_s=0.01)
    assert not (tmp_path / "f").exists()
    download(publisher.url("f"), tmp_path / "f", attempts=2, wait_s=0.01)
    assert (tmp_path / "f").read_bytes() == PAYLOAD
    assert publisher.ranges == [None, "bytes=1000-", "bytes=2000-"]


def test_a_server_that_ignores_ranges_starts_the_file_over(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    publisher.honours_range = False
    publisher.cuts = [100_000]
    download(publisher.url("f"), tmp_path / "f", wait_s=0.01)
    assert (tmp_path / "f").read_bytes() == PAYLOAD
    assert publisher.ranges == [None, "bytes=100000-"]


def test_a_busy_server_is_asked_again_but_a_missing_file_is_not(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    publisher.statuses = [503, 429]
    download(publisher.url("f"), tmp_path / "f", wait_s=0.01)
    assert len(publisher.ranges) == 3
    with pytest.raises(EngineError, match="404"):
        download(publisher.url("g"), tmp_path / "g", wait_s=0.01)
    assert len(publisher.ranges) == 4


def test_a_complete_part_needs_no_bytes(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    (tmp_path / "f.part").write_bytes(PAYLOAD)
    download(publisher.url("f"), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == PAYLOAD
    assert publisher.ranges == [f"bytes={len(PAYLOAD)}-"]


def test_a_wrong_hash_keeps_nothing(publisher: Publisher, catalog: Path, tmp_path: Path) -> None:
    publisher.files["model-list.json"] = json.dumps([published(publisher, "0" * 32)]).encode()
    with pytest.raises(EngineError, match="MD5 .* not 0000"):
        install("some-model", folder=tmp_path / "models", catalog=catalog)
    assert installed_model("some-model", tmp_path / "models") is None
    assert not [path for path in (tmp_path / "models").rglob("*") if path.is_file()]


def test_a_part_of_another_file_is_thrown_away(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    (tmp_path / "f.part").write_bytes(b"something else")
    download(publisher.url("f"), tmp_path / "f", size=len(PAYLOAD), md5=hashlib.md5(PAYLOAD).hexdigest())
    assert (tmp_path / "f").read_bytes() == PAYLOAD
    assert publisher.ranges == ["bytes=14-", None]


def test_a_wrong_size_is_refused_before_it_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    with pytest.raises(EngineError, match="512000 bytes, not 10"):
        download(publisher.url("f"), tmp_path / "f", size=10)


@pytest.mark.parametrize(
    "listed",
    [
        None,
        b"[]",
        b"{",
        b"[" * 100_000,
        b'[{"name": "some-model", "size": 10}]',
        b'[{"name": "some-model", "size": 10, "md5": "x"}]',
        b'[{"name": "some-model", "size": -1, "md5": "00000000000000000000000000000000"}]',
        b'[{"name": "some-model", "size": 1e999, "md5": "00000000000000000000000000000000"}]',
        b"\xff",
    ],
)
def test_nothing_is_installed_without_a_hash(
    publisher: Publisher, catalog: Path, tmp_path: Path, listed: bytes | None
) -> None:
    del publisher.files["model-list.json"]
    if listed is not None:
        publisher.files["model-list.json"] = listed
    with pytest.raises(EngineError, match="nothing is installed without one"):
        install("some-model", folder=tmp_path / "models", catalog=catalog)
    assert installed_model("some-model", tmp_path / "models") is None


@pytest.mark.parametrize("right", [True, False])
def test_a_pinned_hash_counts_more_than_the_publishers(
    publisher: Publisher, catalog: Path, tmp_path: Path, right: bool
) -> None:
    pinned = hashlib.sha256(VOSK).hexdigest() if right else "0" * 64
    text = catalog.read_text().replace('name = "some-model"', f'name = "some-model", sha256 = "{pinned}"')
    catalog.write_text(text)
    del publisher.files["model-list.json"]
    if right:
        assert install("some-model", folder=tmp_path / "models", catalog=catalog).is_dir()
        return
    with pytest.raises(EngineError, match="SHA-256 .* not 0000"):
        install("some-model", folder=tmp_path / "models", catalog=catalog)


@pytest.fixture
def crooked() -> Iterator[Callable[[bytes, float], str]]:
    """Starts servers that send these bytes, one every so many seconds where that is not 0; gives their addresses."""
    servers: list[socket.socket] = []

    def start(answer: bytes, every_s: float = 0.0) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        servers.append(server)

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, suppress(OSError):
                        connection.recv(4096)
                        for part in [answer] if not every_s else [answer[at : at + 1] for at in range(len(answer))]:
                            connection.sendall(part)
                            time.sleep(every_s)

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/f"

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()


@pytest.mark.parametrize("head", [b"HTTP/1.1 200 OK\r\nX: " + b"x" * 3000, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 3000])
def test_a_server_that_trickles_is_left(crooked: Callable[..., str], tmp_path: Path, head: bytes) -> None:
    """Each byte comes in time, the whole never."""
    start = time.monotonic()
    with pytest.raises(EngineError, match="too slow"):
        download(crooked(head, 0.02), tmp_path / "f", attempts=1, timeout_s=5, deadline_s=1)
    with pytest.raises(EngineError, match="too slow"):
        fetch_bytes(crooked(head, 0.02), timeout_s=5, deadline_s=1)
    assert time.monotonic() - start < 6


@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "9" * 30, "٣", "0x10", "1, 2"])
def test_a_length_that_is_no_number_gives_one_line(crooked: Callable[..., str], tmp_path: Path, length: str) -> None:
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\nxyz".encode()
    with pytest.raises(EngineError, match="a length of|bytes, more than"):
        download(crooked(answer), tmp_path / "f", attempts=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/f", "data:,x", "gopher://127.0.0.1/"])
def test_a_redirect_to_another_scheme_is_refused(crooked: Callable[..., str], tmp_path: Path, target: str) -> None:
    answer = f"HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n".encode()
    with pytest.raises(EngineError, match="it redirects from http to ftp|is not allowed"):
        download(crooked(answer), tmp_path / "f", attempts=1)
    assert list(tmp_path.iterdir()) == []


def test_a_redirect_never_leaves_https() -> None:
    request = urllib.request.Request("https://example.invalid/f")
    with pytest.raises(EngineError, match="from https to http"):
        _Redirects().redirect_request(request, io.BytesIO(), 302, "Found", {}, "http://example.invalid/f")
    followed = _Redirects().redirect_request(
        request, io.BytesIO(), 302, "Found", Message(), "https://example.invalid/g"
    )
    assert followed is not None and followed.full_url == "https://example.invalid/g"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/f", "data:,x"])
def test_only_http_is_spoken(url: str, tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot fetch"):
        download(url, tmp_path / "f", attempts=1)


@pytest.mark.parametrize("answer", [b"", b"\0" * 100, b"HTTP/9.9 999 X\r\n\r\n", b"HTTP/1.1 200 OK\r\n" * 5000])
def test_what_is_no_http_gives_one_line(crooked: Callable[..., str], tmp_path: Path, answer: bytes) -> None:
    with pytest.raises(EngineError, match="cannot fetch") as raised:
        download(crooked(answer), tmp_path / "f", attempts=1)
    assert "\n" not in str(raised.value)


def test_no_server_gives_one_line(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="cannot fetch .*refused"):
        download("http://127.0.0.1:9/f", tmp_path / "f", attempts=2, wait_s=0.01)


def test_a_full_disk_gives_one_line(publisher: Publisher, tmp_path: Path) -> None:
    publisher.files["f"] = PAYLOAD
    (tmp_path / "f.part").symlink_to("/dev/full")
    with pytest.raises(EngineError, match="no space left in .*XDG_DATA_HOME"):
        download(publisher.url("f"), tmp_path / "f")


def test_a_file_in_place_of_the_models_folder_gives_one_line(catalog: Path, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(EngineError, match="cannot install some-model"):
        install("some-model", folder=tmp_path / "models", catalog=catalog)


def link(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


@pytest.mark.parametrize(
    ("entries", "reason"),
    [
        ([("../../escaped", b"x")], "holds the path"),
        ([("m/../../escaped", b"x")], "holds the path"),
        ([("/tmp/escaped", b"x")], "holds the path"),
        ([("m\\..\\escaped", b"x")], "holds the path"),
        ([("C:escaped", b"x")], "holds the path"),
        ([(link("m/link"), b"/etc/passwd")], "link or device"),
        ([(link("m"), b"/tmp"), ("m/escaped", b"x")], "link or device"),
        ([("m/a", b"x"), ("m/a", b"y")], "comes twice"),
        ([("m", b"x"), ("m/a", b"y")], "comes twice"),
        ([("m/bomb", bytes(4_000_000))], "unpack to more"),
        ([(f"m/{n}", b"") for n in range(101)], "101 files"),
    ],
)
def test_hostile_archives_are_refused(
    publisher: Publisher,
    catalog: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    entries: list[tuple[str, bytes]],
    reason: str,
) -> None:
    monkeypatch.setattr("edge.models.unpack.MAX_FILES", 100)
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in entries:
                archive.writestr(name, data)
    publisher.files["some-model.zip"] = buffer.getvalue()
    publisher.files["model-list.json"] = json.dumps([published(publisher)]).encode()
    folder = tmp_path / "models"
    with pytest.raises(EngineError, match=reason):
        install("some-model", folder=folder, catalog=catalog)
    assert installed_model("some-model", folder) is None
    assert not [path for path in folder.rglob("*") if path.is_file()]
    assert not list(tmp_path.rglob("escaped"))


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped({"m/bomb": bytes(2_000_000)}))
    lie = (1000).to_bytes(4, "little")
    data[22:26] = lie
    at = data.rindex(b"PK\x01\x02")
    data[at + 24 : at + 28] = lie
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "out").mkdir()
    with pytest.raises(EngineError):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").rglob("*") if path.is_file()) <= 1000


@pytest.mark.parametrize("damage", [b"not a zip at all", VOSK[:-3000], VOSK[:5000] + b"\0" * 100 + VOSK[5100:]])
def test_a_damaged_archive_gives_one_line(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(damage)
    (tmp_path / "out").mkdir()
    with pytest.raises(EngineError, match=r"a\.zip is damaged"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("method", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_only_deflate_is_unpacked(tmp_path: Path, method: int) -> None:
    """Damaged LZMA raised an error of its own; no published model uses it."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        archive.writestr("m/a", bytes(1000))
    (tmp_path / "out").mkdir()
    with pytest.raises(EngineError, match="compressed as no model is"):
        unpack_zip(tmp_path / "a.zip", tmp_path / "out")
