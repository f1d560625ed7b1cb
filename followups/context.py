from django.utils.functional import SimpleLazyObject

from followups.models import Reminder


def due_count(request):
    """How many people ask for attention today: the number beside Today in the navigation.
    Lazy, since partials do not draw the navigation."""

    def count():
        return Reminder.objects.for_user(request.user).open().count()

    if not getattr(request, "user", None) or not request.user.is_authenticated:
        return {}
    return {"due_count": SimpleLazyObject(count)}
