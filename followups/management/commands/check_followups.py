from django.core.management.base import BaseCommand, CommandError

from followups.checking import check_followups


class Command(BaseCommand):
    help = "Check that every active follow-up has exactly one date or one open reminder."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="only tell, repair nothing")

    def handle(self, *args, **options):
        findings = check_followups(repair=not options["dry_run"])
        for finding in findings:
            self.stdout.write(f"{finding.follow_up.pk}  {finding.follow_up}: {finding.wrong}")
        if findings and options["dry_run"]:
            raise CommandError(f"Follow-ups that could fall silent: {len(findings)}")
        if findings:
            self.stdout.write(f"Repaired: {len(findings)}")
        self.stdout.write("Every active follow-up has its date or its reminder.")
