from contacts.models.imports import UNDO_IMPORT_FOR, ColumnMapping, ImportJob, ImportRow
from contacts.models.labels import Organisation, Tag, Topic
from contacts.models.lists import BulkChange, SavedView
from contacts.models.people import (
    ALPHABETICAL,
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactPhoto,
    ContactQuerySet,
    ContactTag,
    ContactTopic,
)
from contacts.models.twins import Merge, NotSame
from contacts.models.words import (
    IDEAL,
    LATE,
    LONGEST_RHYTHM,
    NOT_THIS_WEEK,
    RHYTHMS,
    plain,
    say_rhythm,
    tidy_link,
)

__all__ = [
    "ALPHABETICAL",
    "IDEAL",
    "LATE",
    "LONGEST_RHYTHM",
    "NOT_THIS_WEEK",
    "RHYTHMS",
    "UNDO_IMPORT_FOR",
    "BulkChange",
    "ColumnMapping",
    "Contact",
    "ContactEmail",
    "ContactLink",
    "ContactPhone",
    "ContactPhoto",
    "ContactQuerySet",
    "ContactTag",
    "ContactTopic",
    "ImportJob",
    "ImportRow",
    "Merge",
    "NotSame",
    "Organisation",
    "SavedView",
    "Tag",
    "Topic",
    "plain",
    "say_rhythm",
    "tidy_link",
]
