"""What a file tells of one person, whatever program wrote it. Readers make cards, writers take
them; nothing here knows a database."""

import base64
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

# A value and the label that stands beside it in the file ("work"), maybe empty.
Line = tuple[str, str]


@dataclass(frozen=True)
class Moment:
    """Something that happened with a person, as another program has written it down: `kind` is a
    channel of ours (call, email, message, meeting, note), `on` a local date."""

    on: date
    kind: str
    note: str


@dataclass(frozen=True)
class Task:
    """Something that another program reminds of on a local date."""

    on: date
    title: str


@dataclass
class Card:
    """One person of a file. `row` is where it stands there, from 1; `trouble` says in a sentence
    why it cannot be taken; `without` names what was left out since it could not be read.

    Nothing is lost silently: what has no field is in `details`, (value, label) pairs in the order
    of the file. `related` are (name, how) pairs of other people in the same file.
    """

    row: int = 0
    name: str = ""
    organisation: str = ""
    role: str = ""
    how_met: str = ""
    known_since: date | None = None
    notes: str = ""
    time_zone: str = ""
    tags: list[str] = field(default_factory=list)
    emails: list[Line] = field(default_factory=list)
    phones: list[Line] = field(default_factory=list)
    links: list[Line] = field(default_factory=list)
    details: list[Line] = field(default_factory=list)
    photo: bytes = b""
    uid: str = ""
    moments: list[Moment] = field(default_factory=list)
    tasks: list[Task] = field(default_factory=list)
    related: list[Line] = field(default_factory=list)
    without: list[str] = field(default_factory=list)
    trouble: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON can store it; empty fields are left out."""
        told = {name: value for name, value in asdict(self).items() if value}
        for name in ("moments", "tasks"):
            for each in told.get(name, []):
                each["on"] = each["on"].isoformat()
        if self.known_since:
            told["known_since"] = self.known_since.isoformat()
        if self.photo:
            told["photo"] = base64.b64encode(self.photo).decode()
        return told

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Card":
        """Return the card that to_json() has stored."""
        told = dict(told)
        for name in ("emails", "phones", "links", "details", "related"):
            told[name] = [(value, label) for value, label in told.get(name, [])]
        for name, kind in (("moments", Moment), ("tasks", Task)):
            told[name] = [
                kind(**each | {"on": date.fromisoformat(each["on"])}) for each in told.get(name, [])
            ]
        if "known_since" in told:
            told["known_since"] = date.fromisoformat(told["known_since"])
        told["photo"] = base64.b64decode(told.get("photo", ""))
        return cls(**told)


class CardProblem(Exception):
    """The file cannot be read; the text is a sentence for the user."""
