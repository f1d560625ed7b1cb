import uuid
from datetime import timedelta

from django import forms
from django.db import IntegrityError, transaction

from contacts.forms.people import DayInput, TopicsField, find_person
from contacts.models import plain
from giveback import giving
from giveback.models import GiveBack, Kind, ShelfItem, ShelfKind
from netcrm.wording import one_line

NAME_LIST = {"list": "people", "autocomplete": "off", "placeholder": "Start typing a name"}
NO_ADDRESS = "Write a web address, such as https://example.org, or leave this empty."
LONGEST_PROMISE = timedelta(days=3650)


class PersonField(forms.CharField):
    """Somebody in the notebook of the form's owner, by name. `preset` is who is meant while the
    name stays as it is, whoever else is called the same."""

    def __init__(self, **kwargs):
        widget = forms.TextInput(attrs=NAME_LIST)
        super().__init__(max_length=400, widget=widget, **kwargs)
        self.owner = self.preset = None

    def clean(self, value):
        name = one_line(super().clean(value))
        if not name:
            return None
        if self.preset and plain(name) == plain(self.preset.name):
            return self.preset
        return find_person(self.owner, name)


class GiftForm(forms.ModelForm):
    """What a gift is."""

    class Meta:
        model = GiveBack
        fields = ["kind", "what", "url", "note"]
        labels = {
            "kind": "What kind of thing is it?",
            "what": "What is it?",
            "note": "A line about it",
        }
        widgets = {
            "kind": forms.RadioSelect,
            "what": forms.TextInput(attrs={"autocomplete": "off"}),
            "url": forms.URLInput(attrs={"type": "text", "inputmode": "url"}),
            "note": forms.Textarea(attrs={"rows": 2}),
        }
        error_messages = {
            "kind": {"required": "Choose what kind of thing it is."},
            "what": {"required": "Write in a few words what it is."},
            "url": {"invalid": NO_ADDRESS},
        }

    def clean_what(self):
        return one_line(self.cleaned_data["what"])

    @transaction.atomic
    def save(self):
        """Save the gift; its line stands in the story too, once it was given."""
        self.instance.save(update_fields=list(self.fields))
        if "note" in self.changed_data:
            self.instance.retell()
        return self.instance


class NewGiftForm(GiftForm):
    """A gift and who it is for. The same form sent twice is one gift: `key` tells."""

    who = PersonField(label="For whom?", error_messages={"required": "Write a name."})
    on = forms.DateField(label="Day", required=False, widget=DayInput())
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, owner, data=None, contact=None, initial=None):
        self.today = owner.today()
        known = {"key": uuid.uuid4(), "who": contact and contact.name, "kind": Kind.ARTICLE}
        super().__init__(data, instance=GiveBack(owner=owner), initial=known | (initial or {}))
        self.fields["who"].owner, self.fields["who"].preset = owner, contact
        blank = [name for name in ("who", "what") if not self.initial.get(name)]
        for name in blank[:1]:
            self.fields[name].widget.attrs["autofocus"] = True

    def person(self):
        """Return the contact of the valid form, with the owner who knows the day."""
        contact = self.cleaned_data["who"]
        contact.owner = self.instance.owner
        return contact

    def details(self, *names):
        return {name: self.cleaned_data[name] for name in ("kind", "what", "note", "key", *names)}

    def past_day(self):
        """Return the day on which it happened: today unless another one was chosen."""
        on = self.cleaned_data.get("on") or self.today
        if on > self.today:
            self.add_error("on", "That day has not come yet.")
        return on


class GiveForm(NewGiftForm):
    """Give something: now, by a day, or one day."""

    GIVEN, PROMISED, IDEA = "given", "promised", "idea"
    WHEN = [(GIVEN, "I gave it"), (PROMISED, "I promised it"), (IDEA, "Just an idea")]
    when = forms.ChoiceField(
        label="How far is it?",
        choices=WHEN,
        initial=GIVEN,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose how far it is."},
    )
    item = forms.ModelChoiceField(
        ShelfItem.objects.none(), required=False, widget=forms.HiddenInput
    )
    field_order = ["who", "kind", "what", "url", "note", "when", "on"]

    def __init__(self, owner, data=None, contact=None, item=None):
        super().__init__(owner, data, contact, _from_shelf(item) if item else None)
        self.fields["item"].queryset = ShelfItem.objects.for_user(owner)
        self.fields["on"].help_text = "When you gave it, or the day by which you promised it."

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("when") == self.GIVEN:
            cleaned["on"] = self.past_day()
        elif cleaned.get("when") == self.PROMISED and "on" not in self.errors:
            on = cleaned["on"]
            if on is None:
                self.add_error("on", "By which day? A promise has a date, and any day will do.")
            elif not self.today <= on <= self.today + LONGEST_PROMISE:
                self.add_error("on", "Choose today or a day to come, within ten years.")
        return cleaned

    def save(self):
        """Do what the valid form says; return the gift."""
        contact, details, on = (
            self.person(),
            self.details("url", "item"),
            self.cleaned_data["on"],
        )
        match self.cleaned_data["when"]:
            case self.GIVEN:
                return giving.give(contact, on=on, **details)
            case self.PROMISED:
                return giving.promise(contact, due_on=on, **details)
        return giving.have_idea(contact, **details)


def _from_shelf(item):
    """Return how a gift from the shelf begins."""
    return {"kind": item.gift_kind, "what": item.title, "url": item.url, "item": item}


class ReceiveForm(NewGiftForm):
    """They gave me something."""

    field_order = ["who", "kind", "what", "note", "on"]

    class Meta(GiftForm.Meta):
        fields = ["kind", "what", "note"]

    def __init__(self, owner, data=None, contact=None):
        super().__init__(owner, data, contact, {"kind": Kind.ADVICE, "on": owner.today()})
        self.fields["who"].label = "From whom?"
        self.fields["on"].label = "When"

    def clean(self):
        cleaned = super().clean()
        cleaned["on"] = self.past_day()
        return cleaned

    def save(self):
        """Note it; return the gift."""
        return giving.receive(self.person(), on=self.cleaned_data["on"], **self.details())


class ShelfForm(forms.ModelForm):
    """Something that can be given again and again, and what it is about."""

    topics = TopicsField(
        label="Topics",
        help_text="A comma between two. Whoever looks for one of them comes up under Giving back.",
    )
    who = PersonField(
        label="Who is it?",
        required=False,
        help_text="If they are in your notebook.",
    )
    key = forms.UUIDField(widget=forms.HiddenInput)
    field_order = ["kind", "title", "who", "url", "text", "topics"]

    class Meta:
        model = ShelfItem
        fields = ["kind", "title", "url", "text"]
        labels = {"kind": "What is it?", "title": "What do you call it?"}
        widgets = {
            "kind": forms.RadioSelect,
            "title": forms.TextInput(attrs={"autocomplete": "off"}),
            "url": forms.URLInput(attrs={"type": "text", "inputmode": "url"}),
            "text": forms.Textarea(attrs={"rows": 4}),
        }
        error_messages = {
            "kind": {"required": "Choose what it is."},
            "title": {"required": "Write a title. A few words will do."},
            "url": {"invalid": NO_ADDRESS},
        }

    def __init__(self, data=None, *, instance):
        initial = {"key": instance.key}
        if instance.pk:
            initial["topics"] = list(instance.topics.all())
        if instance.contact:
            initial["who"] = instance.contact.name
        super().__init__(data, instance=instance, initial=initial)
        self.fields["who"].owner = instance.owner
        self.fields["who"].preset = instance.contact

    def clean_title(self):
        return one_line(self.cleaned_data["title"])

    @transaction.atomic
    def save(self):
        """Save it with its topics and return it; the same form twice makes one."""
        item = self.instance
        is_person = self.cleaned_data["kind"] == ShelfKind.PERSON
        item.contact = self.cleaned_data["who"] if is_person else None
        if item.pk:
            item.save(update_fields=[*self._meta.fields, "contact"])
        else:
            item.key = self.cleaned_data["key"]
            try:
                with transaction.atomic():
                    item.save(force_insert=True)
            except IntegrityError:
                return ShelfItem.objects.get(owner=item.owner, key=item.key)
        item.set_topics(self.cleaned_data["topics"])
        return item
