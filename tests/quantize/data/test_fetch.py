from __future__ import annotations

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from edge.errors import ConfigError
from quantize.data.datasets import format_annotation, read_utterances
from quantize.data.fetch import Remote, download, fetch_massive, fetch_slurp

RECORD = {
    "id": "1", "locale": "de-DE", "partition": "train", "scenario": "alarm", "intent": "alarm_set",
    "utt": "weck mich um neun", "annot_utt": "weck mich um [time : neun]",
}  # fmt: skip
SLURP_RECORD = {
    "slurp_id": 13804, "scenario": "qa", "action": "currency", "intent": "qa_currency", "sentence": "dollar in yen",
    "sentence_annotation": "[currency_name : dollar] in [currency_name : yen]", "tokens": [], "recordings": [],
}  # fmt: skip


class Server(BaseHTTPRequestHandler):
    """Serves ``files`` with byte ranges and remembers the ranges asked for."""

    def __init__(self, files: dict[str, bytes], ranges: list[str | None], *args: object) -> None:
        self.files, self.ranges = files, ranges
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        content = self.files.get(self.path)
        wanted = self.headers["Range"]
        self.ranges.append(wanted)
        if content is None:
            self.send_error(404)
            return
        start = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        self.wfile.write(content[start:])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[tuple[str, dict[str, bytes], list[str | None]]]:
    files: dict[str, bytes] = {}
    ranges: list[str | None] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Server, files, ranges))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", files, ranges
    server.shutdown()
    thread.join()
    server.server_close()


Site = tuple[str, dict[str, bytes], list[str | None]]


def test_broken_download_is_continued_and_verified(site: Site, tmp_path: Path) -> None:
    address, files, ranges = site
    files["/data.bin"] = bytes(range(256)) * 40
    remote = Remote(f"{address}/data.bin", hashlib.sha256(files["/data.bin"]).hexdigest())
    (tmp_path / "data.bin.part").write_bytes(files["/data.bin"][:1000])
    assert download(remote, tmp_path).read_bytes() == files["/data.bin"]
    assert ranges == ["bytes=1000-"]
    download(remote, tmp_path)
    assert len(ranges) == 1


def test_wrong_content_is_refused_and_deleted(site: Site, tmp_path: Path) -> None:
    address, files, _ = site
    files["/data.bin"] = b"something else"
    with pytest.raises(ConfigError, match="expected 0000"):
        download(Remote(f"{address}/data.bin", "0" * 64), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_first_hash_is_kept_where_none_is_published(site: Site, tmp_path: Path) -> None:
    address, files, _ = site
    files["/data.bin"] = b"first"
    remote = Remote(f"{address}/data.bin")
    path = download(remote, tmp_path)
    path.write_bytes(b"changed")
    with pytest.raises(ConfigError, match="fetch it again"):
        download(remote, tmp_path)


def test_missing_page(site: Site, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be fetched"):
        download(Remote(f"{site[0]}/none"), tmp_path)


def test_massive_archive(site: Site, tmp_path: Path) -> None:
    address, files, _ = site
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in {"1.1/data/de-DE.jsonl": json.dumps(RECORD), "1.1/LICENSE": "CC BY 4.0"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content.encode()))
    files["/massive.tar.gz"] = packed.getvalue()
    paths = fetch_massive(tmp_path, Remote(f"{address}/massive.tar.gz"))
    assert paths == [tmp_path / "massive" / "de-DE.jsonl"]
    assert read_utterances(paths[0])[0].intent == "alarm_set"


def test_slurp_becomes_massive_records(site: Site, tmp_path: Path) -> None:
    address, files, _ = site
    files["/devel.jsonl"] = json.dumps(SLURP_RECORD).encode()
    paths = fetch_slurp(tmp_path, {"dev": Remote(f"{address}/devel.jsonl")})
    (utterance,) = read_utterances(paths[0], ["dev"])
    assert (utterance.id, utterance.intent, utterance.text) == ("13804", "qa_currency", "dollar in yen")
    assert format_annotation(utterance.text, utterance.slots) == SLURP_RECORD["sentence_annotation"]
    files["/train.jsonl"] = b'{"slurp_id": 1}'
    with pytest.raises(ConfigError, match=r"train\.jsonl:1: expected a SLURP record"):
        fetch_slurp(tmp_path, {"train": Remote(f"{address}/train.jsonl")})
