from followups import raising
from netcrm.commands import LookAheadCommand


class Command(LookAheadCommand):
    help = "Raise the reminders whose date has come, as beat does every half minute."

    def act(self, at):
        raised = raising.raise_reminders(at)
        self.stdout.write(f"Reminders raised: {raised}")

    def tell(self, at):
        rows = raising.due(at).select_related("owner", "contact").order_by("next_on", "id")
        for row in rows:
            self.stdout.write(f"{row.next_on}  {row.owner.email}  {row.contact}: {row.reason}")
        self.stdout.write(f"Reminders that would be raised: {len(rows)}")
