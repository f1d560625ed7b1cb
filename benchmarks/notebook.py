"""A notebook of any size, written straight into the tables."""

import random
from datetime import date, timedelta
from itertools import product

from django.db import connection
from django.utils import timezone

from contacts.models import (
    RHYTHMS,
    Contact,
    ContactEmail,
    ContactTag,
    Organisation,
    Tag,
)
from followups.models import (
    Action,
    Channel,
    Ending,
    FollowUp,
    Interaction,
    Outcome,
    Playbook,
    Reminder,
    State,
)
from netcrm.models import User

GIVEN = "Aiko Beatriz Daniel Farah Gwen Hannah Imran Jonas Kwame Lena Marek Noor Priya Ruth Tomás"
FAMILY = "Abernathy Brandt Chow Demir Fischer Gallagher Haddad Lindgren Mbeki Nyström Raman Saleh"
HAPPENED = [
    (Channel.CALL, Outcome.NO_ANSWER),
    (Channel.CALL, Outcome.VOICEMAIL),
    (Channel.EMAIL, Outcome.SENT),
    (Channel.CALL, Outcome.TALKED),
    (Channel.EMAIL, Outcome.REPLIED),
    (Channel.MEETING, Outcome.MET),
]
INTERACTIONS_EACH = 5
A_STORY = 40  # Interactions of the first contact of a full notebook, beside its share.
FULL = 500


def make_notebook(email: str, people: int) -> User:
    """Return a new user with so many contacts, five interactions for each, an open follow-up for
    every fifth, and an open reminder for six in a thousand."""
    user = User.objects.create_user(email, name="Maya Lindqvist", time_zone="Europe/London")
    chance = random.Random(people)
    contacts = _contacts(user, people, chance)
    _interactions(user, contacts, chance)
    _follow_ups(user, contacts)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return user


def make_small_notebook(email: str) -> User:
    """Return a new user of five people: three tries are due, one comes back tomorrow, one waits
    for a hello. Earlier ones were answered."""
    user = User.objects.create_user(email, name="Maya Lindqvist")
    chance, today = random.Random(email), user.today()
    contacts = _contacts(user, 5, chance)
    _interactions(user, contacts, chance)
    silent, *tried = contacts
    Contact.objects.filter(pk=silent.pk).update(last_interaction_on=None)
    playbook = Playbook.objects.get(owner=user, slug="unanswered-call")
    due_on = [today, today, today - timedelta(days=1)]
    asking = [_follow_up(user, contact, playbook, State.ACTIVE, None) for contact in tried[:3]]
    coming = _follow_up(user, tried[3], playbook, State.ACTIVE, today + timedelta(days=1))
    ended = [_follow_up(user, contact, playbook, State.ENDED, None) for contact in tried]
    FollowUp.objects.bulk_create([*asking, coming, *ended])
    Reminder.objects.bulk_create(
        Reminder(owner=user, follow_up=follow_up, turn=2, due_on=day)
        for follow_up, day in zip(asking, due_on, strict=True)
    )
    return user


def make_patient_notebook(email: str, follow_ups: int) -> User:
    """Return a new user with so many follow-ups of five people, none of them due. Their playbook
    is gone, since a contact can be pursued only once by each."""
    user = User.objects.create_user(email, name="Maya Lindqvist")
    contacts = _contacts(user, 5, random.Random(email))
    playbook = Playbook.objects.get(owner=user, slug="unanswered-call")
    rows = [
        _follow_up(
            user, contacts[n % 5], playbook, State.ACTIVE, user.today() + timedelta(days=3 + n % 60)
        )
        for n in range(follow_ups)
    ]
    for row in rows:
        row.playbook = None
    FollowUp.objects.bulk_create(rows)
    return user


def _contacts(user: User, people: int, chance: random.Random) -> list[Contact]:
    names = [f"Organisation {n}" for n in range(max(people // 20, 1))]
    organisations = Organisation.objects.bulk_create(
        Organisation(owner=user, name=name) for name in names
    )
    tags = Tag.objects.bulk_create(Tag(owner=user, name=f"tag {n}") for n in range(min(people, 20)))
    known_names = [f"{given} {family}" for given, family in product(GIVEN.split(), FAMILY.split())]
    contacts = []
    for n in range(people):
        name, organisation = f"{chance.choice(known_names)} {n}", chance.choice(organisations)
        contact = Contact(
            owner=user,
            name=name,
            organisation=organisation,
            role="Head of research operations",
            notes="Liked the story of the lab handbook.",
            rhythm_days=RHYTHMS[n % 5][0] if n % 10 == 0 else None,
            last_interaction_on=user.today() - timedelta(days=n % 400),
        )
        contact.search_text = contact.searchable([f"{n}@example.org"])
        contacts.append(contact)
    Contact.objects.bulk_create(contacts, batch_size=5000)
    ContactEmail.objects.bulk_create(
        ContactEmail(owner=user, contact=contact, address=f"{n}@example.org")
        for n, contact in enumerate(contacts)
    )
    ContactTag.objects.bulk_create(
        ContactTag(owner=user, contact=contact, tag=tag)
        for contact in contacts
        for tag in chance.sample(tags, 2)
    )
    return contacts


def _interactions(user: User, contacts: list[Contact], chance: random.Random) -> None:
    today, now = user.today(), timezone.now()
    whose = contacts * INTERACTIONS_EACH
    if len(contacts) >= FULL:
        whose += contacts[:1] * A_STORY
    interactions = []
    for contact in whose:
        channel, outcome = chance.choice(HAPPENED)
        interactions.append(
            Interaction(
                owner=user,
                contact=contact,
                channel=channel,
                outcome=outcome,
                on=today - timedelta(days=chance.randrange(400)),
                note="Asked about the hiring plan and what a first year looks like.",
            )
        )
    Interaction.objects.bulk_create(interactions, batch_size=5000)
    Action.objects.bulk_create(
        Action(
            owner=user,
            contact=row.contact,
            interaction=row,
            verb="logged",
            said="Noted.",
            at=now - timedelta(days=1 + n % 400),
        )
        for n, row in enumerate(interactions[: 2 * len(contacts)])
    )


def _follow_ups(user: User, contacts: list[Contact]) -> None:
    today = user.today()
    playbook = Playbook.objects.get(owner=user, slug="unanswered-call")
    asking = max(6 * len(contacts) // 1000, 1)
    step = max(len(contacts) // asking, 1)
    # Every fifth contact is pursued; those who ask today are spread over the whole list.
    open_ones = [
        _follow_up(user, contact, playbook, State.ACTIVE, today + timedelta(days=1 + n % 60))
        for n, contact in enumerate(contacts[::5])
    ]
    for follow_up in open_ones[1::10]:
        follow_up.state, follow_up.ending = State.RESTING, Ending.NO_REPLY
    now_asking = open_ones[:: max(step // 5, 1)][:asking]
    for follow_up in now_asking:
        follow_up.state, follow_up.ending, follow_up.next_on = State.ACTIVE, "", None
    ended = [_follow_up(user, contact, playbook, State.ENDED, None) for contact in contacts[1::10]]
    FollowUp.objects.bulk_create(open_ones + ended)
    Reminder.objects.bulk_create(
        Reminder(owner=user, follow_up=follow_up, turn=2, due_on=today - timedelta(days=n % 5))
        for n, follow_up in enumerate(now_asking)
    )


def _follow_up(
    user: User, contact: Contact, playbook: Playbook, state: str, next_on: date | None
) -> FollowUp:
    ended = state == State.ENDED
    return FollowUp(
        owner=user,
        contact=contact,
        playbook=playbook,
        name=playbook.name,
        steps=playbook.steps,
        state=state,
        ending=Ending.REPLIED if ended else "",
        step=2,
        turn=2,
        attempts=3,
        last_attempt_on=user.today() - timedelta(days=3),
        next_on=next_on,
        reason="3 business days after your voicemail",
        opened_on=user.today() - timedelta(days=20),
        ended_on=user.today() if ended else None,
    )
