"""Contacts and everything that hangs on them, as PostgreSQL has it: so that a change of many rows
in many rooms can be told apart afterwards, and put back to the last bit."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey, ManyToOneRel, Model

from contacts.models import Contact

# {model label: {id: the row as JSON}}
Snapshot = dict[str, dict[int, dict[str, Any]]]
# What follows from other columns of a contact: it may have changed by itself.
DERIVED = {"search_text", "updated_at"}
# Rows that are forgotten after a while: that one is gone is no edit.
FORGOTTEN = {"contacts.BulkRow", "contacts.ImportRow"}


def relations(model: type[Model]) -> Iterator[ForeignKey]:
    """Yield every foreign key that points to a model, from rooms above too."""
    for relation in model._meta.get_fields(include_hidden=True):
        if isinstance(relation, ManyToOneRel) and isinstance(relation.field, ForeignKey):
            yield relation.field


def take(contacts: Iterable[Contact]) -> Snapshot:
    """Return the contacts and all rows that hang on them, however far away. Other contacts are in
    it if they point to one of them, without what hangs on those."""
    ids: dict[type[Model], set[int]] = defaultdict(set)
    new: list[tuple[type[Model], set[int]]] = [(Contact, {contact.pk for contact in contacts})]
    while new:
        model, fresh = new.pop()
        ids[model] |= fresh
        for field in relations(model):
            rows = field.model._base_manager.filter(**{f"{field.name}__in": fresh})
            more = set(rows.values_list("pk", flat=True)) - ids[field.model]
            if field.model is Contact:
                ids[Contact] |= more
            elif more:
                new.append((field.model, more))
    return {model._meta.label: _rows(model, pks) for model, pks in ids.items()}


def changes(before: Snapshot) -> dict[str, dict[str, list[Any]]]:
    """Return what became of the rows of a snapshot: those that are `gone`, and of those that are
    `changed` what was in the columns and what is in them now; both {model label: rows}."""
    gone, changed = {}, {}
    for label, rows in before.items():
        now = _rows(apps.get_model(label), rows)
        gone[label] = [row for pk, row in rows.items() if pk not in now]
        changed[label] = [
            {"id": pk, "was": _only(row, other), "is": _only(other, row)}
            for pk, row in rows.items()
            if (other := now.get(pk)) not in (None, row)
        ]
    return {
        "gone": {label: rows for label, rows in gone.items() if rows},
        "changed": {label: rows for label, rows in changed.items() if rows},
    }


def edited(noted: dict[str, Any]) -> Iterator[tuple[type[Model], str]]:
    """Yield (model, column) of what was changed once more since changes() noted it; the column is
    "" of a row that is gone."""
    for label, rows in noted.get("changed", {}).items():
        model = apps.get_model(label)
        now = _rows(model, [row["id"] for row in rows])
        for row in rows:
            if row["id"] not in now:
                if label not in FORGOTTEN:
                    yield model, ""
                continue
            for column, value in row["is"].items():
                if column not in DERIVED and now[row["id"]][column] != value:
                    yield model, column


def unedited(noted: dict[str, Any]) -> dict[str, Any]:
    """Return what changes() noted, without the columns that were changed once more since."""
    changed = {}
    for label, rows in noted["changed"].items():
        now = _rows(apps.get_model(label), [row["id"] for row in rows])
        changed[label] = [
            {**row, "was": {name: row["was"][name] for name in _same(row["is"], now[row["id"]])}}
            for row in rows
            if row["id"] in now
        ]
    return {**noted, "changed": changed}


def _same(row: dict[str, Any], other: dict[str, Any]) -> Iterator[str]:
    return (name for name, value in row.items() if other[name] == value)


def put_back(noted: dict[str, Any]) -> None:
    """Restore what changes() noted. Raises IntegrityError when other rows stand in the way, or
    when something that was pointed to is gone."""
    # First whose the rows are: two that would be one too many for one owner may then return.
    for pointers in (True, False):
        for label, rows in noted.get("changed", {}).items():
            _update(apps.get_model(label), rows, pointers)
    for label, rows in noted.get("gone", {}).items():
        _insert(apps.get_model(label), rows)
    connection.check_constraints()


def _only(row: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value != other[name]}


def _rows(model: type[Model], ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT row.id, to_jsonb(row) FROM {table} AS row WHERE row.id = ANY(%s)",  # noqa: S608
            [sorted(ids)],
        )
        # Django hands JSON out as text.
        return {pk: json.loads(row) for pk, row in cursor.fetchall()}


def _update(model: type[Model], rows: list[dict[str, Any]], pointers: bool) -> None:
    """Restore the columns that point to other rows, or all others."""
    keys = {field.column for field in model._meta.concrete_fields if field.is_relation}
    olds = [
        {name: value for name, value in row["was"].items() if (name in keys) is pointers}
        for row in rows
    ]
    write(model, [{"id": row["id"], **was} for row, was in zip(rows, olds, strict=True) if was])


def write(model: type[Model], rows: Iterable[dict[str, Any]]) -> None:
    """Set columns of rows, each {"id": id, column: value as JSON}: one statement for all in which
    the same columns are set."""
    quote = connection.ops.quote_name
    table = quote(model._meta.db_table)
    alike = defaultdict(list)
    for row in rows:
        alike[tuple(row)].append(row)
    for (_, *columns), some in alike.items():
        values = ", ".join(f"{quote(name)} = new.{quote(name)}" for name in columns)
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table} AS row SET {values}"  # noqa: S608
                f" FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb) AS new"
                " WHERE row.id = new.id",
                [json.dumps(some)],
            )


def _insert(model: type[Model], rows: list[dict[str, Any]]) -> None:
    table = connection.ops.quote_name(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table}"  # noqa: S608
            f" SELECT * FROM jsonb_populate_recordset(NULL::{table}, %s::jsonb)",
            [json.dumps(rows)],
        )
