"""Products' sheets as people keep them, revisions, gate reviews with their criteria and conditions.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "calendar_feed",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_read_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_calendar_feed_person_id")),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_calendar_feed")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_calendar_feed_token_sha256")),
    )
    op.create_table(
        "criteria_set",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("gate", sa.String(length=20), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_criteria_set_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_criteria_set")),
        sa.UniqueConstraint("gate", "version", name=op.f("uq_criteria_set_gate")),
    )
    op.create_table(
        "incubator_coach",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("incubator_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_incubator_coach_person_id")),
        sa.PrimaryKeyConstraint("person_id", "incubator_id", name=op.f("pk_incubator_coach")),
    )
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_saved_view_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("person_id", "name", name=op.f("uq_saved_view_person_id")),
    )
    op.create_table(
        "criterion",
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("label_fr", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.Column("help_fr", sa.Text(), nullable=False),
        sa.Column("help_en", sa.Text(), nullable=False),
        sa.Column("draws", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["set_id"], ["criteria_set.id"], name=op.f("fk_criterion_set_id")),
        sa.PrimaryKeyConstraint("set_id", "position", name=op.f("pk_criterion")),
    )
    op.create_table(
        "gate_review",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("set_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("from_stage", sa.String(length=20), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("held_on", sa.Date(), nullable=True),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("committee", sa.Text(), nullable=False),
        sa.Column("decision", sa.String(length=20), nullable=False),
        sa.Column("next_stage", sa.String(length=20), nullable=False),
        sa.Column("continue_until", sa.Date(), nullable=True),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("prepared_by", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_by", sa.Integer(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.Integer(), nullable=True),
        sa.Column("supersedes_id", sa.Integer(), nullable=True),
        sa.Column("record", sa.Text(), nullable=True),
        sa.Column("record_sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["changed_by"], ["person.id"], name=op.f("fk_gate_review_changed_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_gate_review_product_id")),
        sa.ForeignKeyConstraint(["set_id"], ["criteria_set.id"], name=op.f("fk_gate_review_set_id")),
        sa.ForeignKeyConstraint(["signed_by"], ["person.id"], name=op.f("fk_gate_review_signed_by")),
        sa.ForeignKeyConstraint(["supersedes_id"], ["gate_review.id"], name=op.f("fk_gate_review_supersedes_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_review")),
    )
    op.create_index(
        "ix_gate_review_one_in_preparation",
        "gate_review",
        ["product_id"],
        unique=True,
        sqlite_where=sa.text("state = 'preparing'"),
        postgresql_where=sa.text("state = 'preparing'"),
    )
    op.create_index("ix_gate_review_product_id", "gate_review", ["product_id"], unique=False)

    op.create_table(
        "product_budget",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("funder", sa.Text(), nullable=False),
        sa.Column("planned", sa.BigInteger(), nullable=True),
        sa.Column("spent", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_budget_product_id")),
        sa.PrimaryKeyConstraint("product_id", "position", name=op.f("pk_product_budget")),
    )
    op.create_table(
        "product_revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("origin", sa.String(length=20), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_product_revision_batch_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_product_revision_person_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_revision_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_revision")),
    )
    op.create_index("ix_product_revision_batch_id", "product_revision", ["batch_id"], unique=False)
    op.create_index("ix_product_revision_product_id", "product_revision", ["product_id"], unique=False)

    op.create_table(
        "product_stake",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("stake", sa.String(length=20), nullable=False),
        sa.Column("metric_key", sa.String(length=60), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_stake_product_id")),
        sa.PrimaryKeyConstraint("product_id", "stake", name=op.f("pk_product_stake")),
    )
    op.create_table(
        "review_condition",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("review_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("met_on", sa.Date(), nullable=True),
        sa.Column("met_note", sa.Text(), nullable=False),
        sa.Column("met_by", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["met_by"], ["person.id"], name=op.f("fk_review_condition_met_by")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_review_condition_product_id")),
        sa.ForeignKeyConstraint(["review_id"], ["gate_review.id"], name=op.f("fk_review_condition_review_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_review_condition")),
    )
    op.create_index("ix_review_condition_product_id", "review_condition", ["product_id"], unique=False)
    op.create_index("ix_review_condition_review_id", "review_condition", ["review_id"], unique=False)

    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.add_column(sa.Column("title", sa.String(length=200), server_default="", nullable=False))
        batch_op.add_column(sa.Column("since", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("through_incubator", sa.Integer(), nullable=True))

    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mission", sa.String(length=20), server_default="", nullable=False))
        batch_op.add_column(sa.Column("pitch", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("partners", sa.Text(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("technologies", sa.Text(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("qualities", sa.Text(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("searched", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("told", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.create_index(batch_op.f("ix_product_mission"), ["mission"], unique=False)

    keep_events()

    with op.batch_alter_table("stage_stay", schema=None) as batch_op:
        batch_op.add_column(sa.Column("mark", sa.String(length=10), server_default="known", nullable=False))
        batch_op.add_column(sa.Column("review_id", sa.Integer(), nullable=True))
        batch_op.create_index(
            "ix_stage_stay_one_open",
            ["product_id"],
            unique=True,
            sqlite_where=sa.text('"end" IS NULL'),
            postgresql_where=sa.text('"end" IS NULL'),
        )
    fill_searched()


def downgrade() -> None:
    op.drop_index("ix_stage_stay_one_open", table_name="stage_stay")
    with op.batch_alter_table("stage_stay", schema=None) as batch_op:
        batch_op.drop_column("review_id")
        batch_op.drop_column("mark")

    number_events()

    op.drop_index("ix_product_mission", table_name="product")
    with op.batch_alter_table("product", schema=None) as batch_op:
        batch_op.drop_column("version")
        batch_op.drop_column("told")
        batch_op.drop_column("searched")
        batch_op.drop_column("qualities")
        batch_op.drop_column("technologies")
        batch_op.drop_column("partners")
        batch_op.drop_column("pitch")
        batch_op.drop_column("mission")

    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_column("through_incubator")
        batch_op.drop_column("until")
        batch_op.drop_column("since")
        batch_op.drop_column("title")

    op.drop_index("ix_review_condition_review_id", table_name="review_condition")
    op.drop_index("ix_review_condition_product_id", table_name="review_condition")

    op.drop_table("review_condition")
    op.drop_table("product_stake")
    op.drop_index("ix_product_revision_product_id", table_name="product_revision")
    op.drop_index("ix_product_revision_batch_id", table_name="product_revision")

    op.drop_table("product_revision")
    op.drop_table("product_budget")
    op.drop_index("ix_gate_review_product_id", table_name="gate_review")
    op.drop_index("ix_gate_review_one_in_preparation", table_name="gate_review")

    op.drop_table("gate_review")
    op.drop_table("criterion")
    op.drop_table("saved_view")
    op.drop_table("incubator_coach")
    op.drop_table("criteria_set")
    op.drop_table("calendar_feed")


def keep_events() -> None:
    """Events get a number of their own: a new table takes the rows of the old one."""
    op.execute("CREATE TABLE event_kept AS SELECT * FROM product_event")
    op.drop_table("product_event")
    op.create_table(
        "product_event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), server_default="", nullable=False),
        sa.Column("origin", sa.String(length=20), server_default="import", nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_event_product_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_event")),
    )
    op.execute(
        "INSERT INTO product_event (product_id, kind, day, comment) "
        "SELECT product_id, kind, day, comment FROM event_kept ORDER BY product_id, position"
    )
    op.drop_table("event_kept")
    op.create_index("ix_product_event_product_id", "product_event", ["product_id"])


def number_events() -> None:
    """Back to events numbered inside their product."""
    op.execute("CREATE TABLE event_kept AS SELECT * FROM product_event")
    op.drop_table("product_event")
    op.create_table(
        "product_event",
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_product_event_product_id")),
        sa.PrimaryKeyConstraint("product_id", "position", name=op.f("pk_product_event")),
    )
    op.execute(
        "INSERT INTO product_event (product_id, kind, day, comment, position) "
        "SELECT product_id, kind, day, comment, ROW_NUMBER() OVER (PARTITION BY product_id ORDER BY day, id) - 1 FROM event_kept"
    )
    op.drop_table("event_kept")


def fill_searched() -> None:
    """What a search looks through, for the products that are there."""
    product = sa.table("product", sa.column("id"), sa.column("name"), sa.column("slug"), sa.column("searched"))
    connection = op.get_bind()
    for row in connection.execute(sa.select(product.c.id, product.c.name, product.c.slug)).all():
        text = unicodedata.normalize("NFKD", f"{row.name} {row.slug}".casefold())
        folded = "".join(letter for letter in text if not unicodedata.combining(letter))
        connection.execute(sa.update(product).where(product.c.id == row.id).values(searched=folded))
