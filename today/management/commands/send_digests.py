import math

from followups import raising
from netcrm.commands import LookAheadCommand
from today import digest
from today.letter import subject


class Command(LookAheadCommand):
    help = (
        "Queue the digests whose hour has come, as beat does every half minute. "
        "A digest tells of the reminders that are raised: run raise_reminders first."
    )

    def act(self, at):
        queued = digest.send_digests(at, seconds=math.inf)
        self.stdout.write(f"Digests queued: {queued}")

    def tell(self, at):
        count = 0
        for user in digest.due(at):
            on = digest.newest_scheduled(user, at)
            agenda = digest.agenda_for(user, at)
            says = "nothing is due, so no mail" if agenda.empty else subject(agenda)
            self.stdout.write(f"{on}  {user.email}  {says}")
            count += not agenda.empty
        if waiting := raising.due(at).count():
            self.stdout.write(f"Not counted, since raise_reminders --at comes first: {waiting}")
        self.stdout.write(f"Digests that would be sent: {count}")
