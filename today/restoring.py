"""Archives on their way back: taken in by the page, brought back by Celery.

A small one is brought back at once, by the same steps. Each is one transaction, so a killed
process leaves nothing of it behind, and the next tick begins anew.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from tempfile import TemporaryFile
from typing import IO

from celery.exceptions import SoftTimeLimitExceeded
from django.db import IntegrityError, transaction

from netcrm.models import User
from netcrm.wording import one_line
from today.archive import MEGABYTE, NOT_EMPTY, CannotRestore, is_empty, restore, unpacked_size
from today.models import Restore, RestorePiece

logger = logging.getLogger(__name__)

# Unpacked: some 3,000 rows, which takes a second.
AT_ONCE = MEGABYTE
PIECE = MEGABYTE

UNDER_WAY = "Another archive is on its way into your notebook already. Wait until it has arrived."
TOO_SLOW = "That archive takes too long to bring back. Nothing was brought back."
FAILED = "Something in that archive could not be stored. Nothing was brought back."


def receive(user: User, name: str, file: IO[bytes], size: int) -> Restore:
    """Take an archive in, to be brought back by Celery; a small one is brought back at once.

    Raises CannotRestore with the reason.
    """
    if not is_empty(user):
        raise CannotRestore(NOT_EMPTY)
    unpacked = unpacked_size(file, size)
    job = _keep(user, name, file, size)
    if unpacked <= AT_ONCE:
        work_off(job.pk)
        job.refresh_from_db()
    if job.error:
        raise CannotRestore(job.error)
    return job


def _keep(user: User, name: str, file: IO[bytes], size: int) -> Restore:
    job = Restore(owner=user, file_name=one_line(name)[:255], size=size)
    file.seek(0)
    try:
        with transaction.atomic():
            Restore.objects.for_user(user).ended().delete()
            job.save()
            for number, data in enumerate(iter(partial(file.read, PIECE), b"")):
                RestorePiece.objects.create(owner=user, restore=job, number=number, data=data)
    except IntegrityError as error:
        raise CannotRestore(UNDER_WAY) from error
    return job


def run_restores() -> None:
    """Bring back the archive that has waited longest. The others wait for later ticks: two large
    ones would take both processes of a worker, and no mail would leave meanwhile."""
    if oldest := Restore.objects.waiting().first():
        work_off(oldest.pk)


@transaction.atomic
def work_off(restore_id: int) -> None:
    """Bring back an archive, unless that is done or another process is at it."""
    waiting = Restore.objects.waiting().filter(pk=restore_id)
    job = waiting.select_for_update(no_key=True, skip_locked=True).first()
    if job:
        job.end(_bring_back(job))


def _bring_back(job: Restore) -> str:
    """Return why it did not work, in a sentence. (Where the connection is lost, that cannot be kept
    either: the archive still waits, and the next tick begins anew.)"""
    try:
        with _file_of(job) as file:
            restore(job.owner, file, job.size)
    except CannotRestore as problem:
        return str(problem)
    except SoftTimeLimitExceeded:
        return TOO_SLOW
    except Exception:
        logger.exception("Archive %s could not be brought back", job.pk)
        return FAILED
    return ""


@contextmanager
def _file_of(job: Restore) -> Iterator[IO[bytes]]:
    with TemporaryFile() as file:
        for piece in job.pieces.iterator(chunk_size=1):
            file.write(piece.data)
        file.seek(0)
        yield file
