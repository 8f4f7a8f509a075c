"""Runs migrations on the connection that `onward.workspace.database.migrate` holds a transaction on."""

from alembic import context

from onward.workspace.entities import Entity

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Entity.metadata,
    render_as_batch=True,  # SQLite can't alter tables in place
    compare_type=True,
)
context.run_migrations()
