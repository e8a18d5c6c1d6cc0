"""Experiments, from a plan to a decision, the practices they tried, and the tokens of programs that feed them.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "practice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_practice")),
        sa.UniqueConstraint("slug", name=op.f("uq_practice_slug")),
    )
    op.create_table(
        "api_token",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_api_token_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_token")),
        sa.UniqueConstraint("token_sha256", name=op.f("uq_api_token_token_sha256")),
    )
    op.create_table(
        "experiment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("locked", sa.Text(), nullable=True),
        sa.Column("plan_hash", sa.String(length=64), nullable=False),
        sa.Column("registered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("registered_by", sa.Integer(), nullable=True),
        sa.Column("registered_name", sa.Text(), nullable=False),
        sa.Column("after_collection", sa.Boolean(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_experiment_product_id")),
        sa.ForeignKeyConstraint(["registered_by"], ["person.id"], name=op.f("fk_experiment_registered_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment")),
        sa.UniqueConstraint("slug", name=op.f("uq_experiment_slug")),
    )
    op.create_index(op.f("ix_experiment_product_id"), "experiment", ["product_id"], unique=False)
    op.create_index(op.f("ix_experiment_state"), "experiment", ["state"], unique=False)
    op.create_table(
        "practice_adoption",
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.Column("product_id", sa.Integer(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_practice_adoption_person_id")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_practice_adoption_practice_id")),
        sa.ForeignKeyConstraint(["product_id"], ["product.id"], name=op.f("fk_practice_adoption_product_id")),
        sa.PrimaryKeyConstraint("practice_id", "product_id", name=op.f("pk_practice_adoption")),
    )
    op.create_index(op.f("ix_practice_adoption_product_id"), "practice_adoption", ["product_id"], unique=False)
    op.create_table(
        "experiment_analysis",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_analysis_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_analysis_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_analysis")),
    )
    op.create_index(op.f("ix_experiment_analysis_experiment_id"), "experiment_analysis", ["experiment_id"], unique=False)
    op.create_table(
        "experiment_author",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_author_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_author_person_id")),
        sa.PrimaryKeyConstraint("experiment_id", "person_id", name=op.f("pk_experiment_author")),
    )
    op.create_table(
        "experiment_count",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("arm", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=False),
        sa.Column("n", sa.Double(), nullable=False),
        sa.Column("x", sa.Double(), nullable=True),
        sa.Column("total", sa.Double(), nullable=True),
        sa.Column("total_of_squares", sa.Double(), nullable=True),
        sa.Column("levels", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_count_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_count_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_count")),
    )
    op.create_index(
        "uq_experiment_count_current",
        "experiment_count",
        ["experiment_id", "day", "arm", "metric", "segment"],
        unique=True,
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.create_table(
        "experiment_deviation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("old", sa.Text(), nullable=True),
        sa.Column("new", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("results_known", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_deviation_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_deviation_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_deviation")),
    )
    op.create_index(op.f("ix_experiment_deviation_experiment_id"), "experiment_deviation", ["experiment_id"], unique=False)
    op.create_table(
        "experiment_look",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("result", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_look_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_look_person_id")),
        sa.PrimaryKeyConstraint("experiment_id", "day", name=op.f("pk_experiment_look")),
    )
    op.create_table(
        "experiment_practice",
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("practice_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_practice_experiment_id")),
        sa.ForeignKeyConstraint(["practice_id"], ["practice.id"], name=op.f("fk_experiment_practice_practice_id")),
        sa.PrimaryKeyConstraint("experiment_id", "practice_id", name=op.f("pk_experiment_practice")),
    )
    op.create_index(op.f("ix_experiment_practice_practice_id"), "experiment_practice", ["practice_id"], unique=False)
    op.create_table(
        "experiment_step",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("step", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_step_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_step_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_step")),
    )
    op.create_index(op.f("ix_experiment_step_experiment_id"), "experiment_step", ["experiment_id"], unique=False)
    op.create_table(
        "experiment_table",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("replaced_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_table_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_table_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_table")),
    )
    op.create_index(op.f("ix_experiment_table_experiment_id"), "experiment_table", ["experiment_id"], unique=False)
    op.create_table(
        "experiment_decision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("experiment_id", sa.Integer(), nullable=False),
        sa.Column("analysis_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=True),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("choice", sa.String(length=20), nullable=False),
        sa.Column("departs", sa.Boolean(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("dissent", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["analysis_id"], ["experiment_analysis.id"], name=op.f("fk_experiment_decision_analysis_id")),
        sa.ForeignKeyConstraint(["experiment_id"], ["experiment.id"], name=op.f("fk_experiment_decision_experiment_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_experiment_decision_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_experiment_decision")),
    )
    op.create_index(op.f("ix_experiment_decision_experiment_id"), "experiment_decision", ["experiment_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_experiment_decision_experiment_id"), table_name="experiment_decision")
    op.drop_table("experiment_decision")
    op.drop_index(op.f("ix_experiment_table_experiment_id"), table_name="experiment_table")
    op.drop_table("experiment_table")
    op.drop_index(op.f("ix_experiment_step_experiment_id"), table_name="experiment_step")
    op.drop_table("experiment_step")
    op.drop_index(op.f("ix_experiment_practice_practice_id"), table_name="experiment_practice")
    op.drop_table("experiment_practice")
    op.drop_table("experiment_look")
    op.drop_index(op.f("ix_experiment_deviation_experiment_id"), table_name="experiment_deviation")
    op.drop_table("experiment_deviation")
    op.drop_index(
        "uq_experiment_count_current",
        table_name="experiment_count",
        sqlite_where=sa.text("replaced_at IS NULL"),
        postgresql_where=sa.text("replaced_at IS NULL"),
    )
    op.drop_table("experiment_count")
    op.drop_table("experiment_author")
    op.drop_index(op.f("ix_experiment_analysis_experiment_id"), table_name="experiment_analysis")
    op.drop_table("experiment_analysis")
    op.drop_index(op.f("ix_practice_adoption_product_id"), table_name="practice_adoption")
    op.drop_table("practice_adoption")
    op.drop_index(op.f("ix_experiment_state"), table_name="experiment")
    op.drop_index(op.f("ix_experiment_product_id"), table_name="experiment")
    op.drop_table("experiment")
    op.drop_table("api_token")
    op.drop_table("practice")
