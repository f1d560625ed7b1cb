"""Which follow-up is about which introduction or offer.

A follow-up keeps in its facts what it is about, {"introduction 12": words for its drafts}: two
introductions asked of one person share one follow-up, and its drafts speak of both.
"""

from django.db.models import BooleanField, Case, Func, OuterRef, TextField, Value, When
from django.db.models.functions import Cast, Concat

from followups import pursuing
from followups.models import FollowUp, State, Via
from followups.planning import end_row, put

# How the words of several are put together in one draft.
JOINED_BY = {"wanted": " and ", "other": " and ", "why": " ", "blurb": "\n\n---\n\n"}
# The engine joins the purposes of one follow-up so.
PURPOSES = "; "
LONGEST_PURPOSE = 300


def fact_of(row):
    """Return the name under which a follow-up keeps an introduction or an offer."""
    return f"{row._meta.model_name} {row.pk}"


def about_outer(model_name):
    """Return, for a subquery, the follow-ups about the row of the outer query: the open ones
    first, then the newest."""
    fact = Concat(Value(f"{model_name} "), Cast(OuterRef("pk"), TextField()))
    knows = Func("facts", fact, function="jsonb_exists", output_field=BooleanField())
    ended_last = Case(When(state=State.ENDED, then=1), default=0)
    return FollowUp.objects.filter(knows).order_by(ended_last, "-pk")


def open_about(row, contact):
    """Return the open follow-ups of a contact that are about the row."""
    return FollowUp.objects.open().filter(contact=contact, facts__has_key=fact_of(row))


def begin(row, contact, slug, purpose, words, via=Via.APP, **dates):
    """Begin the pursuit of that slug with a contact, about the row; or let the one that is under
    way be about it too. Returns the Action. `words` are for its drafts."""
    playbook = pursuing.playbook_for(contact.owner, slug)
    under_way = FollowUp.objects.open().filter(contact=contact, playbook=playbook).first()
    known = under_way.facts if under_way else {}
    facts = _facts(known | {fact_of(row): words | {"purpose": purpose}})
    return pursuing.begin(contact, playbook, via, purpose=purpose, facts=facts, **dates)


def words_of(row, follow_up):
    """Return what the drafts of a follow-up say about the row."""
    return follow_up.facts.get(fact_of(row), {}) if follow_up else {}


def reword(row, contact, purpose, words):
    """Let what is pursued with a contact about the row, and its drafts, say other words. The
    caller holds the contact's lock."""
    for follow_up in open_about(row, contact):
        purposes = [*_other_purposes(row, follow_up), purpose]
        facts = _facts(follow_up.facts | {fact_of(row): words | {"purpose": purpose}})
        put(follow_up, purpose=PURPOSES.join(purposes)[:LONGEST_PURPOSE], facts=facts)


def release(row, contact, ending, today):
    """End what is pursued with a contact about the row; a pursuit that is about something else too
    goes on without it. The caller holds the contact's lock."""
    for follow_up in open_about(row, contact):
        purposes = _other_purposes(row, follow_up)
        if not purposes:
            end_row(follow_up, ending, today)
            continue
        facts = {name: words for name, words in follow_up.facts.items() if name != fact_of(row)}
        put(follow_up, purpose=PURPOSES.join(purposes)[:LONGEST_PURPOSE], facts=_facts(facts))


def _other_purposes(row, follow_up):
    """Return the purposes of a follow-up besides the row's: what it was about before anything of
    this room came to it, and the other introductions and offers."""
    about = {name: words for name, words in follow_up.facts.items() if isinstance(words, dict)}
    before = follow_up.purpose
    # The longest first: "an introduction to Ann" also begins one to Anna.
    for words in sorted(about.values(), key=lambda words: len(words["purpose"]), reverse=True):
        before = before.replace(words["purpose"], "")
    others = [words["purpose"] for name, words in about.items() if name != fact_of(row)]
    return [*filter(None, before.split(PURPOSES)), *dict.fromkeys(others)]


def _facts(known):
    """Return facts with what stands in the placeholders, put together from everything that the
    follow-up is about."""
    about = [words for words in known.values() if isinstance(words, dict)]
    joined = {
        name: link.join(words[name] for words in about if words.get(name))
        for name, link in JOINED_BY.items()
    }
    return known | {name: text for name, text in joined.items() if text}
