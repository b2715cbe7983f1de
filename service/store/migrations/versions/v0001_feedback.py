"""The table of corrections."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Creates the table."""
    op.create_table(
        "feedback",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer, "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        sa.Column("body_sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("request_id", sa.String(128)),
        sa.Column("message_id", sa.String(128)),
        sa.Column("text", sa.Text),
        sa.Column("title", sa.Text),
        sa.Column("channel", sa.String(32)),
        sa.Column("labels", sa.JSON, nullable=False),
        sa.Column("annotator", sa.String(128), nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("is_masked", sa.Boolean, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("decided_by", sa.String(128)),
        sa.Column("decided_at", sa.DateTime(timezone=True)),
    )
    op.create_index("ix_feedback_status", "feedback", ["status"])


def downgrade() -> None:
    """Removes it, with all that it holds."""
    op.drop_table("feedback")
