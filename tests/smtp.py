"""A real SMTP server for tests: it keeps what it accepts and answers as it is told."""

import asyncio
import email.policy
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller

OK = "250 OK"


class PostOffice:
    """Remembers accepted mails in `mails`. The first answers to RCPT and to DATA are taken from
    `to_rcpt` and `to_data`; "stall" never answers, "keep and stall" accepts and never says so, and
    "drop" hangs up. Then `policy` says what each address is told, and `usually` answers DATA."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.host, self.port = "127.0.0.1", _free_port()
        self.behave()

    def behave(self) -> None:
        """Take in every mail at once from now on."""
        self.to_rcpt: list[str] = []
        self.to_data: list[str] = []
        self.policy: Callable[[str], str] = lambda address: OK
        self.usually = OK
        self.seconds = 0.0  # For one mail: half of it before the mail is kept, half after.
        self.stalled = 0

    def open(self) -> None:
        self._controller = Controller(self, hostname=self.host, port=self.port)
        self._controller.start()

    def close(self) -> None:
        """Refuse connections until it is opened again."""
        self._controller.stop()

    @property
    def options(self) -> dict:
        return {"host": self.host, "port": self.port, "timeout": 30}

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        answer = self.to_rcpt.pop(0) if self.to_rcpt else self.policy(address)
        if answer == OK:
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self.to_data.pop(0) if self.to_data else self.usually
        await asyncio.sleep(self.seconds / 2)
        if answer.startswith(("2", "keep")):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.mails.append(mail)
        await asyncio.sleep(self.seconds / 2)
        if answer.endswith("stall"):
            self.stalled += 1
            await asyncio.sleep(3600)
        if answer == "drop":
            server.transport.close()
        return answer


def _free_port() -> int:
    """Return a port of 127.0.0.1 on which nobody listens just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_post_office() -> Iterator[PostOffice]:
    office = PostOffice()
    office.open()
    try:
        yield office
    finally:
        office.close()


def wait_until(true: Callable[[], object], seconds: float = 20, every: float = 0.05) -> None:
    """Wait until something is true, looking `every` so many seconds. Raises AssertionError when it
    stays false."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(every)
