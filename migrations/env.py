"""Alembic's environment: one database, named by whoever asks; concurrent askers wait for each other."""

from alembic import context
from sqlalchemy import create_engine, text

from gridmgr.schema import METADATA, belongs_here

engine = create_engine(context.config.attributes["url"])
with engine.connect() as connection:
    connection.execute(text("SELECT pg_advisory_lock(hashtext('gridmgr.migrate'))"))
    context.configure(connection=connection, target_metadata=METADATA, include_object=belongs_here)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
