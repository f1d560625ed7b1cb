import uuid

import phonenumbers
from django import forms
from django.core.validators import URLValidator
from django.db import IntegrityError, transaction
from django.utils.functional import cached_property
from django.utils.html import format_html
from phonenumber_field.formfields import PhoneNumberField

from contacts.lists.saved import follow
from contacts.models import (
    LONGEST_RHYTHM,
    RHYTHMS,
    Contact,
    ContactEmail,
    ContactLink,
    ContactPhone,
    ContactTopic,
    Organisation,
    Tag,
    Topic,
    plain,
    say_rhythm,
    tidy_link,
)
from netcrm.localtime import time_zones
from netcrm.wording import one_line

MOST_LINES = 20
MOST_TOPICS = 20
ANOTHER = "another"


class Draft:
    """A form that is shown again with one line more: nothing in it is judged yet."""

    is_draft = False

    @property
    def errors(self):
        return {} if self.is_draft else super().errors


class LineForm(Draft, forms.ModelForm):
    """One address, number or link with its label."""

    example = "work"

    def __init__(self, *args, owner, is_draft=False, **kwargs):
        super().__init__(*args, **kwargs)
        self.is_draft = is_draft
        self.instance.owner = owner
        self.fields["label"].widget.attrs |= {"placeholder": self.example, "autocomplete": "off"}


class EmailForm(LineForm):
    class Meta:
        model = ContactEmail
        fields = ["address", "label"]
        error_messages = {
            "address": {
                "invalid": "Write the whole address, such as name@example.org, or clear this line."
            }
        }


class PhoneForm(LineForm):
    class Meta:
        model = ContactPhone
        fields = ["number", "label"]

    def __init__(self, *args, owner, **kwargs):
        super().__init__(*args, owner=owner, **kwargs)
        # Numbers written without a country code belong to the owner's country.
        region = owner.country if owner.country in phonenumbers.SUPPORTED_REGIONS else None
        self.fields["number"] = PhoneNumberField(
            region=region,
            error_messages={
                "invalid": "That number does not look complete. Start it with + and the country"
                " code, such as +43 660 1234567, or clear this line."
            },
        )


class LinkForm(LineForm):
    example = "LinkedIn"
    url = forms.CharField(
        max_length=500,
        label="Link",
        widget=forms.URLInput(attrs={"type": "text", "inputmode": "url"}),
    )

    class Meta:
        model = ContactLink
        fields = ["url", "label"]

    def clean_url(self):
        url = self.cleaned_data["url"]
        if "://" not in url:
            url = f"https://{url}"
        message = "Write a web address, such as https://example.org, or clear this line."
        URLValidator(schemes=["http", "https"], message=message)(url)
        return tidy_link(url)


class LineFormSet(forms.BaseInlineFormSet):
    """The addresses, numbers or links of a contact. A line that was cleared is removed."""

    def _should_delete_form(self, form):
        first = next(iter(self.form.base_fields))
        return not form.data.get(form.add_prefix(first), "").strip()


def _lines(form):
    return forms.inlineformset_factory(
        Contact,
        form._meta.model,
        form=form,
        formset=LineFormSet,
        extra=1,
        max_num=MOST_LINES,
        absolute_max=MOST_LINES,
        validate_max=True,
    )


LINES = {"emails": _lines(EmailForm), "phones": _lines(PhoneForm), "links": _lines(LinkForm)}


SAVED_WITH_THEM = ["organisation", "introduced_by", "updated_at"]


class RhythmInput(forms.MultiWidget):
    """One of the rhythms on offer, or another number of days, typed beside it. The style sheet
    shows the number to whoever asks for it."""

    use_fieldset = False

    def __init__(self):
        choices = [("", "No rhythm"), *RHYTHMS, (ANOTHER, "Another number of days…")]
        days = {"min": 1, "max": LONGEST_RHYTHM, "placeholder": "30", "aria-label": "Days"}
        offered = forms.Select({"data-rhythm": True}, choices)
        super().__init__({"": offered, "days": forms.NumberInput(days)})

    def id_for_label(self, id_, index="0"):
        return f"{id_}_{index}" if id_ else ""

    def decompress(self, value):
        """Return the choice and the number that show a rhythm, or what was typed for one."""
        if value in (None, ""):
            return ["", None]
        offered = str(value) in {str(days) for days, _ in RHYTHMS}
        return [value, None] if offered else [ANOTHER, None if value == ANOTHER else value]

    def value_from_datadict(self, data, files, name):
        offered, typed = super().value_from_datadict(data, files, name)
        return (typed or ANOTHER) if offered == ANOTHER else offered


class RhythmField(forms.IntegerField):
    """How often to stay in touch, in days; None is no rhythm."""

    widget = RhythmInput
    sentence = f"Write a number of days from 1 to {LONGEST_RHYTHM}, such as 30."
    default_error_messages = dict.fromkeys(["invalid", "min_value", "max_value"], sentence)

    def __init__(self, **kwargs):
        super().__init__(min_value=1, max_value=LONGEST_RHYTHM, required=False, **kwargs)


def _time_zones():
    names = sorted(zone for zone in time_zones() if "/" in zone)
    return [("", "The same as yours"), *((name, name.replace("_", " ")) for name in names)]


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self):
        super().__init__(format="%Y-%m-%d")


class TopicsField(forms.CharField):
    """Names of topics, divided by commas. Cleans to a list, each name once."""

    def __init__(self, **kwargs):
        attrs = {"autocomplete": "off", "placeholder": "data stories, grid planning"}
        widget = forms.TextInput(attrs=attrs)
        super().__init__(required=False, max_length=2000, widget=widget, **kwargs)

    def prepare_value(self, value):
        return value if value is None or isinstance(value, str) else ", ".join(map(str, value))

    def clean(self, value):
        names = {}
        for name in map(one_line, super().clean(value).split(",")):
            names.setdefault(plain(name), name)
        names.pop("", None)
        longest = Topic._meta.get_field("name").max_length
        if any(len(name) > longest for name in names.values()):
            raise forms.ValidationError(
                f"Keep a topic to {longest} letters, and put a comma between two of them."
            )
        if len(names) > MOST_TOPICS:
            raise forms.ValidationError(f"Keep to {MOST_TOPICS} topics: the ones that matter most.")
        return list(names.values())

    def get_bound_field(self, form, field_name):
        # contacts/topics_field.html draws what is known already.
        self.widget.attrs["list"] = f"{field_name}-known"
        return super().get_bound_field(form, field_name)

    def has_changed(self, initial, data):
        return super().has_changed(self.prepare_value(initial), data)


def find_person(owner, name, but=None):
    """Return the contact of the owner with that name, or "name, organisation" if there are several.
    `but` is somebody who is not meant. Raises ValidationError with a sentence."""
    wanted = plain(name)
    known = Contact.objects.for_user(owner).exclude(pk=but and but.pk)
    found = known.search(wanted.replace(",", " ")).select_related("organisation")
    matches = [person for person in found[:200] if wanted in _ways_to_name(person)]
    if len(matches) > 1:
        raise forms.ValidationError(
            f"You know {len(matches)} people of that name. Add the organisation after a"
            " comma: Priya Raman, Tidewater Health.",
            code="several",
        )
    if not matches:
        raise forms.ValidationError(
            "Nobody of that name is in your notebook. Add them first, or leave this empty.",
            code="nobody",
        )
    return matches[0]


class ContactForm(Draft, forms.ModelForm):
    """A person and their lines: addresses, numbers, links. Only the name is needed.

    `instance` names the owner. `add` is the kind of line to show one more of.
    """

    organisation_name = forms.CharField(label="Organisation", max_length=200, required=False)
    introduced_by_name = forms.CharField(
        label="Introduced by",
        max_length=400,
        required=False,
        help_text="Somebody who is in your notebook.",
    )
    rhythm_days = RhythmField(
        label="Rhythm",
        help_text="How often to stay in touch when nothing is being pursued.",
    )
    seeks_topics = TopicsField(label="Topics they look for")
    offers_topics = TopicsField(label="Topics they know about")
    time_zone = forms.ChoiceField(choices=_time_zones, required=False)
    # Tells two submissions of one form from two people.
    key = forms.UUIDField(widget=forms.HiddenInput, required=False)
    field_order = ["name", "role", "organisation_name", "introduced_by_name"]

    class Meta:
        model = Contact
        fields = [
            "name",
            "role",
            "how_met",
            "known_since",
            "seeks",
            "offers",
            "notes",
            "rhythm_days",
            "time_zone",
        ]
        labels = {"notes": "Notes"}
        widgets = {
            "known_since": DayInput,
            "seeks": forms.Textarea(attrs={"rows": 2}),
            "offers": forms.Textarea(attrs={"rows": 2}),
            "notes": forms.Textarea(attrs={"rows": 4}),
        }
        error_messages = {"name": {"required": "Write a name. Everything else can wait."}}

    def __init__(self, data=None, *, instance, add=""):
        self.owner = instance.owner
        self.is_draft = add in LINES
        if data and self.is_draft:
            data = one_line_more(data, add)
        initial = {"key": uuid.uuid4()}
        if instance.organisation:
            initial["organisation_name"] = instance.organisation.name
        if instance.introduced_by:
            initial["introduced_by_name"] = instance.introduced_by.name
        if instance.pk:
            initial |= {f"{side}_topics": topics for side, topics in instance.topics.items()}
        super().__init__(data, instance=instance, initial=initial)
        for name, listed in {
            "organisation_name": "organisations",
            "introduced_by_name": "people",
        }.items():
            self.fields[name].widget.attrs |= {"list": listed, "autocomplete": "off"}
        self.fields["name"].widget.attrs["autocomplete"] = "off"
        if instance.pk is None and not self.is_draft:
            self.fields["name"].widget.attrs["autofocus"] = True
        if instance.pk and (tag := instance.rhythm_tag):
            self.fields["rhythm_days"].help_text = format_html(
                "Without one of their own: {}, through the tag {}.",
                say_rhythm(tag.rhythm_days),
                tag.name,
            )
        form_kwargs = {"owner": self.owner, "is_draft": self.is_draft}
        self.lines = {
            name: formset(data, instance=instance, prefix=name, form_kwargs=form_kwargs)
            for name, formset in LINES.items()
        }

    def is_valid(self):
        # All of them, so that one look at the page shows every error.
        return all([super().is_valid(), *(lines.is_valid() for lines in self.lines.values())])

    def clean_name(self):
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(self.fields["name"].error_messages["required"])
        return name

    def clean_role(self):
        return one_line(self.cleaned_data["role"])

    def clean_organisation_name(self):
        return one_line(self.cleaned_data["organisation_name"])

    def clean_introduced_by_name(self):
        """Find the introducer by name, or by "name, organisation" if there are several."""
        wanted = plain(self.cleaned_data["introduced_by_name"])
        before = self.instance.introduced_by
        if not wanted or (before and wanted == plain(before.name)):
            self.introducer = before if wanted else None
            return wanted
        self.introducer = find_person(self.owner, wanted, but=self.instance)
        return wanted

    @cached_property
    def namesakes(self):
        """People who have the name already, when the form would add another one."""
        cleaned = getattr(self, "cleaned_data", {})
        if self.instance.pk or not cleaned.get("name"):
            return []
        others = Contact.objects.for_user(self.owner)
        if cleaned["key"]:
            # The person whom this very form has made already is not somebody else.
            others = others.exclude(key=cleaned["key"])
        return list(others.namesakes(cleaned["name"]).select_related("organisation")[:5])

    @transaction.atomic
    def save(self):
        """Save the person with all lines and return the contact.

        The same form twice, even at the same moment, makes one person.
        """
        contact = self.instance
        organisation = self.cleaned_data["organisation_name"]
        found = Organisation.find_or_create(self.owner, [organisation] if organisation else [])
        contact.organisation = found.get(plain(organisation))
        contact.introduced_by = self.introducer
        if contact.pk is None:
            contact.key = self.cleaned_data["key"]
            if not _insert_once(contact):
                return Contact.objects.get(owner=self.owner, key=contact.key)
        else:
            contact.save(update_fields=[*self._meta.fields, *SAVED_WITH_THEM])
        for lines in self.lines.values():
            lines.save()
        for side in ContactTopic.Side:
            contact.set_topics(side, self.cleaned_data[f"{side}_topics"])
        contact.reindex()
        return contact


def one_line_more(data, name, most=MOST_LINES):
    """Return posted data in which the formset of that name has one more form, up to `most`."""
    data = data.copy()
    count = data.get(f"{name}-TOTAL_FORMS", "")
    if count.isascii() and count.isdigit() and len(count) < 4:
        data[f"{name}-TOTAL_FORMS"] = str(min(int(count) + 1, most))
    return data


def _ways_to_name(person):
    organisation = person.organisation.name if person.organisation else ""
    return {plain(person.name), plain(f"{person.name}, {organisation}")}


def _insert_once(contact):
    """Insert a contact; return False if the form that made it was already saved."""
    try:
        with transaction.atomic():
            contact.save(force_insert=True)
    except IntegrityError:
        return False
    return True


class TagForm(forms.Form):
    """The name of a tag, as typed."""

    name = forms.CharField(
        max_length=60,
        error_messages={
            "required": "Write a word or two for the tag.",
            "max_length": "Keep a tag to 60 letters.",
        },
    )

    def clean_name(self):
        name = one_line(self.cleaned_data["name"])
        if not name:
            raise forms.ValidationError(self.fields["name"].error_messages["required"])
        return name


class TagEditForm(TagForm):
    """The name of a tag, and the rhythm it gives."""

    rhythm_days = RhythmField(
        label="Rhythm",
        help_text="For everybody with this tag who has no rhythm of their own.",
    )

    def __init__(self, tag, *args):
        self.tag = tag
        super().__init__(*args, initial={"name": tag.name, "rhythm_days": tag.rhythm_days})

    def clean_name(self):
        name = super().clean_name()
        others = Tag.objects.for_user(self.tag.owner_id).exclude(pk=self.tag.pk)
        if others.filter(name__iexact=name).exists():
            raise forms.ValidationError(
                f"You have a tag “{name}” already. Choose another name, or delete one of the two."
            )
        return name

    @transaction.atomic
    def save(self):
        """Save the tag; people, and the lists that are kept, are found by its new name."""
        self.tag.name = self.cleaned_data["name"]
        self.tag.rhythm_days = self.cleaned_data["rhythm_days"]
        self.tag.save(update_fields=["name", "rhythm_days"])
        if "name" in self.changed_data:
            self.tag.contacts.all().reindex()
            follow(self.tag, self.initial["name"])
