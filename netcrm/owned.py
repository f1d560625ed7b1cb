"""One owner: every row that a URL can reach belongs to one user, and the database says so too."""

from django.conf import settings
from django.db import models
from django.db.models.constraints import BaseConstraint

# A search looks at so many words.
MOST_WORDS = 8


class OwnedQuerySet(models.QuerySet):
    def for_user(self, user):
        """Return only the rows of this user. Every view starts here."""
        return self.filter(owner=user)

    def with_words(self, words, *conditions):
        """Return the rows that meet one of the conditions with every word, in any order. A
        condition is a function that makes a Q of a word, such as in_text("note")."""
        rows = self
        for word in words.replace("\0", "").split()[:MOST_WORDS]:
            rows = rows.among(*[self.filter(has(word)) for has in conditions])
        return rows

    def among(self, *found):
        """Return the rows that are in one of some QuerySets.

        Each is looked up in an index of its own, which an OR over several tables would not do;
        and before anything is sorted: to read rows in their order and look for words in each is
        quick only when many have them, which nobody knows.
        """
        keys = [rows.order_by().values("pk").distinct() for rows in found]
        return self.filter(pk__in=keys[0].union(*keys[1:]) if keys[1:] else keys[0])


class Owned(models.Model):
    """A row of one user's notebook.

    Each concrete model lists `SameOwner` for every foreign key to another owned model and
    `owner_key` if other owned models point to it; tests/test_project.py holds them to it.
    """

    # Without an index of its own: every table has one that begins with the owner, and on a table
    # that was not yet analysed PostgreSQL would check SameOwner through this one, row by row.
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        editable=False,
        db_index=False,
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True


def owner_key(table):
    """Return the unique key (owner, id) that composite foreign keys of other tables refer to."""
    return models.UniqueConstraint(fields=["owner", "id"], name=f"{table}_owner_key")


class SameOwner(BaseConstraint):
    """A composite foreign key (owner, field) -> (owner, id): the database refuses a row that
    points to another owner's row. A plain foreign key, and row-level security too, would let
    it pass. Checked at commit, like Django's own foreign keys; an empty field passes."""

    def __init__(self, *, field, name):
        super().__init__(
            name=name, violation_error_message="That belongs to somebody else's notebook."
        )
        self.field = field

    def _sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        field = model._meta.get_field(self.field)
        owner = model._meta.get_field("owner")
        target = field.remote_field.model._meta
        return (
            f"FOREIGN KEY ({quote(owner.column)}, {quote(field.column)}) "
            f"REFERENCES {quote(target.db_table)} ({quote(owner.column)}, {quote('id')}) "
            "DEFERRABLE INITIALLY DEFERRED"
        )

    def constraint_sql(self, model, schema_editor):
        # Inside CREATE TABLE the target may not exist yet; the clause is added right after it.
        schema_editor.deferred_sql.append(self.create_sql(model, schema_editor))

    def create_sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} ADD CONSTRAINT {quote(self.name)} "
            f"{self._sql(model, schema_editor)}"
        )

    def remove_sql(self, model, schema_editor):
        quote = schema_editor.quote_name
        return (
            f"ALTER TABLE {quote(model._meta.db_table)} DROP CONSTRAINT IF EXISTS "
            f"{quote(self.name)}"
        )

    def validate(self, model, instance, exclude=None, using=None):
        """Raise ValidationError when the instance points to another owner's row."""
        from django.core.exceptions import ValidationError

        if exclude and (self.field in exclude or "owner" in exclude):
            return
        field = model._meta.get_field(self.field)
        target_id = getattr(instance, field.attname)
        if target_id is None or instance.owner_id is None:
            return
        rows = field.remote_field.model._base_manager.using(using)
        if not rows.filter(pk=target_id, owner_id=instance.owner_id).exists():
            raise ValidationError({self.field: self.get_violation_error_message()})

    def deconstruct(self):
        path, args, kwargs = super().deconstruct()
        kwargs.pop("violation_error_message", None)
        return path, args, {**kwargs, "field": self.field}

    def __eq__(self, other):
        if isinstance(other, SameOwner):
            return (self.name, self.field) == (other.name, other.field)
        return NotImplemented

    def __hash__(self):
        return hash((self.name, self.field))
