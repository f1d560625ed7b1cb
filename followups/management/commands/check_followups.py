from django.core.management.base import BaseCommand, CommandError

from followups.checking import check_followups


class Command(BaseCommand):
    help = "Check that every active follow-up has exactly one date or one open reminder."

    def handle(self, *args, **options):
        silent = check_followups()
        for row in silent:
            self.stdout.write(
                f"{row.pk}  {row}: {row.open_reminders} open reminders, next date {row.next_on}"
            )
        if silent:
            raise CommandError(f"Follow-ups that could fall silent: {len(silent)}")
        self.stdout.write("Every active follow-up has its date or its reminder.")
