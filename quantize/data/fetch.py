"""Download the published datasets, resumed and verified, and write them in MASSIVE's record format."""

from __future__ import annotations

import hashlib
import logging
import shutil
import tarfile
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import msgspec

from edge.errors import ConfigError
from edge.files import write_file
from quantize.data.datasets import Utterance, parse_annotation, write_utterances

log = logging.getLogger(__name__)
_TIMEOUT_S = 60
_SUMS = "SHA256SUMS"


@dataclass(frozen=True)
class Remote:
    """A published file. Without a published hash, that of the first download is kept and every later one compared."""

    url: str
    sha256: str | None = None

    @property
    def name(self) -> str:
        """File name on disk."""
        return PurePosixPath(self.url).name


_SLURP = "https://raw.githubusercontent.com/pswietojanski/slurp/32d6cce73781003a6449fbbbbf30b42f635d4b10/dataset/slurp/"
MASSIVE = Remote(
    "https://amazon-massive-nlu-dataset.s3.amazonaws.com/amazon-massive-dataset-1.1.tar.gz",
    "4cba5faa11c71437928e17cb1b9b3d8b8e727e7ea363a3a9a8045e19c0491577",
)
SLURP = {part: Remote(f"{_SLURP}{file}.jsonl") for part, file in
         {"train": "train", "dev": "devel", "test": "test"}.items()}  # fmt: skip


class _SlurpRecord(msgspec.Struct):
    slurp_id: int
    scenario: str
    action: str
    sentence_annotation: str


def fetch_massive(folder: Path, remote: Remote = MASSIVE) -> list[Path]:
    """Download MASSIVE 1.1 (CC BY 4.0) and unpack a file for each locale into ``folder/massive``."""
    archive = download(remote, folder / "downloads")
    target = folder / "massive"
    target.mkdir(parents=True, exist_ok=True)
    written = []
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = PurePosixPath(member.name)
                content = tar.extractfile(member) if member.isfile() and name.suffix == ".jsonl" else None
                if content is not None and name.parent.name == "data":
                    written.append(target / name.name)
                    write_file(written[-1], content.read())
    except tarfile.TarError as error:
        raise ConfigError(f"{archive}: not the expected archive ({error}); delete it and fetch again") from error
    if not written:
        raise ConfigError(f"{archive}: holds no data/*.jsonl; delete it and fetch again")
    return sorted(written)


def fetch_slurp(folder: Path, remotes: dict[str, Remote] = SLURP) -> list[Path]:
    """Download SLURP's text (CC BY 4.0) and write ``folder/slurp/en-US.{train,dev,test}.jsonl``."""
    (folder / "slurp").mkdir(parents=True, exist_ok=True)
    written = []
    for part, remote in remotes.items():
        source = download(remote, folder / "downloads" / "slurp")
        utterances = []
        for number, line in enumerate(source.read_bytes().splitlines(), 1):
            try:
                record = msgspec.json.decode(line, type=_SlurpRecord)
                text, slots = parse_annotation(record.sentence_annotation)
            except (msgspec.DecodeError, ValueError) as error:
                raise ConfigError(f"{source}:{number}: expected a SLURP record: {error}") from error
            intent = f"{record.scenario}_{record.action}"
            utterances.append(Utterance(str(record.slurp_id), "en-US", part, record.scenario, intent, text, slots))
        written.append(folder / "slurp" / f"en-US.{part}.jsonl")
        write_utterances(written[-1], utterances)
    return written


def download(remote: Remote, folder: Path) -> Path:
    """Fetch a file unless it is there; continue a broken download; verify it.

    Raises:
        ConfigError: when the server cannot be reached or the content is not what was published.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / remote.name
    if not path.is_file():
        partial = path.with_name(path.name + ".part")
        try:
            _continue(remote.url, partial)
        except (OSError, urllib.error.URLError) as error:
            raise ConfigError(f"{remote.url}: cannot be fetched ({error}); run the command again to go on") from error
        _verify(remote, partial, folder / _SUMS)
        partial.replace(path)
    _verify(remote, path, folder / _SUMS)
    return path


def _continue(url: str, partial: Path) -> None:
    have = partial.stat().st_size if partial.is_file() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        response = urllib.request.urlopen(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == 416:
            return
        raise
    with response, partial.open("ab" if response.status == 206 else "wb") as stream:
        log.info("fetching %s%s", url, f" from byte {have}" if response.status == 206 else "")
        shutil.copyfileobj(response, stream)


def _verify(remote: Remote, file: Path, sums: Path) -> None:
    found = hashlib.sha256(file.read_bytes()).hexdigest()
    lines = sums.read_text().splitlines() if sums.is_file() else []
    known = {name: digest for digest, name in (line.split() for line in lines)}
    expected = remote.sha256 or known.get(remote.name)
    if expected is None:
        write_file(sums, "".join(f"{digest}  {name}\n" for name, digest in (known | {remote.name: found}).items()))
        log.warning("%s: no hash is published; kept that of this download, %s", remote.url, found)
    elif found != expected:
        file.unlink()
        raise ConfigError(f"{remote.url}: sha256 is {found}, expected {expected}; deleted, fetch it again")
