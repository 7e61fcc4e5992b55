"""Finding the newest that went well, whatever their version, without reading all of the past."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    condition = sa.text("phase IN ('succeeded', 'superseded')")
    op.create_index(
        "deployments_took",
        "deployments",
        ["team", "service", "environment", "kind", "finished_at"],
        sqlite_where=condition,
        postgresql_where=condition,
    )


def downgrade() -> None:
    op.drop_index("deployments_took", "deployments")
