"""What every page's shell needs; lazy, since partials do not draw the shell."""

from django.conf import settings
from django.utils.functional import SimpleLazyObject

from netcrm.models import User


def shell(request):
    return {
        "personal": settings.PERSONAL,
        "offer_demo": SimpleLazyObject(lambda: settings.PERSONAL and not User.objects.exists()),
    }
