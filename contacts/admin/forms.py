"""What the actions on people ask before they begin."""

from copy import deepcopy
from functools import lru_cache

from django import forms
from django.forms.utils import flatatt
from django.utils.html import format_html, format_html_join

from contacts.admin.changes import PeopleForm
from contacts.bulk.edits import ADDED
from contacts.forms.people import (
    ContactForm,
    DayInput,
    RhythmField,
    RhythmInput,
    TopicsField,
    find_person,
)
from contacts.models import Contact, ContactTopic, Organisation, Tag, Topic
from netcrm.admin import BulkForm
from netcrm.wording import one_line

LISTED = 100
LONGEST_TAG = Tag._meta.get_field("name").max_length
FIELDS = (
    *("organisation", "role", "rhythm_days", "how_met", "introduced_by", "known_since"),
    *("seeks", "offers", "notes", "time_zone"),
)
# Typed as names, chosen from a list: not as the model has them.
WRITTEN = ("organisation", "introduced_by", "time_zone", "rhythm_days")
LINES = {name: forms.Textarea({"rows": 3, "cols": 60}) for name in ADDED}


class DatalistInput(forms.TextInput):
    """A text input that offers what is there already, and takes anything else too."""

    template_name = "admin/widgets/datalist.html"
    offers = ()

    def get_context(self, name, value, attrs):
        context = super().get_context(name, value, attrs)
        offered = f"{name}-offers"
        context["widget"]["attrs"]["list"] = offered
        return {**context, "offered": offered, "offers": self.offers}


class RowRhythmInput(RhythmInput):
    """The same, drawn without the templates of its parts: they would take two thirds of the time
    of a list with a hundred rows."""

    def render(self, name, value, attrs=None, renderer=None):
        offered, days = value if isinstance(value, list) else self.decompress(value)
        select, number = self.widgets
        attrs = self.build_attrs(self.attrs, attrs)
        at = attrs.pop("id", name)
        typed = {"type": "number", "name": f"{name}_days", "id": f"{at}_1"}
        typed |= number.attrs | ({} if days is None else {"value": days})
        return format_html(
            "<select{}>{}</select><input{}>",
            flatatt({"name": name, "id": f"{at}_0"} | select.attrs | attrs),
            _options(tuple(select.choices), str(offered)),
            flatatt(typed),
        )


@lru_cache(maxsize=64)
def _options(choices, chosen):
    drawn = (
        (flatatt({"value": key, "selected": str(key) == chosen}), label) for key, label in choices
    )
    return format_html_join("", "<option{}>{}</option>", drawn)


def names_of(model, owner):
    return model.objects.for_user(owner).values_list("name", flat=True)[:LISTED]


def one_topic(name):
    """Return the name of a topic, which has no comma: it divides topics everywhere else."""
    if "," in name:
        raise forms.ValidationError("Leave the comma out: it stands between two topics.")
    return one_line(name)


class TagForm(PeopleForm):
    name = forms.CharField(label="Tag", max_length=LONGEST_TAG, widget=DatalistInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.offers = names_of(Tag, self.owner)

    def asked(self):
        return {"tags": [one_line(self.cleaned_data["name"])]}


class UntagForm(PeopleForm):
    tag = forms.ModelChoiceField(Tag.objects.none(), empty_label=None)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["tag"].queryset = Tag.objects.for_user(self.owner)

    def asked(self):
        return {"untags": [self.cleaned_data["tag"].pk]}


class TopicForm(BulkForm):
    name = forms.CharField(label="Topic", max_length=100, widget=DatalistInput)

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["name"].widget.offers = names_of(Topic, self.owner)

    def clean_name(self):
        return one_topic(self.cleaned_data["name"])

    def topic(self):
        """Return the topic that was written, made if new."""
        [topic] = Topic.find_or_create(self.owner, [self.cleaned_data["name"]]).values()
        return topic


class SideForm(TopicForm, PeopleForm):
    side = forms.ChoiceField(label="They", choices=ContactTopic.Side)
    field_order = ("side", "name")

    def asked(self):
        return {"topics": {self.cleaned_data["side"]: [self.cleaned_data["name"]]}}


class RhythmForm(PeopleForm):
    rhythm = RhythmField()

    def asked(self):
        return {"fields": {"rhythm_days": self.cleaned_data["rhythm"]}}


class EditForm(PeopleForm):
    """Any set of fields, for all of them at once: the ticked ones are changed, and a ticked one
    that is empty is emptied. Tags and topics are given and taken beside those that are there."""

    nothing = "Tick what is to be changed, or say which tags or topics."
    not_ticked = "Tick this one too, or leave it empty."

    tags = forms.CharField(
        label="Give tags", required=False, help_text="With commas between them; new ones are made."
    )
    untags = forms.ModelMultipleChoiceField(
        Tag.objects.none(), label="Take tags", required=False, help_text="Ctrl or ⌘ for several."
    )
    seeks_topics = TopicsField(label="They seek", help_text="Topics, with commas between them.")
    offers_topics = TopicsField(label="They offer", help_text="Topics, with commas between them.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["untags"].queryset = Tag.objects.for_user(self.owner)
        for name, field in self._of_people().items():
            field.widget.attrs["aria-label"] = field.label
            self.fields[name] = field
            self.fields[f"set_{name}"] = forms.BooleanField(label=field.label, required=False)
            if name in ADDED:
                add = forms.BooleanField(label="Add it to what is there", required=False)
                self.fields[f"add_{name}"] = add

    def _of_people(self):
        """Return the fields of a person as the model has them, with choices of the owner."""
        fields = forms.fields_for_model(
            Contact,
            [name for name in FIELDS if name not in WRITTEN],
            widgets=LINES | {"known_since": DayInput},
        )
        fields["organisation"] = forms.CharField(
            max_length=200, required=False, label="Organisation", widget=DatalistInput
        )
        fields["organisation"].widget.offers = names_of(Organisation, self.owner)
        fields["introduced_by"] = forms.CharField(required=False, label="Introduced by")
        fields["rhythm_days"] = RhythmField(label="Rhythm")
        fields["time_zone"] = deepcopy(ContactForm.base_fields["time_zone"])
        fields["time_zone"].label = "Time zone"
        return {name: fields[name] for name in FIELDS}

    def rows(self):
        """Yield the tick, the field and the second tick of those that text may be added to."""
        for name in FIELDS:
            yield self[f"set_{name}"], self[name], self[f"add_{name}"] if name in ADDED else None

    def labels(self):
        return [self[name] for name in ("tags", "untags", "seeks_topics", "offers_topics")]

    def clean_tags(self):
        names = list(filter(None, map(one_line, self.cleaned_data["tags"].split(","))))
        if any(len(name) > LONGEST_TAG for name in names):
            raise forms.ValidationError(
                f"Keep a tag to {LONGEST_TAG} letters, and put a comma between two of them."
            )
        return list(dict.fromkeys(names))

    def clean_introduced_by(self):
        name = self.cleaned_data["introduced_by"]
        return find_person(self.owner, name).pk if name else None

    def clean(self):
        told = self.cleaned_data
        for name in FIELDS:
            if told.get(name) and not told[f"set_{name}"]:
                self.add_error(name, self.not_ticked)
        ticked = any(told[f"set_{name}"] for name in FIELDS)
        if not self.errors and not ticked and not any(told[field.name] for field in self.labels()):
            raise forms.ValidationError(self.nothing)

    def asked(self):
        told = self.cleaned_data
        ticked = [name for name in FIELDS if told[f"set_{name}"]]
        added = [name for name in ticked if told.get(f"add_{name}")]
        return {
            "fields": {name: told[name] for name in ticked if name not in added},
            "add": {name: told[name] for name in added},
            "tags": told["tags"],
            "untags": [tag.pk for tag in told["untags"]],
            "topics": {side: told[f"{side}_topics"] for side in ContactTopic.Side.values},
        }
