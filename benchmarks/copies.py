"""Many notebooks at once: one is made by Django, the others are copies of it in plain SQL."""

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection
from django.db.models import Field, Model

from netcrm.models import User

# The rows of the first notebook have ids below this; those of copy n lie n times this above.
STRIDE = 1000


def copy_notebook(user: User, first: int, last: int) -> None:
    """Copy a user and everything that is theirs, as the copies `first` to `last` (from 1).

    No foreign key is checked, which would take most of the time: the rows of a copy point to each
    other as the original's do. For that PostgreSQL asks for a superuser, as `make bench` has.
    """
    models = {model: owner for model in apps.get_models() if (owner := _owner(model))}
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SET session_replication_role = replica")
        for model, owner in models.items():
            cursor.execute(_copy(model, owner), [first, last, user.pk])
        for sql in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(sql)
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("RESET statement_timeout")


def _owner(model: type[Model]) -> Field | None:
    """Return the field that says whose a row is, if the rows of the model are somebody's."""
    fields = model._meta.concrete_fields
    if model is User:
        return model._meta.pk
    return next((field for field in fields if field.related_model is User), None)


def _copy(model: type[Model], owner: Field) -> str:
    quote = connection.ops.quote_name
    table, fields = quote(model._meta.db_table), model._meta.concrete_fields
    columns = ", ".join(quote(field.column) for field in fields)
    values = ", ".join(_value(field, f"original.{quote(field.column)}") for field in fields)
    return (  # The names are those of our own models.
        f"INSERT INTO {table} ({columns}) SELECT {values}"  # noqa: S608
        f" FROM generate_series(%s, %s) AS n, {table} AS original"
        f" WHERE original.{quote(owner.column)} = %s"
    )


def _value(field: Field, original: str) -> str:
    if field.primary_key or field.is_relation:
        return f"{original} + n * {STRIDE}"
    return f"n || {original}" if field.name == "email" else original
