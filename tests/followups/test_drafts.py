"""What to say: the playbook's words with the details filled in, and the links that open them."""

import json
import re
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from django.urls import reverse

from contacts.models import ContactEmail, ContactLink, ContactPhone, Organisation
from followups import pursuing
from followups.drafts import FALLBACKS, PLACEHOLDERS, Words, draft_for, fill, mailto, sms
from followups.models import Channel, FollowUp, Outcome
from followups.presets import BUILT_IN
from followups.pursuing import Entry
from followups.schedule import CALL, CHANNELS, DECIDE, EMAIL
from tests.factories import make_contact, make_follow_up

PRESETS = json.loads(BUILT_IN.read_text())
STEPS = [(preset["slug"], step) for preset in PRESETS for step in preset["steps"]]
SPOKEN = [step["template"] for _, step in STEPS if step["channel"] == CALL] + [FALLBACKS[CALL][1]]
LETTERS = [
    step["template"]
    for _, step in STEPS
    if step["channel"] in (EMAIL, DECIDE) and not step.get("colleague")
]
USUAL = {
    "name": "Priya Raman",
    "given name": "Priya",
    "organisation": "Tidewater Health",
    "role": "head of data",
    "my name": "Alice Adler",
    "purpose": "How does a hospital hire its first service designer?",
    "introducer": "Beatriz",
    "last spoke": "on 12 November",
    "last tried": "on 12 November",
}


def words(text):
    return len(fill(text, USUAL).split())


@pytest.fixture
def priya(alice):
    tidewater = Organisation.objects.create(owner=alice, name="Tidewater Health")
    beatriz = make_contact(alice, "Beatriz Costa")
    contact = make_contact(
        alice, "Priya Raman", organisation=tidewater, role="Head of data", introduced_by=beatriz
    )
    ContactPhone.objects.create(owner=alice, contact=contact, number="+436601234567")
    return contact


def write_step(follow_up, **step):
    """Give a follow-up this one step, before the closing question if it is not that itself."""
    steps = [{"wait": 0, "channel": "email", "hint": "Write."} | step]
    if steps[0]["channel"] != DECIDE:
        steps.append({"wait": 1, "channel": DECIDE, "hint": "Decide."})
    FollowUp.objects.filter(pk=follow_up.pk).update(steps=steps, step=0)
    return FollowUp.objects.get(pk=follow_up.pk)


def address(contact, text, **fields):
    return ContactEmail.objects.create(owner=contact.owner, contact=contact, address=text, **fields)


def links(draft):
    return {link.kind: link.href for link in draft.links}


# The words


def test_every_placeholder_is_filled(alice, priya):
    on = alice.today()
    pursuing.log(priya, Entry(Channel.MEETING, Outcome.MET, on))
    follow_up = make_follow_up(priya, "cold-request", purpose="How did you begin?")
    told = ("wanted", "blurb", "other", "why", "times", "takeaway", "advice")
    FollowUp.objects.filter(pk=follow_up.pk).update(facts={name: f"the {name}" for name in told})
    all_of_them = " | ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    draft = draft_for(write_step(follow_up, template=all_of_them), alice)
    assert draft.body == (
        "Priya Raman | Priya | Tidewater Health | Head of data | Alice | How did you begin?"
        f" | Beatriz | on {on.day} {on:%B} | recently"
        " | the wanted | the blurb | the other | the why | the times | the takeaway | the advice"
    )


def test_what_is_not_known_stays_readable(alice):
    nobody = make_contact(alice, "Nora")
    follow_up = make_follow_up(nobody, "cold-request")
    all_of_them = " | ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    draft = draft_for(write_step(follow_up, template=all_of_them), alice)
    assert "None" not in draft.body
    assert "{" not in draft.body
    assert "your organisation" in draft.body
    assert "[what I would like to ask]" in draft.body
    assert draft.gaps


@pytest.mark.parametrize(
    "text",
    ["{nickname}", "{}", "{ name }", "{Given Name}", "{0}", "{name", "$name", "{name.owner}"],
)
def test_anything_else_in_braces_stays_as_it_was_written(text):
    assert fill(text, USUAL) == text


def test_values_are_not_read_as_templates():
    assert fill("{purpose}", USUAL | {"purpose": "{my name} {{ x }}"}) == "{my name} {{ x }}"


def test_the_day_of_the_last_try_is_named_as_one_says_it(alice, priya):
    follow_up = make_follow_up(priya, "cold-request", last_attempt_on="2020-02-03")
    draft = draft_for(write_step(follow_up, template="I wrote {last tried}."), alice)
    assert draft.body == "I wrote on 3 February 2020."


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_step_without_words_borrows_ours(alice, priya, channel):
    follow_up = make_follow_up(priya, "cold-request")
    draft = draft_for(write_step(follow_up, channel=channel), alice)
    assert "Priya" in draft.body
    assert bool(draft.subject) == (channel in (EMAIL, DECIDE))


@pytest.mark.parametrize(("slug", "step"), STEPS)
def test_every_built_in_step_has_words(slug, step):
    if step.get("colleague"):
        return  # it is about somebody else, whose follow-up has its own
    assert set(Words(step["template"]).get_identifiers()) <= set(PLACEHOLDERS)
    assert set(Words(step.get("subject", "")).get_identifiers()) <= set(PLACEHOLDERS)
    assert bool(step.get("subject")) == (step["channel"] in (EMAIL, DECIDE))
    assert "!" not in step["template"]


@pytest.mark.parametrize("script", SPOKEN)
def test_a_script_takes_twenty_seconds(script):
    assert words(script) < 60  # at 150 to 180 words a minute


@pytest.mark.parametrize("letter", LETTERS)
def test_a_letter_stays_under_a_hundred_words(letter):
    """Dalton, The 2-Hour Job Search: a first e-mail has fewer than 100 words."""
    assert words(letter) < 100


def test_asking_makes_a_no_easy():
    cold = [
        step["template"] for slug, step in STEPS if slug == "cold-request" and "template" in step
    ]
    easy = re.compile(r"a (short )?no is|if this is not for you|if not, that is completely", re.I)
    assert all(easy.search(text) for text in cold)


# The links


def test_mailto_follows_rfc_6068():
    url = mailto("o'neil+x@exämple.org", "Question? 100 % & more", "Grüß Gott,\n\nA&B = c?\nZoë")
    assert url.startswith("mailto:o%27neil%2Bx@ex%C3%A4mple.org?subject=Question%3F%20100%20%25")
    assert "%0D%0A%0D%0A" in url
    assert "+" not in url
    assert not re.search(r"[^!-~]", url)
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert query == {
        "subject": ["Question? 100 % & more"],
        "body": ["Grüß Gott,\r\n\r\nA&B = c?\r\nZoë"],
    }


def test_sms_follows_rfc_5724():
    url = sms("+436601234567", "Hello & good day\nZoë")
    assert url == "sms:+436601234567?body=Hello%20%26%20good%20day%0AZo%C3%AB"


def test_an_e_mail_goes_to_the_first_address_that_works(alice, priya):
    address(priya, "old@example.org", bounced_on="2026-11-01")
    address(priya, "new@example.org")
    draft = draft_for(make_follow_up(priya, "cold-request"), alice)
    assert links(draft)["email"].startswith("mailto:new@example.org?subject=A%20question")
    assert unquote(links(draft)["email"]).endswith("Alice")
    assert not draft.missing


def test_an_address_that_came_back_is_never_offered(alice, priya):
    address(priya, "old@example.org", bounced_on="2026-11-01")
    draft = draft_for(make_follow_up(priya, "cold-request"), alice)
    assert links(draft) == {}
    assert (
        draft.missing == "The last e-mail to old@example.org came back. Is there another address?"
    )


def test_what_is_missing_is_said(alice, priya):
    draft = draft_for(make_follow_up(priya, "cold-request"), alice)
    assert draft.missing == "There is no e-mail address of Priya in your notebook yet."
    nora = make_contact(alice, "Nora")
    draft = draft_for(make_follow_up(nora, "unanswered-call"), alice)
    assert draft.missing == "There is no phone number of Nora in your notebook yet."


def test_each_channel_has_its_own_way(alice, priya):
    address(priya, "priya@example.org")
    profile = "https://www.linkedin.com/in/priya"
    ContactLink.objects.create(owner=alice, contact=priya, url=profile)
    follow_up = make_follow_up(priya, "cold-request")
    call = draft_for(write_step(follow_up, channel="call"), alice)
    assert links(call) == {"call": "tel:+43-660-1234567"}
    message = draft_for(write_step(follow_up, channel="message", template="Hi"), alice)
    assert links(message) == {
        "profile": profile,
        "sms": "sms:+436601234567?body=Hi",
        "email": "mailto:priya@example.org?body=Hi",
    }
    assert message.links[0].words == "Open LinkedIn"


# The page


def page(client, follow_up, **headers):
    return client.get(reverse("followups:draft", args=[follow_up.pk]), headers=headers)


def test_the_page_has_the_words_the_links_and_the_outcomes(alice_client, priya):
    address(priya, "priya@example.org")
    html = page(alice_client, make_follow_up(priya, "cold-request")).content.decode()
    assert "<textarea" in html
    assert "Hello Priya," in html
    assert 'href="mailto:priya@example.org?subject=' in html
    assert 'value="sent"' in html
    assert "<html" in html


def test_in_a_row_only_the_words_come(alice_client, priya):
    answer = page(alice_client, make_follow_up(priya, "cold-request"), HX_Request="true")
    html = answer.content.decode()
    assert "Hello Priya," in html
    assert "<html" not in html
    assert 'value="sent"' not in html


def test_a_script_is_to_be_read_and_a_number_to_be_pressed(alice_client, priya):
    html = page(alice_client, make_follow_up(priya)).content.decode()
    assert "<blockquote" in html
    assert "<textarea" not in html
    assert 'href="tel:+43-660-1234567"' in html


def test_what_people_wrote_is_text(alice, alice_client, priya):
    follow_up = make_follow_up(priya, "cold-request", purpose="</textarea><b>{{ 7|add:7 }}")
    html = page(alice_client, follow_up).content.decode()
    assert "&lt;/textarea&gt;&lt;b&gt;{{ 7|add:7 }}" in html


def test_it_is_only_read_and_only_by_the_owner(alice_client, bob_client, priya):
    follow_up = make_follow_up(priya)
    assert page(bob_client, follow_up).status_code == 404
    assert alice_client.post(reverse("followups:draft", args=[follow_up.pk])).status_code == 405
