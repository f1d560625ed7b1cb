"""The drawings and words that every page shares, and the way forms are drawn."""

import datetime as dt
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
import time_machine
from django import forms
from django.conf import settings as django_settings
from django.template import Context, Template, TemplateSyntaxError
from django.utils import timezone

from netcrm.templatetags.netcrm import avatar, day, dots, icon, initials

TEMPLATES = Path(django_settings.BASE_DIR) / "templates"
STATIC = Path(django_settings.BASE_DIR) / "static"


def drawn(source, sprite):
    """Return the names drawn by {% icon %} or {% art %} in all templates that the sprite lacks."""
    used = {
        name
        for path in TEMPLATES.rglob("*.html")
        for name in re.findall(source + r' "([a-z0-9-]+)"', path.read_text())
    }
    return used - set(re.findall(r'<symbol id="([^"]+)"', (STATIC / sprite).read_text()))


def test_every_icon_in_use_is_in_the_sprite():
    assert drawn("{% icon", "vendor/tabler-icons.svg") == set()


def test_every_drawing_in_use_exists():
    assert drawn("{% art", "art.svg") == set()


def test_an_icon_is_decoration():
    assert icon("phone") == (
        '<svg class="i" aria-hidden="true">'
        '<use href="/static/vendor/tabler-icons.svg#phone"/></svg>'
    )
    assert 'class="i i-lg"' in icon("phone", "i-lg")


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("Aiko Tanabe", "AT"),
        ("Łukasz van der Kowalczyk", "ŁK"),
        ("priya", "P"),
        ("Ruth (coach)", "R"),
        ("  ", "?"),
        ("", "?"),
    ],
)
def test_initials(name, letters):
    assert initials(name) == letters


def test_an_avatar_keeps_its_colour_through_a_change_of_name():
    before, after = (avatar(SimpleNamespace(pk=7, name=name)) for name in ("Ann Lee", "Ann Ross"))
    assert before.replace("AL", "AR") == after


def test_an_avatar_escapes_the_name():
    assert "<b" not in avatar(SimpleNamespace(pk=1, name="<b> >c"))


@pytest.mark.parametrize(
    ("args", "label", "marks"),
    [
        ((4, 6, "due"), "Attempt 5 of 6", ["d", "d", "d", "d", "now", ""]),
        ((2, 4, "waiting"), "Attempt 2 of 4", ["d", "d", "", ""]),
        ((2, 4), "Attempt 2 of 4", ["d", "d", "", ""]),
        ((0, 3, "waiting"), "No attempt yet, 3 planned", ["", "", ""]),
        ((3, 5, "answered"), "Answered on attempt 3", ["d", "d", "yes", "", ""]),
        ((3, 3, "due"), "Attempt 4 of 4", ["d", "d", "d", "now"]),
    ],
)
def test_dots_say_what_they_draw(args, label, marks):
    drawing = dots(*args)
    assert f'role="img" aria-label="{label}"' in drawing
    assert re.findall(r'<i class="(\w*)">', drawing) == marks


def test_dots_know_three_states():
    with pytest.raises(TemplateSyntaxError):
        dots(1, 2, "lost")


@time_machine.travel("2026-11-19 12:00Z")
def test_a_day_names_its_year_only_if_it_is_another_one():
    assert day(dt.date(2026, 11, 12)) == "Thu 12 Nov"
    assert day(dt.date(2025, 11, 12)) == "Wed 12 Nov 2025"
    assert day(None) == ""


@time_machine.travel("2026-11-19 12:00Z")
def test_a_moment_falls_on_the_persons_own_day():
    late = dt.datetime(2026, 11, 19, 23, 30, tzinfo=dt.UTC)
    with timezone.override("Asia/Tokyo"):
        assert day(late) == "Fri 20 Nov"


class CoffeeForm(forms.Form):
    place = forms.CharField(help_text="A street will do.")
    note = forms.CharField(required=False)
    mood = forms.ChoiceField(choices=[("good", "Good"), ("so", "So-so")], widget=forms.RadioSelect)
    outside = forms.BooleanField(required=False)
    token = forms.CharField(widget=forms.HiddenInput, required=False)


def test_a_form_is_drawn_with_labels_help_and_errors_tied_to_the_control():
    html = str(CoffeeForm({"place": ""}))
    assert '<label for="id_place">Place</label>' in html
    assert 'aria-describedby="id_place_helptext id_place_error"' in html
    assert 'id="id_place_helptext">A street will do.' in html
    assert 'class="error" id="id_place_error"><p>This field is required.</p>' in html
    assert "optional" in html.partition('id="id_note"')[0]
    assert "<legend>Mood</legend>" in html
    assert html.count('class="chip"') == 2
    assert '<label class="check">' in html
    assert '<input type="hidden" name="token"' in html


def test_one_field_can_be_drawn_alone():
    source = '{% include "shell/field.html" with field=form.place %}'
    html = Template(source).render(Context({"form": CoffeeForm()}))
    assert html.count("<input") == 1
