"""What the commands that do beat's work have in common."""

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone


def instant(text: str) -> datetime:
    """Return the aware datetime of an ISO 8601 text. Raises ArgumentTypeError with a sentence."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ArgumentTypeError(
            f"“{text}” is not a moment. Write date, time and offset, as in 2026-12-03T07:30+01:00."
        )
    return at


class LookAheadCommand(BaseCommand):
    """A command that does what beat does, now or at a moment to come, or only tells."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--at",
            type=instant,
            metavar="MOMENT",
            help="as if it were this moment, such as 2026-12-03T07:30+01:00",
        )
        parser.add_argument("--dry-run", action="store_true", help="only tell, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        at = options["at"] or timezone.now()
        if options["dry_run"]:
            self.tell(at)
        else:
            self.act(at)

    def tell(self, at: datetime) -> None:
        raise NotImplementedError

    def act(self, at: datetime) -> None:
        raise NotImplementedError
