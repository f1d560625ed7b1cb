"""A running netcrm and a real Chromium for the browser tests."""

import os
import shutil

import pytest
from playwright.sync_api import Error, sync_playwright

from tests import processes
from tests.e2e.person import LAPTOP, PHONE, Person

SCREENSHOTS = processes.ROOT / "test-results"


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    with processes.running(tmp_path_factory.mktemp("netcrm")) as stack:
        yield stack


# Not for the whole session: while Playwright runs, Django takes its loop for an asynchronous
# caller and refuses the database to the other tests of the process.
@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        options = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
        try:
            browser = playwright.chromium.launch(executable_path=path, **options)
        except Error as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"No Chromium could be started: {str(error).splitlines()[0]}")
        yield browser
        browser.close()


@pytest.fixture(params=[LAPTOP, PHONE], ids=["1280", "390"])
def window(request):
    """A laptop by day, a phone by night."""
    return request.param


@pytest.fixture
def meet(chromium, stack, request):
    """Return a function that gives a Person in front of a fresh browser window."""
    people = []
    test = request.node
    folder = SCREENSHOTS / test.path.stem / test.name

    def meet(name, **window):
        options = {
            "timezone_id": "Europe/Vienna",
            "locale": "en-GB",
            "reduced_motion": "reduce",
            "base_url": stack.address,
        }
        context = chromium.new_context(**(options | window))
        context.set_default_timeout(15_000)
        people.append(Person(name, context, folder, window.get("color_scheme", "light")))
        return people[-1]

    yield meet
    for person in people:
        person.page.context.close()
    troubles = [trouble for person in people for trouble in person.troubles]
    assert not troubles, "\n".join(troubles)
