"""Scoring as one function of pandas frames, for engines that bring their own cluster.

Spark and Ray call it as it is; each process loads the model once, by its path:

    frame.mapInPandas(partial(score_frames, received_at=time), schema=SCHEMA)
    dataset.map_batches(partial(score_frame, received_at=time), batch_format="pandas")
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from service.batch.flat import flatten
from service.batch.records import read_message
from service.batch.run import chain_of_process
from service.batch.table import Record
from service.core.assess import assess_message
from service.core.errors import YanpanError
from service.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

REQUEST: Final = "frame"  # no HTTP request stands behind a frame
SCHEMA: Final = (
    "id string, topic string, topic_name string, topic_confidence double, sentiment string, "
    "sentiment_name string, sentiment_confidence double, intent string, intent_name string, "
    "intent_confidence double, flags string, flags_name string, risk_level string, "
    "risk_name string, risk_score bigint, response_type string, response_name string, "
    "response_value string, response_confidence double, first_deadline string, "
    "first_deadline_name string, owner string, needs_verification boolean, needs_review boolean, "
    "review_reasons string, reasons string, model_version string, policy_version string, "
    "assessed_at string, error string"
)
"""The columns of the answer, as Spark writes a schema."""


def score_frames(
    frames: "Iterator[pd.DataFrame]",
    *,
    received_at: datetime,
    names: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> "Iterator[pd.DataFrame]":
    """`score_frame` for each of many frames, as Spark's `mapInPandas` wants it."""
    for frame in frames:
        yield score_frame(frame, received_at=received_at, names=names, settings=settings)


def score_frame(
    frame: "pd.DataFrame",
    *,
    received_at: datetime,
    names: Mapping[str, str] | None = None,
    settings: Settings | None = None,
) -> "pd.DataFrame":
    """One row for each row, with the columns of `SCHEMA`.

    A row that cannot be scored has its reason under `error` and nothing else but its id.

    Args:
        frame: a column `text`, or one that `names` or a Chinese name tells to be it, and any other
            field of a message.
        received_at: the time of receipt for rows that do not say when they were found.
        names: other names of columns → ours.
        settings: the model and the policy; those of the environment if `None`.
    """
    import pandas as pd  # noqa: PLC0415 — the engine that calls brings it

    chain = chain_of_process(settings or Settings())
    columns = [field.split()[0] for field in SCHEMA.split(", ")]
    rows: list[dict[str, Any]] = []
    for number, given in enumerate(frame.to_dict("records"), 1):
        fields = {str(name): value for name, value in given.items() if not _is_missing(value)}
        message, error = read_message(Record(number, "", fields), names or {}, is_typed=False)
        row: dict[str, Any] = {"id": message.id if message else None}
        if message is not None:
            try:
                row = flatten(assess_message(message, chain, request_id=REQUEST, now=received_at))
            except YanpanError as fault:
                error = f"{fault.detail}{fault.hint}"
        rows.append({**dict.fromkeys(columns), **row, "error": error or None})
    return pd.DataFrame(rows, columns=columns, dtype=object)  # else None would become NaN


def _is_missing(value: Any) -> bool:
    return value is None or value != value  # noqa: PLR0124 — NaN and NaT alone are not themselves
