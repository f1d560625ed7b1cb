"""What to know, to ask and to take along before a meeting."""

from django.db.models import Prefetch

from contacts.models import ContactTopic
from followups.colleagues import COMPANIONS
from followups.drafts import draft_for
from followups.models import FollowUp, Interaction, Outcome
from followups.planning import put
from followups.pursuing import playbook_for
from giveback import matching
from giveback.models import GiveBack
from meetings import arranging
from meetings.models import Advice

LAST = 3
GIFTS = 2
# TIARA (Steve Dalton, The 2-Hour Job Search): questions that people like to answer, in the order
# in which a talk warms up, from their view of the field to what one may do oneself. The words are
# ours.
TIARA = [
    (
        "Trends",
        [
            "What is changing in your field at the moment?",
            "What will people in your work be busy with in two years?",
        ],
    ),
    (
        "Insights",
        [
            "What surprised you most when you began?",
            "What do people from outside get wrong about your work?",
        ],
    ),
    (
        "Advice",
        [
            "What would you do in my place in the coming months?",
            "What do you wish somebody had told you at the start?",
        ],
    ),
    (
        "Resources",
        [
            "What do you read or listen to, and where do people like you meet?",
            "Who else should I listen to?",
        ],
    ),
    (
        "Assignments",
        [
            "What piece of work taught you most?",
            "Which small task would show me whether this is for me?",
        ],
    ),
]


def prompts(questions):
    """Return the TIARA prompts that are not among the questions yet: [(topic, [question])]."""
    taken = {question.text for question in questions}
    left = [(topic, [text for text in texts if text not in taken]) for topic, texts in TIARA]
    return [(topic, texts) for topic, texts in left if texts]


def people(meeting):
    """Return the contacts of a meeting with what one wants to know before it, in a constant number
    of queries: `conversations`, the last ones with a note; topics; `my_promises` and `ideas`,
    what I promised or could give; `their_promises`; `asked`, what waits for their answer about
    times; `advice`, which they gave and heard no more of."""
    conversations = Interaction.objects.exclude(note="").exclude(outcome=Outcome.INTRODUCED)
    conversations = conversations.order_by("-on", "-id")[:LAST]
    topics = ContactTopic.objects.select_related("topic").order_by("topic__name")
    given = GiveBack.objects.given()
    return meeting.contacts.select_related("organisation", "introduced_by").prefetch_related(
        Prefetch("interactions", conversations, to_attr="conversations"),
        Prefetch("contact_topics", topics),
        Prefetch("give_backs", given.promised(), to_attr="my_promises"),
        Prefetch("give_backs", given.ideas(), to_attr="ideas"),
        Prefetch("follow_ups", _open("they-promised"), to_attr="their_promises"),
        Prefetch("follow_ups", _open(arranging.PLAYBOOK), to_attr="asked"),
        Prefetch("advice_given", Advice.objects.to_tell(), to_attr="advice"),
        "emails",
        "phones",
        "links",
    )


def _open(slug):
    return FollowUp.objects.open().filter(playbook__slug=slug)


def undoable(meeting):
    """Return the Action that moved the meeting last, if undo would take it back now, or None. One
    query."""
    done = [
        action
        for person in meeting.people[:1]
        for action in person.actions.filter(undone_at=None).exclude(verb__in=COMPANIONS)[:1]
    ]
    rows = [(row["model"], row["id"]) for action in done for row in action.before.get("rows", [])]
    mine = (meeting._meta.label, meeting.pk) in rows
    return done[0] if mine and done[0].can_undo else None


def gifts(meeting, today):
    """Return what on the shelf, or who, fits the person of a meeting: giveback's matches. With
    several people there is one's hands full already."""
    if len(meeting.people) != 1:
        return []
    [contact] = meeting.people
    contact.owner = meeting.owner
    return matching.for_contact(contact, today, GIFTS)


def invitations(meeting, me):
    """Return the drafts that offer the times, one for each contact: [(contact, Draft)]. The words
    are those with which the playbook begins."""
    playbook = playbook_for(me, arranging.PLAYBOOK)
    return [(contact, _invitation(meeting, contact, playbook, me)) for contact in people(meeting)]


def _invitation(meeting, contact, playbook, me):
    known = {"facts": arranging.facts(meeting, contact), "purpose": meeting.purpose}
    return draft_for(FollowUp(contact=contact, steps=playbook.steps, **known), me)


def tick(meeting, point, ready):
    """Keep whether a point of the checklist is ready."""
    others = [name for name in meeting.ready if name != point]
    put(meeting, ready=[*others, point] if ready else others)


def ask(meeting, text):
    """Add a question; one that is there already stays once."""
    meeting.questions.get_or_create(text=text, defaults={"owner": meeting.owner})
