"""The tables of the database; `migrations/` tells how they came to be so."""

from typing import Final

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

METADATA: Final = MetaData()

FEEDBACK: Final = Table(
    "feedback",
    METADATA,
    Column(
        "number", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    ),
    Column("id", String(32), nullable=False, unique=True),
    Column("key", String(128), nullable=False, unique=True),
    Column("body_sha256", String(64), nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("request_id", String(128)),
    Column("message_id", String(128)),
    Column("text", Text),
    Column("title", Text),
    Column("channel", String(32)),
    Column("labels", JSON, nullable=False),
    Column("annotator", String(128), nullable=False),
    Column("reason", Text),
    Column("is_masked", Boolean, nullable=False),
    Column("status", String(16), nullable=False, index=True),
    Column("decided_by", String(128)),
    Column("decided_at", DateTime(timezone=True)),
)
