"""Celery beat, for a clock that is set back."""

from celery.beat import PersistentScheduler


class Scheduler(PersistentScheduler):
    """Celery's own scheduler, which counts from the time of day: after the clock was set back by
    an hour it would say nothing for an hour. This one begins to count anew, from now."""

    def tick(self, *args, **kwargs):
        now = self.app.now()
        ahead = [entry for entry in self.schedule.values() if entry.last_run_at > now]
        for entry in ahead:
            entry.last_run_at = now
        if ahead:
            self._heap = None  # It is sorted by the old time; the parent fills it again.
        return super().tick(*args, **kwargs)
