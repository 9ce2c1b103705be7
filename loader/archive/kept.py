"""Delivered files in the archive, packed with zstd: the name tells the period and the hash of what was delivered.

They are kept for datasets whose contract says `keep_files: true`, so that a delivery can be read again when the
sender's file is gone.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from loader.archive.names import name_of_period, period_of_name
from loader.contracts import Contract, Period
from loader.errors import RefusedError
from loader.files import put_in_place, sweep, unpublished

FOLDER = "delivered"
"""Where they lie, below the folder of their dataset in the archive."""
_CHUNK = 1 << 20


@dataclass(frozen=True)
class KeptFile:
    """What the name of a kept file tells."""

    path: Path
    period: Period
    sha256: str
    """Of the bytes that were delivered."""

    @classmethod
    def of(cls, folder: Path, period: Period, sha256: str) -> KeptFile:
        """The file of one delivery, there or not; `folder` is that of the dataset in the archive."""
        return cls(folder / FOLDER / f"{name_of_period(period)}_{sha256}.zst", period, sha256)

    @property
    def is_there(self) -> bool:
        """Whether it was kept."""
        return self.path.exists()

    def keep(self, delivered: Path) -> bool:
        """Pack a delivery; False when it no longer has the bytes that the name tells, so that nothing is kept."""
        with suppress(RefusedError, FileNotFoundError):
            self.unpack(None)
            return True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        sweep(self.path.parent)
        unfinished = unpublished(self.path)
        try:
            with delivered.open("rb") as source, pa.output_stream(unfinished, compression="zstd") as packed:
                found = _copy(source, packed)
            if found == self.sha256:
                put_in_place(unfinished, self.path)
            return found == self.sha256
        finally:
            unfinished.unlink(missing_ok=True)

    def unpack(self, target: Path | None) -> None:
        """Write the file as it was delivered to `target`; to nowhere, only to check it.

        Raises:
            RefusedError: the file is damaged, or is not the one that was delivered.
            OSError: it is not there, or the disk failed.
        """  # noqa: DOC501 (what Arrow raises becomes one of them)
        self.path.stat()
        try:
            with pa.input_stream(self.path, compression="zstd") as packed:
                if target is None:
                    found = _copy(packed, None)
                else:
                    with target.open("wb") as unpacked:
                        found = _copy(packed, unpacked)
        except (pa.ArrowException, OSError) as error:
            if getattr(error, "errno", None) is not None:
                raise  # the disk, not the file
            found = ""
        if found != self.sha256:
            raise RefusedError(
                f"{self.path.parent.parent.name}/{FOLDER}/{self.path.name} in the archive is not the file that was "
                "delivered; restore it from a backup, or remove it"
            )


def kept_files(contract: Contract, folder: Path) -> list[KeptFile]:
    """All kept files of a dataset; `folder` is that of the dataset in the archive."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.zst")):
        told = re.fullmatch(r"(?P<period>[0-9A-Z-]+)_(?P<sha256>[0-9a-f]{64})\.zst", path.name)
        if told is None:
            continue
        with suppress(ValueError):
            found.append(KeptFile(path, period_of_name(contract, told["period"]), told["sha256"]))
    return found


def is_kept(path: Path) -> bool:
    """Whether a path is that of a kept file."""
    return path.parent.name == FOLDER and path.suffix == ".zst"


def _copy(source: Any, target: Any) -> str:
    """Copy a stream; returns the hash of its bytes."""
    found = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        found.update(chunk)
        if target is not None:
            target.write(chunk)
    return found.hexdigest()
