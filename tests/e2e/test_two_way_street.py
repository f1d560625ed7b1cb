"""The two-way street as a person walks it: asked for an introduction, three tries without an
answer, a coffee, what is kept of it, thanks, a promise, the next introduction, an opening. On a
laptop and on a phone; and the rooms without scripts."""

import re
from datetime import datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.e2e.person import VIENNA

LAPTOP, PHONE = (1280, 900), (390, 844)
QUESTION = "how she found her first study"
CONSENT = "Consent forms are the door into research"
ARTICLE = "The article about consent"


def window(width, height, **more):
    return {"viewport": {"width": width, "height": height}, **more}


@pytest.fixture(
    params=[window(*LAPTOP, color_scheme="light"), window(*PHONE, color_scheme="dark")],
    ids=["1280-light", "390-dark"],
)
def alice(meet, request):
    alice = meet("Alice", **request.param)
    alice.sign_up(f"street-{request.node.callspec.id}@example.org")
    alice.add("Ruth Abernathy")
    return alice


def test_from_the_first_introduction_to_an_opening(alice, stack):
    ruth_is_asked_for_priya(alice)
    ruth_made_it(alice)
    three_tries_then_an_answer(alice, stack)
    a_coffee_is_arranged_and_prepared(alice)
    stack.days_pass(3)
    today_asks_how_it_was(alice)
    what_is_kept_of_it(alice)
    thanks_are_sent(alice)
    the_promise_is_kept(alice)
    ruth_hears_how_it_went(alice)
    priya_introduces_noor(alice)
    an_opening_comes_up(alice)
    the_chain_shows_who_led_to_whom(alice)
    the_story_tells_all_of_it(alice)
    the_search_finds_what_was_said(alice)


def ruth_is_asked_for_priya(alice):
    page = alice.page
    page.get_by_role("link", name="Ask for an introduction").click()
    alice.sees_heading("Ask for an introduction")
    expect(page.get_by_label("Who could introduce you?")).to_have_value("Ruth Abernathy")
    page.get_by_label("Whom would you like to meet?").fill("Priya Raman")
    page.get_by_label("Why this person").fill("She built the research team at Umbra.")
    page.get_by_label("What you would like to ask").fill(QUESTION)
    page.get_by_role("button", name="Draft them").click()
    lines = page.get_by_label("Lines to forward")
    expect(lines).to_have_value(re.compile("She built the research team at Umbra"))
    expect(lines).to_have_value(re.compile(QUESTION))
    expect(page.get_by_label("Whom would you like to meet?")).to_have_value("Priya Raman")
    alice.check("ask-for-an-introduction")
    page.get_by_role("button", name="Save", exact=True).last.click()
    alice.sees_heading("Priya Raman")
    expect(page.get_by_label("Message", exact=True)).to_have_value(re.compile(QUESTION))
    alice.check("asked")
    page.get_by_role("button", name="Sent").click()
    expect(page.get_by_text(re.compile("Ruth comes back on"))).to_be_visible()


def ruth_made_it(alice):
    page = alice.page
    page.get_by_role("link", name="The introduction was made").click()
    alice.sees_heading("Ruth introduced you")
    page.get_by_label("To whom?").fill("Priya Raman")
    page.get_by_label("Their e-mail address").fill("priya@example.org")
    page.get_by_label("Organisation").fill("Umbra Games")
    alice.check("it-was-made")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Ruth introduced you. Introduced to you begins.")).to_be_visible()
    alice.check("made")
    page.get_by_role("link", name="Open Priya Raman").click()
    alice.sees_heading("Priya Raman")
    expect(page.get_by_role("main")).to_contain_text("priya@example.org")


def open_priya(alice):
    alice.page.goto("/people/?q=priya")
    alice.page.get_by_role("link", name="Priya Raman").click()
    alice.sees_heading("Priya Raman")


def three_tries_then_an_answer(alice, stack):
    page = alice.page
    for hint, button in [
        ("move them to bcc", "Sent"),
        ("Call before nine", "No answer"),
        ("Call, leave a voicemail", "Left voicemail"),
    ]:
        alice.days_pass_until_due(stack, "Priya Raman")
        expect(alice.due("Priya Raman")).to_contain_text(hint)
        if button == "Sent":
            alice.check("introduced-to-you")
        alice.due("Priya Raman").get_by_role("button", name=button).click()
        expect(alice.row("Priya Raman")).to_contain_text("I will bring Priya back on")
    open_priya(alice)
    quick = page.get_by_role("form", name="Log something with Priya")
    quick.get_by_text("They replied").click()
    quick.get_by_role("button", name="Keep").click()
    expect(page.get_by_text("Priya replied. 3 tries, 21 days.").first).to_be_visible()
    alice.check("an-answer")


def a_coffee_is_arranged_and_prepared(alice):
    page = alice.page
    page.get_by_role("link", name="Arrange a coffee").click()
    expect(page.get_by_label("Name of person 1")).to_have_value("Priya Raman")
    soon = datetime.now(VIENNA).date() + timedelta(days=2)
    when = page.get_by_role("group", name="Time 1")
    when.get_by_label("Day").fill(soon.isoformat())
    when.get_by_label("Time").fill("10:00")
    page.get_by_role("textbox", name="Where").fill("The Larder")
    page.get_by_role("textbox", name="What for").fill("How research grows at a small studio")
    alice.check("arrange-a-coffee")
    page.get_by_role("button", name="Arrange it").click()
    alice.sees_heading("Coffee with Priya Raman")
    page.get_by_label("A question of your own").fill("How did you find your first study?")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#questions .tick")).to_have_text(["How did you find your first study?"])
    wallet = page.get_by_role("button", name=re.compile("wallet"))
    wallet.click()
    expect(wallet).to_have_attribute("aria-pressed", "true")
    alice.settles()
    alice.check("prepared")


def today_asks_how_it_was(alice):
    page = alice.page
    page.goto("/")
    asked = alice.row("How was coffee with Priya?")
    expect(asked).to_contain_text("The Larder")
    alice.check("how-was-it")
    asked.get_by_role("link", name="Two minutes").click()
    alice.sees_heading("How was coffee with Priya?")


def what_is_kept_of_it(alice):
    page = alice.page
    page.get_by_text("Helpful", exact=True).click()
    page.get_by_label("Takeaways, one a line").fill(f"{CONSENT}.\nStart with five interviews.")
    page.get_by_label("One lesson for your notebook").fill("Ask for the second name earlier.")
    page.get_by_role("group", name="Before").get_by_text("Shy").click()
    page.get_by_role("group", name="After").get_by_text("At ease").click()
    page.get_by_label("Person 1, who").fill("Noor Saleh")
    page.get_by_label("Person 1, why").fill("Data stories")
    expect(page.get_by_label("Person 1, how")).to_have_value("offered")
    page.get_by_label("Your promise 1, what").fill(ARTICLE)
    today = datetime.now(VIENNA).date()
    page.get_by_label("Your promise 1, by when").fill(today.isoformat())
    page.locator("#asked").get_by_label("How did you find your first study?").check()
    expect(page.get_by_label("Thank-you today")).to_be_checked()
    expect(page.get_by_text(re.compile("Saved as you type, ..:.."))).to_be_visible()
    expect(page.locator("#debrief-preview li")).to_have_text(
        [
            re.compile("Coffee with Priya Raman counts as held on"),
            re.compile(f"Your promise to Priya for .*: {ARTICLE}"),
            re.compile("An introduction to Noor Saleh that Priya offered. I ask how it stands"),
            re.compile("Thanks to Priya today, drafted from your notes; in two weeks"),
        ]
    )
    alice.check("debrief")
    page.get_by_role("button", name="Keep this coffee").click()
    alice.sees_heading("Coffee with Priya Raman")
    expect(page.get_by_role("main")).to_contain_text("Ask for the second name earlier.")
    alice.check("what-is-kept")


def thanks_are_sent(alice):
    page = alice.page
    page.goto("/")
    thanks = alice.due("Priya Raman")
    alice.comes_up(thanks)
    expect(thanks).to_contain_text("Say thanks within 24 hours")
    thanks.get_by_text("A draft", exact=True).click()
    words = thanks.get_by_label("Message", exact=True)
    expect(words).to_have_value(re.compile(f"One thing has stayed with me: {CONSENT}"))
    alice.settles()
    alice.check("thanks")
    thanks.get_by_role("button", name="Sent").click()
    sent = alice.row("Priya Raman").filter(has_text="I will bring Priya back on")
    expect(sent).to_be_visible()
    alice.settles()


def the_promise_is_kept(alice):
    promise = alice.row("Priya Raman").filter(has_text=ARTICLE)
    expect(promise).to_contain_text("today")
    promise.get_by_role("button", name="Done").click()
    expect(promise).to_contain_text("Undo")
    alice.settles()
    alice.check("the-promise-is-kept")


def ruth_hears_how_it_went(alice):
    page = alice.page
    page.get_by_role("link", name="Tell Ruth how it went").click()
    alice.sees_heading("Priya Raman")
    words = page.get_by_label("Message", exact=True)
    expect(words).to_have_value(re.compile("thank you for introducing me to Priya"))
    alice.check("tell-ruth")
    page.get_by_role("button", name="I told Ruth").click()
    expect(page.get_by_role("heading", name=re.compile("Thanked"))).to_be_visible()


def priya_introduces_noor(alice):
    page = alice.page
    page.goto("/introductions/")
    noor = page.get_by_role("listitem").filter(has_text="Noor Saleh")
    expect(noor).to_contain_text("promised")
    alice.check("introductions")
    noor.get_by_role("link", name="Noor Saleh").click()
    alice.sees_heading("Noor Saleh")
    page.get_by_role("link", name="The introduction was made").click()
    alice.sees_heading("Priya introduced you")
    page.get_by_label("To whom?").fill("Noor Saleh")
    page.get_by_label("What was written").fill("You two will like each other.")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Priya introduced you. Introduced to you begins.")).to_be_visible()
    page.get_by_role("link", name="Open Noor Saleh").click()
    alice.sees_heading("Noor Saleh")
    alice.check("noor")


def an_opening_comes_up(alice):
    page = alice.page
    page.get_by_role("link", name="An opening came up").click()
    alice.sees_heading("An opening came up")
    expect(page.get_by_label("Person 1")).to_have_value("Noor Saleh")
    page.get_by_label("What is it?").fill("Research assistant for data stories")
    led = page.get_by_label("What led to it")
    led.select_option(label=led.get_by_role("option", name="An introduction to Noor").inner_text())
    alice.check("an-opening-comes-up")
    page.get_by_role("button", name="Save").click()
    alice.sees_heading("Research assistant for data stories")
    way = page.get_by_role("region", name="How it came about").get_by_role("link")
    expect(way).to_have_text(
        [
            "An introduction to Noor Saleh by Priya Raman",
            "A coffee with Priya Raman",
            "An introduction to Priya Raman by Ruth Abernathy",
        ]
    )
    alice.check("the-opening")


def the_chain_shows_who_led_to_whom(alice):
    page = alice.page
    page.get_by_role("link", name="Noor Saleh", exact=True).click()
    page.get_by_role("link", name="The chain").click()
    alice.sees_heading("Who led to whom")
    ruth = page.get_by_role("region", name="The chain").get_by_role("list").first
    led_to = ruth.get_by_role("list", name="Ruth led to")
    on = led_to.get_by_role("list", name="Priya led to")
    expect(led_to).to_contain_text("Priya Raman")
    expect(on).to_contain_text("Noor Saleh")
    expect(on).to_contain_text("Research assistant for data stories")
    alice.check("the-chain")


def the_story_tells_all_of_it(alice):
    page = alice.page
    open_priya(alice)
    expect(page.locator("#timeline h3")).to_have_text(
        [
            "Priya introduced you to Noor Saleh",
            f"You gave Priya: {ARTICLE}",
            "You wrote an e-mail",
            "You met Priya",
            "You arranged to meet Priya",
            "Priya replied",
            "You left a voicemail",
            "You called, no answer",
            "You wrote an e-mail",
            "You were introduced to Priya",
        ]
    )
    alice.check("the-whole-story")


def the_search_finds_what_was_said(alice):
    page = alice.page
    page.goto("/search/")
    page.get_by_label("Search everything").fill("consent forms")
    found = page.locator("#found")
    expect(found.get_by_role("link", name="Coffee with Priya Raman")).to_be_visible()
    expect(found).to_contain_text(CONSENT)
    alice.settles()
    alice.check("found")


@pytest.mark.parametrize("size", [PHONE], ids=["390"])
def test_the_rooms_without_scripts(meet, size):
    alice = meet("Alice", java_script_enabled=False, **window(*size))
    alice.sign_up("street-unscripted@example.org")
    alice.add("Ruth Abernathy")
    ruth = alice.page.url
    an_introduction_is_asked_for(alice)
    alice.page.goto(ruth)
    a_coffee_that_was(alice)
    what_it_makes_is_shown_before_it_is_kept(alice)
    alice.page.goto(ruth)
    something_is_given(alice)
    an_opening_is_kept(alice)


def an_introduction_is_asked_for(alice):
    page = alice.page
    page.get_by_role("link", name="Ask for an introduction").click()
    page.get_by_label("Whom would you like to meet?").fill("somebody in research at Umbra")
    page.get_by_label("Why this person").fill("I would like to see a study from inside.")
    page.get_by_role("button", name="Draft them").click()
    lines = page.get_by_label("Lines to forward")
    expect(lines).to_have_value(re.compile("I would like to see a study from inside"))
    page.get_by_role("button", name="Save", exact=True).last.click()
    alice.sees_heading("Somebody in research at Umbra")
    alice.look("asked")


def a_coffee_that_was(alice):
    page = alice.page
    page.get_by_role("link", name="Log one that was").click()
    alice.sees_heading("A coffee that was")
    yesterday = datetime.now(VIENNA).date() - timedelta(days=1)
    when = page.get_by_role("group", name="Time 1")
    when.get_by_label("Day").fill(yesterday.isoformat())
    when.get_by_label("Time").fill("10:00")
    page.get_by_role("button", name="Write it down").click()
    alice.sees_heading("Coffee with Ruth Abernathy")
    page.get_by_role("link", name="Write it down").click()
    alice.sees_heading("How was coffee with Ruth?")


def what_it_makes_is_shown_before_it_is_kept(alice):
    page = alice.page
    page.get_by_label("Helpful").check()
    page.get_by_label("Takeaways, one a line").fill(CONSENT)
    page.get_by_label("Person 1, who").fill("Noor Saleh")
    page.get_by_role("button", name="Another person").click()
    page.get_by_label("Person 2, who").fill("Ada Brandt")
    page.get_by_label("Person 2, how").select_option(label="I will ask")
    page.get_by_role("button", name="Show what it makes").click()
    makes = page.locator("#debrief-preview li")
    promised = [
        re.compile("An introduction to Noor Saleh that Ruth offered"),
        re.compile("An introduction to Ada Brandt, to ask Ruth for"),
        re.compile("Thanks to Ruth today"),
    ]
    expect(makes).to_have_text(promised)
    alice.look("what-it-makes")
    page.get_by_role("button", name="Keep this coffee").click()
    alice.sees_heading("Coffee with Ruth Abernathy")
    expect(page.get_by_role("main")).to_contain_text(CONSENT)
    page.goto("/introductions/")
    for name in ("Noor Saleh", "Ada Brandt"):
        expect(page.get_by_role("link", name=name)).to_be_visible()


def something_is_given(alice):
    page = alice.page
    page.get_by_role("link", name="Give something").click()
    alice.sees_heading("Something for Ruth")
    page.get_by_label("What is it?").fill(ARTICLE)
    page.get_by_role("button", name="Save").click()
    alice.sees_heading("Ruth Abernathy")
    expect(page.locator("#timeline")).to_contain_text(f"You gave Ruth: {ARTICLE}")


def an_opening_is_kept(alice):
    page = alice.page
    page.get_by_role("link", name="An opening came up").click()
    page.get_by_label("What is it?").fill("Research assistant")
    led = page.get_by_label("What led to it")
    led.select_option(label=led.get_by_role("option", name="A coffee with Ruth").inner_text())
    page.get_by_role("button", name="Save").click()
    alice.sees_heading("Research assistant")
    way = page.get_by_role("region", name="How it came about").get_by_role("link")
    expect(way).to_have_text(["A coffee with Ruth Abernathy"])
    alice.look("an-opening")
