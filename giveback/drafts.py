"""What to say with something from the shelf. Nothing is sent from here."""

from contacts.models import Contact
from followups.drafts import Draft, links_to
from followups.schedule import EMAIL
from giveback.models import ShelfItem, ShelfKind
from netcrm.models import User

OPENINGS = {
    ShelfKind.ARTICLE: "I came across this and thought of you:",
    ShelfKind.EXPERIENCE: "You are looking into something that I have been through myself:",
    ShelfKind.PERSON: "There is somebody whom you might like to know:",
}
EASY = "No need to answer. I only wanted you to have it."


def draft_with(item: ShelfItem, contact: Contact, me: User) -> Draft:
    """Return a letter that gives the item to the contact, and the ways to open it."""
    what = "\n".join(filter(None, [item.title, item.url]))
    parts = [f"Hello {contact.given_name},", OPENINGS[ShelfKind(item.kind)], what, item.text, EASY]
    body = "\n\n".join(filter(None, [*parts, f"Kind regards\n{me.name or '[my name]'}"]))
    links = links_to(contact, EMAIL, item.title, body)
    known = any(link.kind == "email" for link in links)
    missing = f"There is no e-mail address of {contact.given_name} in your notebook yet."
    return Draft(EMAIL, item.title, body, links, "" if known else missing)
