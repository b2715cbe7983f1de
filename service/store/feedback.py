"""Corrections (反馈): proposals of other labels, until somebody accepts or rejects them."""

import hashlib
import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Row, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from service.core.errors import YanpanError
from service.core.privacy import mask
from service.store.tables import FEEDBACK

PROPOSED: Final = "proposed"
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"


class KeyReusedError(YanpanError):
    """An idempotency key that came before with another correction."""

    code = "idempotency_key_reused"


class UnknownFeedbackError(YanpanError):
    """No correction of that id is there."""

    code = "feedback_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What somebody says that the labels of a message are.

    Attributes:
        labels: head → label; for `flags` the list of all that hold.
        annotator: who says so.
        text, title: of the message; without a text it can be counted, but not learned from.
        request_id: of the assessment that it corrects.
        message_id, channel: of the message.
        reason: why.
    """

    labels: Mapping[str, Any]
    annotator: str
    text: str | None = None
    title: str | None = None
    request_id: str | None = None
    message_id: str | None = None
    channel: str | None = None
    reason: str | None = None

    def digest(self) -> str:
        """SHA-256 of all that it says."""
        contents = {name: getattr(self, name) for name in self.__slots__}
        basis = json.dumps(contents, sort_keys=True, ensure_ascii=False, default=dict)
        return hashlib.sha256(basis.encode("utf-8", "surrogatepass")).hexdigest()

    def masked(self) -> "Correction":
        """The same without personal data."""
        shown = {
            name: mask(value) if (value := getattr(self, name)) else value
            for name in ("text", "title", "reason")
        }
        contents = {name: getattr(self, name) for name in self.__slots__}
        return Correction(**{**contents, **shown})


class Stored(NamedTuple):
    """A correction as it is kept, and whether its key had come before."""

    feedback: dict[str, Any]
    is_replayed: bool


@dataclass(frozen=True, slots=True)
class FeedbackStore:
    """The corrections of a deployment.

    Attributes:
        engine: of the database.
        keeps_raw_text: whether personal data is kept; else it is masked before it is stored.
    """

    engine: Engine
    keeps_raw_text: bool = False

    def add(self, correction: Correction, *, key: str, at: datetime) -> Stored:
        """Keeps a correction; the same key with the same body gives the first answer again.

        Raises:
            KeyReusedError: the key came with another body before.
        """
        digest = correction.digest()
        kept = correction if self.keeps_raw_text else correction.masked()
        row = {
            **{name: _storable(getattr(kept, name)) for name in Correction.__slots__},
            "labels": dict(kept.labels),
            "id": uuid.uuid4().hex,
            "key": key,
            "body_sha256": digest,
            "created_at": at.astimezone(UTC),
            "is_masked": not self.keeps_raw_text,
            "status": PROPOSED,
        }
        try:
            with self.engine.begin() as connection:
                connection.execute(insert(FEEDBACK).values(row))
        except IntegrityError:
            return Stored(self._first(key, digest), is_replayed=True)
        return Stored(self.get(row["id"]), is_replayed=False)

    def _first(self, key: str, digest: str) -> dict[str, Any]:
        with self._reading() as connection:
            found = connection.execute(select(FEEDBACK).where(FEEDBACK.c.key == key)).one()
        if found.body_sha256 != digest:
            raise KeyReusedError("这个 Idempotency-Key 已用于另一条反馈。", "请换一个新的键。")
        return _told(found)

    def get(self, feedback_id: str) -> dict[str, Any]:
        """One correction.

        Raises:
            UnknownFeedbackError: there is none of that id.
        """
        query = select(FEEDBACK).where(FEEDBACK.c.id == feedback_id)
        with self._reading() as connection:
            found = connection.execute(query).one_or_none()
        if found is None:
            raise UnknownFeedbackError("没有这条反馈。", "请核对编号。")
        return _told(found)

    def read(self, status: str | None = None) -> Iterator[dict[str, Any]]:
        """All corrections, or those of a status, in the order of their coming."""
        query = select(FEEDBACK).order_by(FEEDBACK.c.number)
        if status:
            query = query.where(FEEDBACK.c.status == status)
        with self._reading() as connection:
            for row in connection.execute(query):
                yield _told(row)

    def purge(self, before: datetime) -> int:
        """Deletes the corrections that are older, whatever became of them; how many there were."""
        old = delete(FEEDBACK).where(FEEDBACK.c.created_at < before.astimezone(UTC))
        with self.engine.begin() as connection:
            return int(connection.execute(old).rowcount)

    def _reading(self) -> Connection:
        return self.engine.execution_options(reads=True).connect()

    def decide(self, ids: Sequence[str] | None, *, is_accepted: bool, by: str, at: datetime) -> int:
        """Accepts or rejects corrections, or all that are only proposed; how many there were.

        Raises:
            UnknownFeedbackError: one of the ids is unknown; then none is decided.
        """
        change = update(FEEDBACK).values(
            status=ACCEPTED if is_accepted else REJECTED,
            decided_by=by,
            decided_at=at.astimezone(UTC),
        )
        if ids is None:
            change = change.where(FEEDBACK.c.status == PROPOSED)
        else:
            change = change.where(FEEDBACK.c.id.in_(ids))
        with self.engine.begin() as connection:
            changed = connection.execute(change).rowcount
            if ids is not None and changed != len(set(ids)):
                raise UnknownFeedbackError("有的编号不存在，一条也没有改动。", "请核对编号。")
        return int(changed)


def _storable(value: Any) -> Any:
    """Without the null characters that PostgreSQL's texts cannot hold."""
    return value.replace("\0", "") if isinstance(value, str) else value


def _told(row: Row[Any]) -> dict[str, Any]:
    """What others may see of a row."""
    table = dict(row._mapping)  # noqa: SLF001 — SQLAlchemy's public name for it
    for name in ("number", "key", "body_sha256"):
        del table[name]
    for name in ("created_at", "decided_at"):
        if table[name] is not None:
            moment = table[name]
            table[name] = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()
    return table
