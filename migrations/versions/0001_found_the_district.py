"""Found the district: the schema of the first release, and procrastinate's own beside it."""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL that stands beside this file, then procrastinate's."""
    cursor = op.get_bind().connection.cursor()
    cursor.execute(Path(__file__).with_suffix(".sql").read_text("utf-8"))
    cursor.execute(SchemaManager.get_schema())
