"""Somebody in front of a browser: what they do often, and what every page owes them."""

import math
import re
import time
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from playwright.sync_api import BrowserContext, expect

AXE = (Path(__file__).parent / "vendor" / "axe.min.js").read_text()
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN_AXE = """async (rules) => {
    const found = await axe.run(document, {runOnly: rules, preload: false});
    return found.violations.flatMap(
        (v) => v.nodes.map((node) => `${v.id}: ${v.help}: ${node.html.slice(0, 200)}`));
}"""
LAPTOP = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"}
PHONE = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}
NARROWEST = 320
COLOURS = ["color-contrast", "link-in-text-block"]
VIENNA = ZoneInfo("Europe/Vienna")
IN_BACKGROUND = 30_000  # milliseconds; beat looks every second, but the machine may be busy


class Person:
    """`troubles` collects whatever the browser complains about: scripts, policies, failures."""

    def __init__(self, name: str, context: BrowserContext, folder: Path, theme: str):
        self.name = name
        self.theme, self.other_theme = theme, {"light": "dark", "dark": "light"}[theme]
        self.folder = folder
        self.page = context.new_page()
        self.shots = 0
        self.troubles: list[str] = []
        self.may_fail = False  # a page that is not there is no trouble if one asks for it
        self.page.on("pageerror", lambda error: self.troubles.append(f"{self.where}: {error}"))
        self.page.on("console", self._hear)

    @property
    def where(self):
        return self.page.url

    def _hear(self, message):
        # Chromium calls each refused form (422) an error; it is an answer like any other.
        expected = "422" in message.text or (self.may_fail and "404" in message.text)
        if message.type in {"error", "warning"} and not expected:
            self.troubles.append(f"{self.where}: {message.text}")

    def sign_up(self, email):
        self.email = email
        self.page.goto("/accounts/signup/")
        self.page.get_by_label("Your first name").fill(self.name)
        self.page.get_by_label(re.compile("^e-?mail", re.I)).fill(email)
        self.page.get_by_label("Password").fill("one long pass phrase for tests")
        self.page.get_by_role("button", name="Start").click()
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(self.name)

    def add(self, name, fields=None):
        """Add somebody, with whatever else is said by the labels of its fields."""
        self.page.goto("/people/new/")
        self.page.get_by_label("Name", exact=True).fill(name)
        for label, text in (fields or {}).items():
            self.page.get_by_label(label).fill(text)
        self.page.get_by_role("button", name="Save").click()
        self.sees_heading(name)

    def sees_heading(self, text):
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(text)

    def settles(self):
        """Wait until htmx has taken up what it put in: some 20 ms, less than anybody needs."""
        expect(self.page.locator(".htmx-added")).to_have_count(0)

    def row(self, name):
        """Return the row of a follow-up on Today."""
        return self.page.get_by_role("article").filter(
            has=self.page.get_by_role("heading", name=name)
        )

    def due(self, name):
        """Return the row of a follow-up that asks for an outcome."""
        return self.row(name).filter(has=self.page.get_by_role("button", name="Talked"))

    def days_pass_until_due(self, stack, name):
        """Let whole weeks pass, which keep the weekdays, until the follow-up of somebody is due."""
        [(on,)] = stack.ask(
            "SELECT coalesce(next_on, current_date) FROM followups_followup f"
            " JOIN contacts_contact c ON c.id = f.contact_id"
            " JOIN netcrm_user u ON u.id = f.owner_id"
            " WHERE f.state = 'active' AND c.name = %s AND u.email = %s",
            name,
            self.email,
        )
        ahead = max((on - datetime.now(VIENNA).date()).days, 0)
        stack.days_pass(7 * math.ceil(ahead / 7))
        self.page.goto("/")
        self.comes_up(self.due(name))

    def comes_up(self, wanted, timeout=IN_BACKGROUND):
        """Reload until a locator is there: something in the background brings it."""
        deadline = time.monotonic() + timeout / 1000
        while not wanted.is_visible():
            assert time.monotonic() < deadline, f"{wanted} did not come up"
            self.page.wait_for_timeout(500)
            self.page.reload()

    def waits_for(self, expression):
        """Wait until an expression of JavaScript is true. Playwright's own waiting evaluates it
        inside the page, which the policy of our pages forbids as soon as it has to look twice."""
        deadline = time.monotonic() + 15
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"{expression} has not become true"
            self.page.wait_for_timeout(100)

    def look(self, name):
        """Check the present page as a whole, and keep a picture of it."""
        size = self.page.viewport_size
        self.shots += 1
        path = self.folder / f"{self.name.lower()}-{self.shots:02}-{name}.png"
        self.page.evaluate("scrollTo(0, 0)")
        # To hide the caret, Playwright would write inline styles, which htmx would carry on.
        self.page.screenshot(path=path, full_page=True, caret="initial")
        self._fits(size["width"])
        self._fits(NARROWEST)
        self.page.set_viewport_size(size)

    def check(self, name):
        """Like look(), and hold the page against WCAG 2.2 AA and best practice; its colours in the
        other theme too."""
        self.look(name)
        self.page.evaluate(AXE)
        violations = self.page.evaluate(RUN_AXE, STANDARDS)
        self.page.emulate_media(color_scheme=self.other_theme)
        violations += self.page.evaluate(RUN_AXE, COLOURS)
        self.page.emulate_media(color_scheme=self.theme)
        self.troubles += [f"{name} at {self.where}: {violation}" for violation in violations]

    def _fits(self, width):
        self.page.set_viewport_size({"width": width, "height": self.page.viewport_size["height"]})
        wide = self.page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            self.troubles.append(f"{self.where} scrolls sideways: {wide} in {width} pixels")


def day(text):
    """Return a pattern for a day in words, as it stands in reasons: Thu 12 Nov."""
    return re.compile(rf"{text} \w{{3}} \d\d? \w{{3}}")
