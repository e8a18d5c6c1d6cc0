"""How migrations run: on the connection that fabrique.database.migrate hands over, one transaction a migration."""

from alembic import context

from fabrique.accounts import model as accounts  # noqa: F401 - each model registers its tables
from fabrique.database import Table
from fabrique.experiments import model as experiments  # noqa: F401
from fabrique.portfolio import model as portfolio  # noqa: F401
from fabrique.quality import model as quality  # noqa: F401
from fabrique.reviews import model as reviews  # noqa: F401
from fabrique.watch import model as watch  # noqa: F401

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Table.metadata,
    render_as_batch=connection.dialect.name == "sqlite",
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
