"""What a file of messages is once it is open: columns and records."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from service.core.errors import YanpanError

STANDARD_INPUT: Final = "-"


class InputError(YanpanError):
    """A file that cannot be read as a table at all; the detail names it."""

    code = "input_invalid"


class Record(NamedTuple):
    """One row as it was read.

    Attributes:
        line: the line it begins on, or the number of its row in a sheet, from 1.
        raw: the row as it stood, for the list of errors.
        fields: column → value, or `None` where `fault` says why there are none.
        fault: what is wrong.
    """

    line: int
    raw: str
    fields: dict[str, Any] | None
    fault: str = ""


@dataclass(slots=True)
class Table:
    """A file that is being read.

    Attributes:
        kind: `jsonl`, `csv`, `tsv`, `xlsx` or `parquet`.
        columns: its header; of JSONL none is known beforehand.
        records: its rows, once.
        encoding: of text files.
        total: how many rows there are, where the file says so; of a sheet only a hint.
        share: how much of the file has been read, from 0 to 1, where only that is known.
        read: how many records have been taken.
    """

    kind: str
    columns: Sequence[str]
    records: Iterator[Record]
    encoding: str = ""
    total: int | None = None
    share: Callable[[], float] | None = None
    read: int = 0

    def __iter__(self) -> Iterator[Record]:
        for record in self.records:
            self.read += 1
            yield record

    def expect(self) -> int | None:
        """How many rows there are, as far as that can be told after those that were read."""
        share = self.share() if self.share else 0
        return round(self.read / share) if share else self.total

    @property
    def is_typed(self) -> bool:
        """Whether values have the types of JSON; else they are cells, as people write them."""
        return self.kind == "jsonl"


def distinct_columns(cells: Sequence[Any]) -> list[str]:
    """Column names without spaces around them; an unnamed or repeated one gets a number."""
    columns: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = str(cell).strip() if cell is not None else ""
        name = name or f"列{place}"
        columns.append(f"{name}.{place}" if name in columns else name)
    return columns
