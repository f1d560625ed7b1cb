"""Bulk edits of what is pursued. Everything that moves a follow-up goes through the engine
(followups.pursuing): a date set by hand could fall silent (rule 11)."""

import json
from collections import Counter

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import SimpleListFilter

from contacts.admin import ContactAdmin
from contacts.admin.changes import PeopleForm, begin, do
from contacts.forms.people import DayInput
from contacts.models import Contact
from followups import pursuing
from followups.bulk import EACH_DAY, MOST_EACH_DAY
from followups.models import (
    LAST_PURSUIT,
    Ending,
    FollowUp,
    Interaction,
    Playbook,
    PlaybookPreset,
    State,
    Via,
)
from followups.playbook_forms import fresh_slug
from netcrm.admin import (
    BulkForm,
    DeletingAdmin,
    OwnedAdmin,
    OwnedForm,
    SuperuserAdmin,
    bulk,
    how_many,
)

# In the lists of the rooms above, each row is one transaction of the engine: a few milliseconds.
ENGINE_LIMIT = 500
SENTENCES = 3


class DayForm(BulkForm):
    """Asks for a day to come, by the user's own calendar."""

    until = forms.DateField(widget=DayInput)

    def clean_until(self):
        until = self.cleaned_data["until"]
        if until and until <= self.owner.today():
            raise forms.ValidationError("Choose a day after today.")
        return until


class FollowUpForm(PeopleForm):
    """What an action on follow-ups asks: the arguments of a verb of followups.pursuing."""

    def asked(self):
        return {name: told for name, told in self.cleaned_data.items() if name != "key"}


class SnoozeForm(DayForm, FollowUpForm):
    pass


class PauseForm(SnoozeForm):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["until"].required = False
        self.fields["until"].help_text = "Leave it empty to pause until you resume."


class LessonForm(FollowUpForm):
    lesson = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 3}))


class RestForm(PauseForm, LessonForm):
    field_order = ("until", "lesson")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["until"].help_text = "Leave it empty to rest as long as each playbook says."


class NotNowForm(SnoozeForm, LessonForm):
    field_order = ("until", "lesson")


class EndForm(LessonForm):
    # "Not now" has a date and an action of its own; only the engine knows a supporter elsewhere.
    ending = forms.ChoiceField(
        label="How it ended",
        choices=[
            choice
            for choice in Ending.choices
            if choice[0] not in {Ending.NOT_NOW, Ending.SUPPORTED}
        ],
    )
    field_order = ("ending", "lesson")


class BeginForm(PeopleForm):
    playbook = forms.ModelChoiceField(Playbook.objects.none(), empty_label=None)
    each_day = forms.IntegerField(
        label="People a day",
        min_value=1,
        max_value=MOST_EACH_DAY,
        initial=EACH_DAY,
        help_text="Their first tries are spread over the coming work days.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["playbook"].queryset = Playbook.objects.for_user(self.owner)

    def asked(self):
        told = self.cleaned_data
        return {"playbook": told["playbook"].pk, "each_day": told["each_day"]}


def for_each(rows, verb):
    """Do one verb of the engine for each row; return those that were done, and a Counter of the
    sentences why others could not be."""
    done, refused = [], Counter()
    for row in rows:
        try:
            verb(row)
        except pursuing.CannotDo as error:
            refused[str(error)] += 1
        else:
            done.append(row)
    return done, refused


def also(model_admin, refused):
    """Say how many rows stayed as they were, and why."""
    if not refused:
        return ""
    reasons = [sentence for sentence, _ in refused.most_common(SENTENCES)]
    return f" {how_many(model_admin, refused.total())} left as before: {' '.join(reasons)}"


def move(request, verb, form, follow_ups):
    """Do one verb of followups.bulk with chosen follow-ups, and say what came of it."""
    chosen = dict(follow_ups.values_list("pk", "contact"))
    asked = form.asked() | {"follow_ups": list(chosen)}
    do(request, verb, asked, chosen.values(), form.once)


class PursuitFilter(SimpleListFilter):
    title, parameter_name = "follow-up", "follow_up"

    def lookups(self, request, model_admin):
        return [
            ("due", "Due now"),
            ("waiting", "Waiting on them"),
            ("resting", "Resting"),
            ("none", "Nothing under way"),
        ]

    def queryset(self, request, queryset):
        match self.value():
            case "due":
                return queryset.due()
            case "waiting":
                return queryset.waiting_on_them(request.user.today())
            case "resting":
                return queryset.resting()
            case "none":
                pursued = FollowUp.objects.for_user(request.user).open()
                return queryset.exclude(pk__in=pursued.order_by().values("contact"))
        return queryset


admin.site.unregister(Contact)


@admin.register(Contact)
class PursuedContactAdmin(ContactAdmin):
    """The contacts' list, with what this room knows about them."""

    list_filter = (PursuitFilter, *ContactAdmin.list_filter)
    actions = ("start_playbook", "do_not_contact", *ContactAdmin.actions)

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        if "do_not_contact" in form.changed_data and form.instance.do_not_contact:
            pursuing.set_do_not_contact(form.instance, via=Via.ADMIN)

    @bulk("Start a playbook…", BeginForm, "Start it", None)
    def start_playbook(self, request, people, form):
        begin(request, "begin", form, people)

    @bulk(
        "Mark as do not contact…",
        PeopleForm,
        "Mark them",
        None,
        "Everything that is under way with them ends.",
    )
    def do_not_contact(self, request, people, form):
        begin(request, "leave_alone", form, people)


class StandingFilter(SimpleListFilter):
    """Where a follow-up stands; leaves those that ended out unless asked."""

    title, parameter_name = "standing", "standing"

    def lookups(self, request, model_admin):
        return [
            ("due", "Due now"),
            ("coming", "On a day to come"),
            (State.PAUSED, "Paused"),
            (State.RESTING, "Resting"),
            (State.ENDED, "Ended"),
            ("all", "All"),
        ]

    def choices(self, changelist):
        under_way, *others = super().choices(changelist)
        return [under_way | {"display": "Under way"}, *others]

    def queryset(self, request, queryset):
        match self.value():
            case None:
                return queryset.open()
            case "due":
                return queryset.filter(state=State.ACTIVE, next_on=None)
            case "coming":
                return queryset.filter(state=State.ACTIVE, next_on__isnull=False)
            case State.PAUSED | State.RESTING | State.ENDED as state:
                return queryset.filter(state=state)
        return queryset


class PlaybookFilter(SimpleListFilter):
    title, parameter_name = "playbook", "playbook"

    def lookups(self, request, model_admin):
        return Playbook.objects.for_user(request.user).values_list("slug", "name")[:100]

    def queryset(self, request, queryset):
        return queryset.filter(playbook__slug=self.value()) if self.value() else queryset


class OfContactAdmin(OwnedAdmin):
    """Rows of a contact: found by what is known about the contact."""

    search_fields = ("contact__search_text",)
    search_help_text = "Name, role, organisation, e-mail address or tag of the person"
    list_select_related = ("contact",)

    def get_search_results(self, request, queryset, search_term):
        if search_term:
            found = Contact.objects.for_user(request.user).search(search_term)
            queryset = queryset.filter(contact__in=found.order_by().values("pk"))
        return queryset, False

    def has_add_permission(self, request, obj=None):
        return False


@admin.register(FollowUp)
class FollowUpAdmin(OfContactAdmin, DeletingAdmin):
    """Dates and states are shown here, and moved by the actions."""

    list_display = (
        "contact",
        "name",
        "state",
        "next_on",
        "reason",
        "step_of",
        "attempts",
        "purpose",
        "lesson",
    )
    list_editable = ("purpose", "lesson")
    list_filter = (StandingFilter, PlaybookFilter, "ending")
    ordering = ("next_on", "id")
    sortable_by = ("next_on", "attempts")
    fields = (
        "contact",
        "name",
        "state",
        "ending",
        "next_on",
        "reason",
        "step_of",
        "attempts",
        "opened_on",
        "ended_on",
        "purpose",
        "lesson",
    )
    readonly_fields = fields[:-2]
    actions = ("pause", "resume", "snooze", "not_now", "rest", "end", *DeletingAdmin.actions)

    def get_changelist_form(self, request, **kwargs):
        lines = forms.Textarea(attrs={"rows": 2, "cols": 24})
        return super().get_changelist_form(
            request, widgets={"purpose": lines, "lesson": lines}, **kwargs
        )

    @admin.display(description="step")
    def step_of(self, follow_up):
        return f"{min(follow_up.step + 1, len(follow_up.steps))} of {len(follow_up.steps)}"

    @bulk("Pause…", PauseForm, "Pause them", None)
    def pause(self, request, rows, form):
        move(request, "pause", form, rows)

    @bulk("Resume…", FollowUpForm, "Resume them", None)
    def resume(self, request, rows, form):
        move(request, "resume", form, rows)

    @bulk("Snooze until…", SnoozeForm, "Snooze them", None)
    def snooze(self, request, rows, form):
        move(request, "snooze", form, rows)

    @bulk("Not now, ask again…", NotNowForm, "Ask again then", None)
    def not_now(self, request, rows, form):
        move(request, "not_now", form, rows)

    @bulk("Let it rest…", RestForm, "Let them rest", None)
    def rest(self, request, rows, form):
        move(request, "rest", form, rows)

    @bulk("End…", EndForm, "End them", None)
    def end(self, request, rows, form):
        move(request, "end", form, rows)


@admin.register(Interaction)
class InteractionAdmin(OfContactAdmin):
    """What happened. Notes may be improved; the rest moved follow-ups and stays as it was."""

    list_display = ("contact", "on", "channel", "direction", "outcome", "note")
    list_editable = ("note",)
    list_filter = ("channel", "direction", "outcome")
    sortable_by = ("on",)
    fields = ("contact", "on", "channel", "direction", "outcome", "note")
    readonly_fields = fields[:-1]
    actions = None

    def get_changelist_form(self, request, **kwargs):
        widgets = {"note": forms.Textarea(attrs={"rows": 2, "cols": 40})}
        return super().get_changelist_form(request, widgets=widgets, **kwargs)

    def has_delete_permission(self, request, obj=None):
        return False


class StepsField(forms.JSONField):
    """The steps of a playbook, one a line."""

    widget = forms.Textarea(attrs={"rows": 10, "class": "vLargeTextField steps"})

    def prepare_value(self, value):
        if not isinstance(value, list):
            return super().prepare_value(value)
        lines = ",\n  ".join(json.dumps(step, ensure_ascii=False) for step in value)
        return f"[\n  {lines}\n]"


class PlaybookRuleForm(forms.ModelForm):
    steps = StepsField(
        help_text="Each step waits, then uses a channel: call, email or message. The last one asks"
        " to “decide”, or has “repeat”: true. “wait” counts business days unless “unit” is"
        " “days” or “months”.",
        error_messages={
            "invalid": "That is not a list of steps. Compare it with another playbook."
        },
    )
    rest_days = forms.IntegerField(label="Wake after (days)", min_value=1, max_value=3650)


class OwnPlaybookForm(PlaybookRuleForm, OwnedForm):
    pass


@admin.register(Playbook)
class PlaybookAdmin(DeletingAdmin):
    """One's own playbooks. Editing one changes new follow-ups only (rule 10)."""

    form = OwnPlaybookForm
    list_display = ("name", "source", "rest_days")
    search_fields = ("name",)
    fields = ("name", "source", "steps", "ends_on_answer", "cold", "rest_days")

    def save_model(self, request, obj, form, change):
        if not change:
            obj.slug = fresh_slug(obj.name)
        super().save_model(request, obj, form, change)

    @bulk(
        "Delete…",
        button="Delete them",
        limit=2000,
        warning="Follow-ups that are under way with them go on with the steps they began with.",
    )
    def delete_rows(self, request, rows, form):
        """Delete playbooks, but keep one that a first unanswered try can begin (rule 1)."""
        kept = Playbook.objects.for_user(request.user).filter(ends_on_answer=True)
        if not kept.exclude(pk__in=rows).exists():
            self.message_user(request, LAST_PURSUIT, messages.ERROR)
            return "Nothing was deleted."
        return self.delete_all(request, rows)

    def has_delete_permission(self, request, obj=None):
        return obj is None or not obj.is_last_pursuit()


@admin.register(PlaybookPreset)
class PlaybookPresetAdmin(SuperuserAdmin):
    """What new accounts get a copy of."""

    form = PlaybookRuleForm
    list_display = ("name", "slug", "source", "rest_days")
    fields = ("name", "slug", "source", "steps", "ends_on_answer", "cold", "rest_days")
