"""`fabrique reviews verify`: is every signed review still what was signed?"""

from __future__ import annotations

import click
import sqlalchemy as sa

from fabrique.cli.shared import opened
from fabrique.language import _, ngettext
from fabrique.portfolio.model import ProductRow
from fabrique.reviews.actions.holding import record_hash
from fabrique.reviews.model import ReviewRow

NOT_EVERYTHING = 1


@click.group("reviews", help=_("Gate reviews: check what was signed."))
def reviews_group() -> None:
    """Gate reviews."""


@reviews_group.command("verify", help=_("Compute the fingerprint of every signed review again and say which were changed."))
def verify_command() -> int:
    """Not zero where a record is no longer what was signed."""
    checked, broken = 0, 0
    with opened() as (database, _settings), database.read() as session:
        rows = session.execute(
            sa.select(ReviewRow.id, ReviewRow.record, ReviewRow.record_sha256, ProductRow.slug)
            .join(ProductRow, ProductRow.id == ReviewRow.product_id)
            .where(ReviewRow.signed_at.is_not(None))
            .order_by(ReviewRow.id)
        )
        for row in rows:
            checked += 1
            if row.record is None or record_hash(row.record) != row.record_sha256:
                broken += 1
                click.echo(_("Review %(id)s of %(product)s is not what was signed.", id=row.id, product=row.slug), err=True)
    click.echo(ngettext("%(num)s signed review checked", "%(num)s signed reviews checked", checked))
    return NOT_EVERYTHING if broken else 0


COMMANDS = {"reviews": reviews_group}
