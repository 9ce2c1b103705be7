"""What a disk holds after a power cut, by the journal of what a process wrote, renamed and synced.

Data that was not synced is gone, and a file that is new is empty. Names last at once, or, as ext4 has it, with the next
sync of any file. (Names that need a sync of their folder are not asked for: DuckDB makes its log without.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tests.support.faults import Change

Model = Literal["names at once", "names with the next sync"]


@dataclass(eq=False)
class _File:
    """What a file holds, and what of it the disk has."""

    content: bytearray = field(default_factory=bytearray)
    synced: bytes = b""


class Disk:
    """The files below a folder; paths are absolute."""

    def __init__(self, root: Path, saved: Path, model: Model) -> None:
        """`saved` has what `root` held, all of it synced."""
        self.model = model
        self.names: dict[str, _File] = {}
        for path in saved.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                self.names[str(root / path.relative_to(saved))] = _File(bytearray(content), content)
        self.lasting = dict(self.names)

    def follow(self, change: Change) -> None:
        """Do what a process did."""
        file = self.names.get(change.path)
        match change.sign:
            case "o" if change.other == "new":
                self.names[change.path] = _File()
            case "o" if file is not None and change.other == "emptied":
                file.content.clear()
            case "w" if file is not None:
                end = change.offset + len(change.data)
                file.content.extend(bytes(max(end - len(file.content), 0)))
                file.content[change.offset : end] = change.data
            case "t" if file is not None:
                del file.content[change.offset :]
                file.content.extend(bytes(change.offset - len(file.content)))
            case "r" if file is not None:
                self.names[change.other] = self.names.pop(change.path)
            case "u":
                self.names.pop(change.path, None)
            case "s":
                if file is not None:
                    file.synced = bytes(file.content)
                self.lasting = dict(self.names)
        if self.model == "names at once":
            self.lasting = dict(self.names)

    def after_a_cut(self) -> dict[str, bytes]:
        """The content of each file that is there then."""
        return {path: file.synced for path, file in self.lasting.items()}
