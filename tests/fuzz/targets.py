"""What is tried: files of each kind, and the promise that holds for them."""

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path

from django.utils import timezone
from hypothesis import strategies as st

from benchmarks.address_books import FORMATS
from contacts.files.photos import thumbnail
from contacts.imports import importing
from contacts.imports.fitting import fit
from contacts.models import ContactPhoto, NotSame, Organisation
from netcrm.models import User
from tests.contacts.test_fitting import picture
from tests.factories import (
    make_contact,
    make_follow_up,
    make_item,
    make_meeting,
    make_opening,
    make_user,
)
from tests.fuzz.files import archives, files
from tests.fuzz.promises import (
    TODAY,
    all_or_nothing,
    in_and_out_again,
    notebook_of,
    people_or_a_sentence,
)
from today import archive

SAMPLES = Path(__file__).parents[1] / "data"
PEOPLE = 3
# The samples of each kind, and the formats of the benchmark.
KINDS = {
    "vCards": ("vcards/*.vcf", "vCard"),
    "LinkedIn": ("linkedin*.csv", "LinkedIn"),
    "Google": ("google*.csv", "Google"),
    "Outlook": ("outlook*.csv", "Outlook"),
    "tables": ("none", "Another table"),
    "Monica-JSON": ("*.json", "Monica, JSON"),
    "Monica-SQL": ("*.sql", "Monica, SQL"),
}
NOTEBOOK, ARCHIVE = "in-and-out", "archives"


@dataclass(frozen=True)
class Target:
    """Files, and what is promised of them; `turn` is how many are tried before the next target
    has its turn, about as long for each."""

    name: str
    files: st.SearchStrategy[bytes]
    promise: Callable[[bytes], int | None]
    turn: int


def seeds(kind: str) -> list[bytes]:
    """Return valid files of a kind."""
    pattern, name = KINDS[kind]
    samples = [path.read_bytes() for path in sorted(SAMPLES.glob(pattern))]
    return samples + [each.file(PEOPLE) for each in FORMATS if each.name.startswith(name)]


def targets(large: bool = True) -> list[Target]:
    """Return everything there is to try, a few large files among it or none; this makes two
    users."""
    everything = list(chain(*map(seeds, KINDS)))
    reading = [
        Target(kind, files(seeds(kind), everything, large), people_or_a_sentence, turn=200)
        for kind in KINDS
    ]
    owner = make_user("fuzz@example.org", country="AT")
    make_acquaintances(owner, everything)
    make_story(owner)
    small = files(everything, everything, large=False)
    newcomer = make_user("newcomer@example.org")
    members = archive_members(owner)
    return [
        *reading,
        Target(NOTEBOOK, small, partial(in_and_out_again, owner, notebook_of(owner)), turn=40),
        Target(
            ARCHIVE,
            archives(members),
            partial(all_or_nothing, newcomer, notebook_of(newcomer)),
            turn=40,
        ),
    ]


def make_acquaintances(owner: User, some: list[bytes]) -> None:
    """Let the owner know some of those in the files: by name, by address, by number, by link."""
    for data in some:
        cards = importing.open_file(data, "file", TODAY).read(None)
        fitted = (fit(card, owner.country, TODAY) for card in cards if card.name)
        for number, card in enumerate(fitted):
            contact = make_contact(owner, card.name if number % 4 == 0 else f"Somebody {number}")
            if number % 4 == 1 and card.emails:
                contact.emails.create(owner=owner, address=card.emails[0][0], label="work")
            if number % 4 == 2 and card.phones:
                contact.phones.create(owner=owner, number=card.phones[0][0])
            if number % 4 == 3 and card.links:
                contact.links.create(owner=owner, url=card.links[0][0])
            contact.reindex()


def make_story(owner: User) -> None:
    """Let something of most kinds be in the notebook."""
    ann = make_contact(owner, "Ann Lee", details=[["1 May", "Birthday"]], known_since=TODAY)
    bo = make_contact(owner, "Bo Osei", introduced_by=ann, rhythm_days=42)
    ann.tag("Energy")
    ann.organisation = Organisation.find_or_create(owner, ["Aster"])["aster"]
    ann.save()
    ContactPhoto.objects.create(owner=owner, contact=ann, image=thumbnail(picture()))
    NotSame.objects.create(owner=owner, contact=ann, other=bo)
    make_follow_up(ann)
    make_meeting(ann, bo, starts_at=timezone.now())
    make_opening(owner, people=[bo])
    make_item(owner, topics=["energy"])


def archive_members(owner: User) -> dict[str, bytes]:
    """Return the files in the archive of a notebook."""
    packed = io.BytesIO(b"".join(archive.write(owner)))
    with zipfile.ZipFile(packed) as opened:
        return {name: opened.read(name) for name in opened.namelist()}
