"""The parts that every room's bulk editor is made of, and the accounts for superusers."""

from functools import wraps

from allauth.account.models import EmailAddress
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import model_ngettext
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm, UserChangeForm
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import transaction
from django.forms import ModelForm
from django.template.response import TemplateResponse

from netcrm.admin_site import SiteModelAdmin
from netcrm.models import User
from netcrm.owned import Owned

BULK_LIMIT = 10_000


class OwnedForm(ModelForm):
    """The form of a row: a new one belongs to the person who is signed in (`owner`, set by the
    admin), and the rules of the database are asked before the database has to refuse."""

    owner: User

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            self.instance.owner = self.owner

    def _get_validation_exclusions(self):
        # Django leaves out rules about fields that the form lacks. The owner is known all the
        # same; the key (owner, id) cannot be wrong.
        return super()._get_validation_exclusions() - {"owner"} | {"id"}

    def _post_clean(self):
        # In a list of a hundred rows, those that nobody touched ask the database nothing.
        if self.has_changed():
            super()._post_clean()


class OwnedRows:
    """Shows a person their own rows and nobody else's, superusers included."""

    form = OwnedForm

    def get_queryset(self, request):
        return super().get_queryset(request).for_user(request.user)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        return super().formfield_for_foreignkey(
            db_field, request, **self._own_choices(db_field, request), **kwargs
        )

    def formfield_for_manytomany(self, db_field, request, **kwargs):
        return super().formfield_for_manytomany(
            db_field, request, **self._own_choices(db_field, request), **kwargs
        )

    def _own_choices(self, db_field, request):
        model = db_field.remote_field.model
        if not issubclass(model, Owned):
            return {}
        return {"queryset": model.objects.for_user(request.user)}

    def has_view_permission(self, request, obj=None):
        return True

    def has_add_permission(self, request, obj=None):
        return True

    def has_change_permission(self, request, obj=None):
        return True

    def has_delete_permission(self, request, obj=None):
        return True


class OwnedInline(OwnedRows, admin.TabularInline):
    extra = 0

    def get_formset(self, request, obj=None, **kwargs):
        formset = super().get_formset(request, obj, **kwargs)
        formset.form.owner = request.user
        return formset


class OwnedAdmin(OwnedRows, SiteModelAdmin):
    def has_module_permission(self, request):
        return True

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.owner = request.user
        return form

    def get_changelist_form(self, request, **kwargs):
        form = super().get_changelist_form(request, form=self.form, **kwargs)
        form.owner = request.user
        return form

    def lookup_allowed(self, lookup, value, request):
        return not lookup.startswith("owner") and super().lookup_allowed(lookup, value, request)

    def save_model(self, request, obj, form, change):
        """Save what was edited by name: everything else may have moved on meanwhile."""
        if not change:
            return obj.save()
        columns = obj._meta.concrete_fields
        edited = [field.name for field in columns if field.name in form.changed_data]
        if edited:
            stamps = [field.name for field in columns if getattr(field, "auto_now", False)]
            obj.save(update_fields=edited + stamps)

    def log_changes(self, request, rows, message):
        """Write an entry for each row into its history."""
        LogEntry.objects.log_actions(request.user.pk, rows, CHANGE, message)


class BulkForm(forms.Form):
    """What an action asks before it begins."""

    def __init__(self, owner, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.owner = owner


def bulk(
    label,
    form_class=BulkForm,
    button="Go ahead",
    limit=BULK_LIMIT,
    warning="",
    template="admin/bulk_action.html",
):
    """Make a method an action of a list that first asks, on a page of its own.

    The method gets the request, the chosen rows and the valid form, and returns the sentence that
    says what happened, or None or a response if it has said so itself. Rows chosen across pages
    are chosen again by the same filters, so that no page carries thousands of ids; more than
    `limit` are refused. Without a limit the rows are the list's own query, however many.
    """

    def decorate(method):
        @wraps(method)
        def action(self, request, queryset):
            chosen = queryset.order_by().values_list("pk", flat=True).distinct()
            if limit is not None:
                chosen = list(chosen[: limit + 1])
                if len(chosen) > limit:
                    self.message_user(request, _too_many(self, limit), messages.ERROR)
                    return None
                queryset = self.get_queryset(request).filter(pk__in=chosen)
            form = form_class(request.user, request.POST if "confirmed" in request.POST else None)
            if not form.is_valid():
                return _ask(self, request, form, chosen)
            done = method(self, request, queryset, form)
            if isinstance(done, str):
                self.message_user(request, done, messages.SUCCESS)
                return None
            return done

        def _ask(self, request, form, chosen):
            request.current_app = self.admin_site.name
            across = request.POST.get("select_across") == "1"
            context = {
                **self.admin_site.each_context(request),
                "title": label.removesuffix("…"),
                "opts": self.opts,
                "form": form,
                "chosen": how_many(self, len(chosen) if limit is not None else chosen.count()),
                "warning": warning,
                "button": button,
                "action": method.__name__,
                "select_across": int(across),
                "checkbox": ACTION_CHECKBOX_NAME,
                "selected": chosen[:1] if across else chosen,
            }
            status = 422 if form.is_bound else 200
            return TemplateResponse(request, template, context, status=status)

        action.short_description = label
        return action

    return decorate


def how_many(model_admin, count):
    """Return a number of rows in words: 1 contact, 1,200 contacts."""
    return f"{intcomma(count)} {model_ngettext(model_admin.opts, count)}"


def _too_many(model_admin, limit):
    most = how_many(model_admin, limit)
    return f"Choose up to {most} at once. A filter or a search narrows the list."


class DeletingAdmin(OwnedAdmin):
    """A list whose rows may be deleted, many at once too."""

    actions: tuple[str, ...] = ("delete_rows",)

    @bulk(
        "Delete…",
        button="Delete them",
        limit=2000,
        warning="What belongs to them goes too. This cannot be undone.",
    )
    def delete_rows(self, request, rows, form):
        return self.delete_all(request, rows)

    def delete_all(self, request, rows):
        """Delete rows, with an entry for each in the history; return what to say."""
        with transaction.atomic():
            rows = list(rows)
            self.log_deletions(request, rows)
            self.delete_queryset(request, self.model.objects.filter(pk__in=[r.pk for r in rows]))
        return f"Deleted {how_many(self, len(rows))}."


class SearchedAdmin(DeletingAdmin):
    """A list that is searched as the app searches it, by the search() of its QuerySet."""

    # Without one Django would show nothing to search with.
    search_fields: tuple[str, ...] = ("pk",)

    def get_search_results(self, request, queryset, search_term):
        return queryset.search(search_term), False


class SuperuserAdmin(SiteModelAdmin):
    """What belongs to the installation, not to a notebook."""

    def _is_superuser(self, request, obj=None):
        return request.user.is_superuser

    has_module_permission = has_view_permission = has_add_permission = _is_superuser
    has_change_permission = has_delete_permission = _is_superuser


class OneSpelling:
    """An address is kept in lower case, as the login looks for it."""

    def clean_email(self):
        email = self.cleaned_data["email"].lower()
        if User.objects.filter(email__iexact=email).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("There is an account with that address already.")
        return email


class AccountCreationForm(OneSpelling, AdminUserCreationForm):
    class Meta:
        model = User
        fields = ("email", "name")


class AccountForm(OneSpelling, UserChangeForm):
    pass


@admin.register(User)
class AccountAdmin(SuperuserAdmin, UserAdmin):
    """Accounts, without a look into anybody's notebook."""

    form = AccountForm
    add_form = AccountCreationForm
    list_display = ("email", "name", "is_active", "is_superuser", "date_joined", "last_login")
    list_filter = ("is_active", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email",)
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "name", "password")}),
        ("Rights", {"fields": ("is_active", "is_superuser")}),
        ("Dates", {"fields": ("date_joined", "last_login")}),
    )
    add_fieldsets = (
        (None, {"fields": ("email", "name", "usable_password", "password1", "password2")}),
    )
    readonly_fields = ("date_joined", "last_login")

    def get_readonly_fields(self, request, obj=None):
        # Nobody locks themselves out.
        own = ("is_active", "is_superuser") if obj == request.user else ()
        return (*self.readonly_fields, *own)

    def has_delete_permission(self, request, obj=None):
        return super().has_delete_permission(request, obj) and obj != request.user

    @transaction.atomic
    def save_model(self, request, obj, form, change):
        """Keep the address that the login knows in step with the account's."""
        obj.is_staff = obj.is_superuser
        super().save_model(request, obj, form, change)
        if not change or "email" in form.changed_data:
            EmailAddress.objects.filter(user=obj).delete()
            EmailAddress.objects.create(user=obj, email=obj.email, primary=True, verified=False)
