from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.db import connection, transaction

from netcrm.models import User

FIRST_ACCOUNT_LOCK = 7_304_112


class AccountAdapter(DefaultAccountAdapter):
    """Creates accounts through allauth's sign-up form."""

    @transaction.atomic
    def save_user(self, request, user, form, commit=True):
        """Take name and zone from the form. On a personal machine the first account of all
        becomes superuser; two at the same moment cannot both be first."""
        user.name = form.cleaned_data.get("name", "")
        user.time_zone = form.cleaned_data.get("time_zone") or "UTC"
        if settings.PERSONAL:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [FIRST_ACCOUNT_LOCK])
            user.is_superuser = user.is_staff = not User.objects.filter(is_superuser=True).exists()
        return super().save_user(request, user, form, commit=commit)
