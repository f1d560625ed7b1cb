"""Two entries of one person become one, and two again; two people who look alike stay two."""

from playwright.sync_api import expect

from tests.e2e.person import PHONE

ADDRESS = "priya@example.org"


def notebook(alice):
    """Make two entries of Priya, and two people who are nearly called the same."""
    mine = {"Role": "Researcher", "Organisation": "Aster", "Notes": "Likes the mountains."}
    alice.add("Priya Raman", {"E-mail 1, e-mail address": ADDRESS, **mine})
    log(alice, "Priya", "Sent an e-mail", "About the first study.")
    theirs = {"Role": "Head of research", "Phone 1, number": "+43 660 1234567"}
    theirs |= {"E-mail 1, e-mail address": ADDRESS.upper(), "Notes": "Plays the cello."}
    alice.add("Priya R. Raman", theirs)
    log(alice, "Priya", "Left voicemail", "Before nine.")
    alice.page.get_by_text("Add a tag", exact=True).click()
    alice.page.get_by_label("Tag", exact=True).fill("alumni")
    alice.page.get_by_role("button", name="Add", exact=True).click()
    expect(alice.page.locator("#tags")).to_contain_text("alumni")
    for name in ("Jonas Weber", "Jonas Webber"):
        alice.add(name, {"Organisation": "Helio"})


def log(alice, who, happened, note):
    page = alice.page
    form = page.get_by_role("form", name=f"Log something with {who}")
    form.get_by_text(happened).click()
    form.get_by_role("textbox", name="One line for later", exact=True).fill(note)
    form.get_by_role("button", name="Keep").click()
    expect(page.locator("#timeline")).to_contain_text(note)


def pair(alice, name):
    return alice.page.locator(".twins > li").filter(has_text=name)


def told(alice, name):
    """Return what the page of a person tells: who, tags, what is pursued, the story, the rest."""
    page = alice.page
    page.goto(f"/people/?q={name}")
    page.get_by_role("link", name=name, exact=True).click()
    alice.sees_heading(name)
    parts = ["h1", ".person p", "#tags", ".next h2", "#timeline", ".facts"]
    return [page.locator(part).all_inner_texts() for part in parts]


def test_two_entries_become_one_and_two_again(meet, window, request):
    alice = meet("Alice", **window)
    alice.sign_up(f"twins-{request.node.callspec.id}@example.org")
    notebook(alice)
    before = [told(alice, name) for name in ("Priya Raman", "Priya R. Raman")]
    the_reason_is_shown(alice)
    whose_words_hold_is_chosen(alice)
    everything_is_with_one(alice)
    alice.page.reload()
    expect(alice.page.locator("#toasts .toast")).to_have_count(0)
    alice.page.get_by_role("button", name="Undo merging with Priya R. Raman").click()
    expect(alice.page.locator("#toasts")).to_contain_text("are two people again.")
    assert [told(alice, name) for name in ("Priya Raman", "Priya R. Raman")] == before
    two_people_stay_two(alice)


def the_reason_is_shown(alice):
    page = alice.page
    page.goto("/people/")
    page.get_by_role("link", name="Twice?").click()
    alice.sees_heading("Perhaps the same person")
    expect(pair(alice, "Priya")).to_contain_text("The same e-mail address")
    expect(pair(alice, "Jonas")).to_contain_text("Nearly the same name, both at Helio")
    alice.check("twins")
    pair(alice, "Priya").get_by_role("link", name="The same person").click()
    alice.sees_heading("Priya Raman and Priya R. Raman")


def whose_words_hold_is_chosen(alice):
    page = alice.page

    def choice(field, words):
        return page.get_by_role("group", name=field).get_by_label(words, exact=True)

    expect(choice("Name", "Priya R. Raman")).to_be_checked()  # the longer one
    expect(choice("Role", "Head of research")).to_be_checked()  # the newer one
    expect(choice("Worth remembering", "Both, one after the other")).to_be_checked()
    expect(page.get_by_role("main")).to_contain_text("1 moment, 1 follow-up")
    alice.check("merge")
    choice("Name", "Priya Raman").check()
    page.get_by_role("button", name="Make them one person").click()


def everything_is_with_one(alice):
    page = alice.page
    alice.sees_heading("Priya Raman")
    expect(page.locator("#toasts")).to_contain_text("are one person now.")
    expect(page.locator(".person p").first).to_have_text("Head of research, Aster")
    expect(page.locator("#timeline")).to_contain_text("About the first study.")
    expect(page.locator("#timeline")).to_contain_text("Before nine.")
    expect(page.locator("#tags")).to_contain_text("alumni")
    facts = page.locator(".facts").first
    for words in ("Likes the mountains.", "Plays the cello.", "+43 660 1234567"):
        expect(facts).to_contain_text(words)
    expect(facts.get_by_role("link", name=ADDRESS)).to_have_count(1)
    alice.check("merged")


def two_people_stay_two(alice):
    page = alice.page
    page.goto("/people/twins/")
    pair(alice, "Jonas").get_by_role("button", name="Two people").click()
    expect(pair(alice, "Jonas")).to_contain_text("Two people: Jonas Weber and Jonas Webber.")
    alice.settles()
    alice.check("told-apart")
    page.reload()
    expect(pair(alice, "Priya")).to_have_count(1)
    expect(pair(alice, "Jonas")).to_have_count(0)


def test_without_scripts(meet):
    alice = meet("Alice", **PHONE, java_script_enabled=False)
    alice.sign_up("twins-unscripted@example.org")
    notebook(alice)
    page = alice.page
    before = [told(alice, name) for name in ("Priya Raman", "Priya R. Raman")]
    page.goto("/people/twins/")
    pair(alice, "Jonas").get_by_role("button", name="Two people").click()
    expect(pair(alice, "Jonas")).to_have_count(0)
    page.get_by_text("Pairs you told apart lately").click()
    page.get_by_role("button", name="Undo for Jonas Weber and Jonas Webber").click()
    expect(pair(alice, "Jonas")).to_have_count(1)
    alice.look("twins")
    pair(alice, "Priya").get_by_role("link", name="The same person").click()
    page.get_by_role("group", name="Name").get_by_label("Priya Raman", exact=True).check()
    alice.look("merge")
    page.get_by_role("button", name="Make them one person").click()
    alice.sees_heading("Priya Raman")
    expect(page.locator("#timeline")).to_contain_text("Before nine.")
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("are two people again.")
    assert [told(alice, name) for name in ("Priya Raman", "Priya R. Raman")] == before
