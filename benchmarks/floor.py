"""The floor: what the least useful page costs on this stack. A session, a login, one indexed query
and fifty rows, through the very same middleware."""

from django.http import HttpResponse
from django.template import engines
from django.views.decorators.http import require_safe

from contacts.models import Contact

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Floor</title></head>
<body>
<h1>Floor</h1>
<table>
  {% for contact in contacts %}
    <tr>
      <td><a href="{{ contact.get_absolute_url }}">{{ contact.name }}</a></td>
      <td>{{ contact.role }}</td>
      <td>{{ contact.last_interaction_on|date:"j M Y" }}</td>
    </tr>
  {% endfor %}
</table>
</body>
</html>
"""
_template = None


@require_safe
def floor(request):
    global _template
    _template = _template or engines["django"].from_string(PAGE)
    contacts = Contact.objects.for_user(request.user).order_by("name", "id")[:50]
    return HttpResponse(_template.render({"contacts": contacts}, request))
