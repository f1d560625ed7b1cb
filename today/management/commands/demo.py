import secrets

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from netcrm.models import User
from today.demo import DEMO_EMAIL, CannotFill, create_demo_user, fill_demo


class Command(BaseCommand):
    help = "Fill a notebook with demo data: one person's story over seven months."

    def add_arguments(self, parser):
        parser.add_argument(
            "--email", help="fill the empty notebook of this account instead of a demo account"
        )

    def handle(self, **options):
        if options["email"]:
            self._fill_existing(options["email"])
        else:
            self._provide_demo_account()

    def _fill_existing(self, email):
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"There is no account for {email}. Sign up with it first.")
        try:
            fill_demo(user)
        except CannotFill as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"The notebook of {user.email} is filled: {settings.SITE_URL}")

    def _provide_demo_account(self):
        user = User.objects.filter(email=DEMO_EMAIL).first()
        if user:
            self.stdout.write("The demo notebook is there already. Its password is new.")
        else:
            user = create_demo_user()
            self.stdout.write("The demo notebook is filled.")
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
        self.stdout.write(f"Address:  {settings.SITE_URL}")
        self.stdout.write(f"E-mail:   {user.email}")
        self.stdout.write(f"Password: {password}")
