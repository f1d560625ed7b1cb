"""A running netcrm that sends over SMTP, and the server that it sends to."""

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import Page, sync_playwright

from netcrm import servers
from netcrm.models import User
from tests import processes
from tests.smtp import PostOffice, running_post_office

LEASE_SECONDS = 5


@dataclass
class More:
    """Starts further workers and beats beside those that run already, and kills workers."""

    stack: processes.Stack
    directory: Path
    started: list[psutil.Process] = field(default_factory=list)

    def start(self, name: str) -> None:
        """Start one more "worker" or "beat"."""
        directory = self.directory / f"{name} {len(self.started)}"
        self.started.append(processes.start(name, directory, self.stack.env))

    def kill_workers(self) -> None:
        """End every worker and its children as a power failure would."""
        workers = [
            process
            for process in psutil.Process().children(recursive=True)
            if "worker" in process.cmdline()
            and process.environ().get("DATABASE_URL") == self.stack.env["DATABASE_URL"]
        ]
        assert workers
        for process in workers:
            process.kill()
        psutil.wait_procs(workers)


@pytest.fixture(autouse=True)
def quick_passwords():
    """Keep the real hash: the web process knows no other."""


@pytest.fixture(scope="module")
def office() -> Iterator[PostOffice]:
    with running_post_office() as office:
        yield office


@pytest.fixture(scope="module")
def stack(office, tmp_path_factory) -> Iterator[processes.Stack]:
    broker = urlsplit(os.environ["REDIS_URL"])
    number = int(broker.path.strip("/") or 0)
    settings = {
        # Apart from the browser tests, whose netcrm may be running too.
        "REDIS_URL": broker._replace(path=f"/{number + 4}").geturl(),
        "DEBUG": "true",
        "PERSONAL": "false",
        "MAIL_URL": f"smtp://{office.host}:{office.port}",
        "OUTBOX_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    with processes.running(tmp_path_factory.mktemp("delivery"), **settings) as stack:
        yield stack


@pytest.fixture
def more(stack, tmp_path) -> Iterator[More]:
    more = More(stack, tmp_path)
    yield more
    servers.end_processes(more.started)


@pytest.fixture
def rows(stack, django_db_blocker, monkeypatch) -> Iterator[None]:
    """Let the models of this process speak to the database of the running netcrm; what they write
    is committed."""
    # While Playwright runs, Django takes its loop for an asynchronous caller.
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
    with django_db_blocker.unblock(), processes.rows(stack.env["DATABASE_URL"]):
        yield
        User.objects.all().delete()


@pytest.fixture
def page(stack) -> Iterator[Page]:
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or shutil.which("chromium")
        options = {"args": ["--no-sandbox"]} if os.geteuid() == 0 else {}
        try:
            chromium = playwright.chromium.launch(executable_path=path, **options)
        except PlaywrightError as error:
            if os.environ.get("CI") == "true":
                raise
            pytest.skip(f"No Chromium could be started: {str(error).splitlines()[0]}")
        page = chromium.new_page(base_url=stack.address)
        page.set_default_timeout(15_000)
        yield page
        chromium.close()
