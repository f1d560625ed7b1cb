"""Small drawings and words that every page shares: icons, initials, attempt dots, dates."""

import datetime as dt
from functools import cache, lru_cache
from typing import Any, Literal
from zlib import crc32

from django import template
from django.contrib.humanize.templatetags.humanize import ordinal
from django.templatetags.static import static
from django.utils import timezone
from django.utils.dateformat import format as date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

register = template.Library()
register.filter("ordinal", cache(ordinal))

AVATAR_CLASSES = "abcde"


@register.simple_tag
@cache
def icon(name: str, size: str = "") -> SafeString:
    """Draw a Tabler icon: {% icon "phone" %}, or {% icon "search" "i-lg" %} for a larger one.

    The icon is decoration: the words beside it (or a span of class "sr") carry the meaning.
    A new icon must be added to the list in bin/vendor.
    """
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f"i {size}".strip(),
        static("vendor/tabler-icons.svg"),
        name,
    )


@register.simple_tag
@cache
def art(name: str, extra: str = "") -> SafeString:
    """Draw one of our own drawings: ring, mug, bean, cup-1 to cup-5."""
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        f"art {extra}".strip(),
        static("art.svg"),
        name,
    )


@register.filter
def initials(name: str) -> str:
    """Return the first letters of the first and last word of a name: "Aiko Tanabe" is "AT"."""
    letters = [word[0] for word in str(name).split() if word[0].isalnum()]
    if not letters:
        return "?"
    return "".join(letters[:1] + letters[1:][-1:]).upper()


@register.simple_tag
def avatar(contact: Any, size: str = "") -> SafeString:
    """Draw a person's initials: {% avatar contact %} or {% avatar contact "xl" %}.

    Takes any object with .name and .pk. The colour comes from the pk, so that a person keeps it
    on every page and after a change of name.
    """
    colour = AVATAR_CLASSES[crc32(str(contact.pk).encode()) % len(AVATAR_CLASSES)]
    return format_html(
        '<span class="{}" aria-hidden="true">{}</span>',
        f"avatar {colour} {size}".strip(),
        initials(contact.name),
    )


@register.simple_tag
@lru_cache(maxsize=512)
def dots(
    done: int, total: int, state: Literal["due", "waiting", "answered"] = "waiting"
) -> SafeString:
    """Draw the tries of a follow-up, and say the same in words.

    done is the number of tries made. "due": the next try is asked for now (ringed honey).
    "waiting": it is not yet time. "answered": the last try made is the one that worked (sage).
    A playbook that was exceeded grows: the dots never show fewer tries than were made.
    """
    match state:
        case "due":
            marks, label = ["d"] * done + ["now"], f"Attempt {done + 1} of {{total}}"
        case "answered":
            marks, label = ["d"] * (done - 1) + ["yes"], f"Answered on attempt {done}"
        case "waiting":
            marks = ["d"] * done
            label = f"Attempt {done} of {{total}}" if done else "No attempt yet, {total} planned"
        case _:
            raise template.TemplateSyntaxError(f"dots: unknown state {state!r}")
    total = max(total, len(marks))
    marks += [""] * (total - len(marks))
    return format_html(
        '<span class="dots" role="img" aria-label="{}">{}</span>',
        label.format(total=total),
        format_html_join("", '<i class="{}"></i>', ((mark,) for mark in marks)),
    )


@register.filter
def day(value: dt.date | dt.datetime | None) -> str:
    """Return "Thu 12 Nov", with the year if it is not this one; a moment in the user's zone."""
    if value is None:
        return ""
    if isinstance(value, dt.datetime):
        value = (timezone.localtime(value) if timezone.is_aware(value) else value).date()
    return _say_day(value, value.year == timezone.localdate().year)


@lru_cache(maxsize=2048)
def _say_day(value: dt.date, this_year: bool) -> str:
    return date_format(value, "D j M" if this_year else "D j M Y")
