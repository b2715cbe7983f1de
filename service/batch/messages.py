"""The messages of a file, one after the other, for what reads a file as a whole."""

from collections.abc import Iterator, Mapping

from service.batch.records import read_message
from service.batch.tables import open_table
from service.core.message import Message


def read_messages(
    name: str, names: Mapping[str, str] | None = None, sheet: str | None = None
) -> Iterator[tuple[int, Message | None]]:
    """Line numbers with the messages of a file; `None` where a line holds none.

    Args:
        name: the file, or `-` for JSONL on standard input.
        names: other names of columns → ours.
        sheet: the worksheet; the first if `None`.

    Raises:
        InputError: the file cannot be read as a table.
    """
    with open_table(name, sheet) as table:
        for record in table:
            message, _ = read_message(record, names or {}, is_typed=table.is_typed)
            yield record.line, message
