"""The admin site: the bulk editor of one's own notebook. Everybody who is signed in may enter, and
finds their own rows there (netcrm.admin); only pages made for this site are let in."""

from collections import Counter

from django.contrib.admin import AdminSite, ModelAdmin, ShowFacets
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.paginator import Paginator
from django.db.models.deletion import Collector
from django.http import Http404
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.views.decorators.cache import never_cache

PAGES_AHEAD = 100
LAST_PAGE = 100_000


class LookAheadPaginator(Paginator):
    """Counts no further than a hundred pages past the one that is shown: a page of 100,000 rows
    comes at once, and its links still lead on."""

    def __init__(self, object_list, per_page, *args, page=1, **kwargs):
        super().__init__(object_list, per_page, *args, **kwargs)
        self.bound = (page - 1 + PAGES_AHEAD) * per_page

    @cached_property
    def count(self):
        return self.object_list.order_by()[: self.bound + 1].count()

    @property
    def more(self):
        """Tell whether there are more rows than were counted."""
        return self.count > self.bound


class SiteModelAdmin(ModelAdmin):
    """What all lists of this site share: no full counts, and a missing row is a 404."""

    paginator = LookAheadPaginator
    show_full_result_count = False
    show_facets = ShowFacets.NEVER
    list_per_page = list_max_show_all = 100
    delete_confirmation_max_display = 0

    def get_paginator(self, request, queryset, per_page, *args, **kwargs):
        page = request.GET.get("p") or request.GET.get("page") or ""
        page = min(int(page), LAST_PAGE) if page.isdecimal() else 1
        return self.paginator(queryset, per_page, *args, page=max(page, 1), **kwargs)

    def changelist_view(self, request, extra_context=None):
        title = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, title | (extra_context or {}))

    def get_object(self, request, object_id, from_field=None):
        """Return the row. Raise Http404 for one that is not there, or is somebody else's."""
        found = super().get_object(request, object_id, from_field)
        if found is None:
            raise Http404
        return found

    def view_on_site(self, obj):
        return obj.get_absolute_url() if hasattr(obj, "get_absolute_url") else None

    def get_deleted_objects(self, objs, request):
        """Say how many rows go along, and never list them: one may be deleting an account."""
        collector = Collector(using=self.model.objects.db, origin=objs)
        collector.collect(objs)
        counts = Counter()
        for model, rows in collector.data.items():
            counts[model._meta.verbose_name_plural] += len(rows)
        for rows in collector.fast_deletes:
            counts[rows.model._meta.verbose_name_plural] += rows.count()
        return [], +counts, set(), []


class NetcrmAdminSite(AdminSite):
    """Closed to what was not made for it: pages that other apps bring know nothing of owners."""

    site_title = "netcrm"
    site_header = "Bulk edit"
    index_title = "Your notebook, many rows at once"
    # Few lists, wide ones: their links stand in the header (templates/admin/base_site.html).
    enable_nav_sidebar = False

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # It would list every row, and post every id. netcrm.admin has one that scales.
        self.disable_action("delete_selected")

    def register(self, model_or_iterable, admin_class=None, **options):
        if admin_class and issubclass(admin_class, SiteModelAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def has_permission(self, request):
        return request.user.is_active and request.user.is_authenticated

    def get_urls(self):
        # "View on site" would tell whether any row of any table exists; lists link directly.
        urls = super().get_urls()
        return [url for url in urls if getattr(url, "name", None) != "view_on_site"]

    @method_decorator([never_cache, login_not_required])
    def login(self, request, extra_context=None):
        """There is one login, the app's: with its limits on wrong passwords."""
        target = request.GET.get("next") or reverse("admin:index")
        return redirect_to_login(target, reverse("account_login"))

    def logout(self, request, extra_context=None):
        return redirect("account_logout")

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")

    def password_change_done(self, request, extra_context=None):
        return redirect("admin:index")

    def get_log_entries(self, request):
        return super().get_log_entries(request).filter(user=request.user)
