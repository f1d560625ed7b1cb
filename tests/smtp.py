"""A real SMTP server for tests: it keeps what it accepts and answers as it is told."""

import asyncio
import email.policy
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage

from aiosmtpd.controller import Controller


class PostOffice:
    """Remembers accepted mails in `mails`. The first answers to RCPT and to DATA are taken from
    `to_rcpt` and `to_data`; "stall" never answers, "keep and stall" accepts and never says so, and
    "drop" hangs up. Then all is accepted."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.to_rcpt: list[str] = []
        self.to_data: list[str] = []
        self.stalled = 0
        self.host, self.port = "127.0.0.1", _free_port()

    @property
    def options(self) -> dict:
        return {"host": self.host, "port": self.port, "timeout": 30}

    @property
    def ids(self) -> list[str]:
        return [mail["Message-ID"] for mail in self.mails]

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if self.to_rcpt:
            return self.to_rcpt.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = self.to_data.pop(0) if self.to_data else "250 OK"
        if answer.startswith(("2", "keep")):
            mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
            self.mails.append(mail)
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
    controller = Controller(office, hostname=office.host, port=office.port)
    controller.start()
    try:
        yield office
    finally:
        controller.stop()


def wait_until(true: Callable[[], object], seconds: float = 20) -> None:
    """Wait until something is true. Raises AssertionError when it stays false."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.05)
