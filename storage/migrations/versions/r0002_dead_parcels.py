"""Finding what was given up without reading everything that was sent."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    condition = sa.text("state = 'dead'")
    op.create_index(
        "outbox_dead", "outbox", ["id"], sqlite_where=condition, postgresql_where=condition
    )


def downgrade() -> None:
    op.drop_index("outbox_dead", "outbox")
