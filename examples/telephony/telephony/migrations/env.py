"""Alembic's way to the tables. The service migrates by itself when it starts."""

from alembic import context

from telephony.store.models import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
with context.begin_transaction():
    context.run_migrations()
