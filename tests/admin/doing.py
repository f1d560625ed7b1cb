"""What a person does in the admin site."""

import re

from django.urls import reverse


def list_url(model, query=""):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist") + query


def change_url(row, view="change"):
    meta = row._meta
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_{view}", args=[row.pk])


def run_action(client, model, action, rows=(), across=False, query="", **answers):
    """Choose rows, choose an action, answer what it asks. Returns the last response."""
    data = {
        "action": action,
        "select_across": int(across),
        "_selected_action": [row.pk for row in rows],
    }
    asked = client.post(list_url(model, query), data | {"index": 0})
    if asked.status_code != 200:
        return asked
    return client.post(list_url(model, query), data | answers | {"confirmed": "yes"})


def said(client, response):
    """Return the message that the page after a redirect shows."""
    assert response.status_code == 302, response.content.decode()
    page = client.get(response["Location"])
    return " ".join(str(message) for message in page.context["messages"])


def told(client, response):
    """Return what the page after an action says, without the way to the change."""
    return re.sub(r" ?<a .*", "", said(client, response))


def edit_list(client, model, row, **fields):
    """Save the list's editable columns for one row."""
    data = {
        "form-TOTAL_FORMS": 1,
        "form-INITIAL_FORMS": 1,
        "form-0-id": row.pk,
        "_save": "Save",
    }
    return client.post(list_url(model), data | {f"form-0-{name}": v for name, v in fields.items()})


def formset(prefix, *forms, initial=0):
    """Return the POST data of an inline formset."""
    data = {f"{prefix}-TOTAL_FORMS": len(forms), f"{prefix}-INITIAL_FORMS": initial}
    for number, form in enumerate(forms):
        data |= {f"{prefix}-{number}-{name}": value for name, value in form.items()}
    return data


NO_LINES = {
    **formset("emails"),
    **formset("phones"),
    **formset("links"),
    **formset("contacttag_set"),
    **formset("contact_topics"),
}
