"""People of one organisation, written to cold: one at a time, and no more once one supports you
(Dalton, The 2-Hour Job Search: three business days for an answer, then the next person)."""

from django.db.models import Exists, F, OuterRef

from contacts.models import Contact
from followups import schedule
from followups.models import Ending, FollowUp, Via
from followups.planning import BESIDE, end_row, give_date, is_try

# The verbs with which something that was done with one person shows in the history of another.
QUIETED, MADE_WAY, BEGUN = "quieted", "made_way", "begun_beside"
COMPANIONS = (QUIETED, MADE_WAY, BEGUN, BESIDE)


def colleagues_of(contact):
    """Return who could be written to next at the contact's organisation, strangers first: nobody
    who is being pursued or wants to be left alone."""
    if contact.organisation_id is None:
        return Contact.objects.none()
    pursued = FollowUp.objects.open().filter(contact=OuterRef("pk"))
    people = Contact.objects.for_user(contact.owner).current()
    return (
        people.filter(organisation=contact.organisation_id, do_not_contact=False)
        .exclude(pk=contact.pk)
        .exclude(Exists(pursued))
        .order_by(F("last_interaction_on").asc(nulls_first=True), "name", "id")
    )


def quiet(pursuit, answered_on):
    """End the cold requests to others at the organisation, now that somebody there supports the
    user (rule 5); what began after that answer goes on. Returns what to say, maybe nothing."""
    name = pursuit.contact.given_name
    quieted = [row for row in pursuit.elsewhere if row.opened_on <= answered_on]
    for row in quieted:
        pursuit.companion()
        before = pursuit.memory(row.contact, [row])
        end_row(row, Ending.SUPPORTED, pursuit.today)
        said = f"Quieted: {name} at {pursuit.contact.organisation} supports you."
        pursuit.tell(row.contact, before, QUIETED, said, Via.SYSTEM, row)
    if not quieted:
        return ""
    names = ", ".join(row.contact.given_name for row in quieted)
    return f"Quieted the requests to others there: {names}."


def hold_back(pursuit, tried_on):
    """Move the cold requests to others at the organisation away from a try that was just made
    there; what was promised stays."""
    limits = schedule.Limits(colleagues=[tried_on])
    for row in pursuit.elsewhere:
        if row.promised or not is_try(row):
            continue
        planned = schedule.Planned(pursuit.due_on(row), row.reason)
        moved = schedule.within(planned, limits, pursuit.calendar)
        if moved == planned:
            continue
        pursuit.companion()
        before = pursuit.memory(row.contact, [row])
        give_date(pursuit, row, moved.on, moved.reason)
        who, when = row.contact.given_name, schedule.say_day(moved.on)
        said = f"{who} waits until {when}: you have just written to {pursuit.contact.given_name}."
        pursuit.tell(row.contact, before, MADE_WAY, said, Via.SYSTEM, row)
