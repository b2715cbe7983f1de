"""Which rows of a file are copies of each other, found before any is scored."""

from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.batch.records import read_message
from service.batch.table import Table
from service.core.duplicates import HASHES, Groups, group, sign

_FILE: Final = "events.npy"
_SIGNATURES: Final = "signatures"


class Event(NamedTuple):
    """What a row is a copy of.

    Attributes:
        id: named by the number of the first row that says it.
        size: how many rows of the file say it, this one too.
    """

    id: str
    size: int


def find_events(table: Table, folder: Path, names: Mapping[str, str]) -> Groups:
    """For each row the first row of its event, counted from 0; kept in the folder of the run."""
    path = folder / _FILE
    if path.exists():
        found: Groups = np.load(path)
        return found
    draft = folder / _SIGNATURES
    rows = 0
    signed = array("i")
    with draft.open("wb") as file:
        for record in table:
            message, _ = read_message(record, names, is_typed=table.is_typed)
            if message is not None:
                file.write(sign(message.text).tobytes())
                signed.append(rows)
            rows += 1
    # Mapped, so that the system can take back what is not being read.
    signatures = (
        np.memmap(draft, np.uint8, "r", shape=(len(signed), HASHES))
        if signed
        else np.zeros((0, HASHES), np.uint8)
    )
    events = np.arange(rows, dtype=np.int32)
    where = np.frombuffer(signed, np.int32)
    events[where] = where[group(signatures)]
    whole = folder / f"{_FILE}.draft"
    with whole.open("wb") as file:
        np.save(file, events)
    whole.replace(path)
    draft.unlink()
    return events


def count_copies(groups: Groups) -> NDArray[np.int32]:
    """How many rows each row's event has."""
    return np.bincount(groups).astype(np.int32)[groups]


def name_events(groups: Groups, sizes: NDArray[np.int32]) -> list[Event]:
    """The events of some rows."""
    both = zip(groups.tolist(), sizes.tolist(), strict=True)
    return [Event(f"E{first + 1:08}", size) for first, size in both]
