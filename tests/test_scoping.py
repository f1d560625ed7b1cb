"""Bob goes to every URL with Alice's ids, posts them into every field he can reach, and finds and
changes nothing of hers. The URLs come from the resolver: a new one is in it by itself."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from html.parser import HTMLParser

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import ADDITION, LogEntry
from django.db import connection, models, transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from phonenumber_field.modelfields import PhoneNumberField

from contacts.models import Contact
from followups.models import Break, FollowUp
from netcrm.admin import OwnedAdmin
from netcrm.models import User
from tests.conftest import client_of
from tests.factories import make_user

# Every row of Alice, in every table, has this id; every row of Bob has the other.
ALICES, BOBS = 777_001, 555_002
CANARY, FEATHER = "canary-of-alice", "feather-of-bob"
ID_PARAMETERS = {
    "contact_id",
    "tag_id",
    "follow_up_id",
    "action_id",
    "break_id",
    "playbook_id",
    "job_id",
    "row_id",
    "merge_id",
    "change_id",
    "view_id",
    "give_back_id",
    "item_id",
    "other_id",
    "introduction_id",
    "offer_id",
    "meeting_id",
    "question_id",
    "advice_id",
    "opportunity_id",
    "object_id",
}
# Parameters that are no id of a row: what stands in for them, for Alice and for Bob.
OTHER_PARAMETERS = {
    "mail_id": lambda world: world.letter,
    "batch": lambda world: Break.objects.get(owner=world.user).key,
    "id": lambda world: world.user.pk,
    "app_label": lambda world: "contacts",
    "url": lambda world: "nowhere",
}
# Who knows the secret in these may enter: they are the key itself, and name no row.
SECRETS = {"token", "key", "uidb36"}
# Open to everybody. Anything else sends an anonymous visitor to the login.
PUBLIC = {
    "healthz",
    "admin:login",
    "account_login",
    "account_signup",
    "account_inactive",
    "account_confirm_email",
    "account_email_verification_sent",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key",
    "account_reset_password_from_key_done",
    "account_confirm_login_code",
    "meetings:feed_file",
    "today:demo",
    "today:health",
    "today:mail_link",
    "today:mail_promise",
    "today:mail_unsubscribe",
}
# What must be different from the id that everything else has, since the database insists on it.
# Whatever a row may point to only instead of something else stays empty.
ELSE = {
    "Dismissed": lambda world: {"other_id": None},
    "Introduction": lambda world: {"target_id": None},
    "Meeting": lambda world: {"starts_at": timezone.now()},
    "NotSame": lambda world: {"other_id": world.second},
    "Offer": lambda world: {"other_id": world.second},
    "Opportunity": lambda world: dict.fromkeys(("interaction_id", "meeting_id", "introduction_id")),
}
STEPS = [
    {"wait": 1, "channel": "call", "hint": "{mark}"},
    {"wait": 1, "channel": "decide", "hint": "{mark}"},
]


def json_of(model, name, mark):
    """Return a JSON value that the pages can show, with the mark in every text of it."""
    if name == "steps":
        return [step | {"hint": mark} for step in STEPS]
    contact = {"do_not_contact": False, "last_interaction_on": None}
    before = {"contact": contact, "follow_ups": []}
    return {"before": before, "header": [], "details": []}.get(name, {})


@dataclass(frozen=True)
class Route:
    """A URL of the resolver: its name, its path with <parameters>, its view."""

    name: str
    path: str
    view: object

    @property
    def parameters(self):
        return re.findall(r"<(?:\w+:)?(\w+)>", self.path)

    def url(self, world):
        return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda part: world.value(part[1]), self.path)


def routes(entries=None, prefix="", namespace="") -> Iterator[Route]:
    """Give every route of the site."""
    for entry in get_resolver().url_patterns if entries is None else entries:
        path = prefix + readable(str(entry.pattern))
        if isinstance(entry, URLResolver):
            inner = f"{namespace}{entry.namespace}:" if entry.namespace else namespace
            yield from routes(entry.url_patterns, path, inner)
        elif isinstance(entry, URLPattern):
            name = f"{namespace}{entry.name}" if entry.name else path
            yield Route(name, path, entry.callback)


def readable(pattern):
    """Return a regular expression's pattern in the form of a path's: <parameter>."""
    if "(?P" not in pattern and not pattern.startswith("^"):
        return pattern
    pattern = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"<\1>", pattern)
    return pattern.removeprefix("^").removesuffix("$")


ROUTES = sorted(set(routes()), key=lambda route: route.name)
# All but those with a secret, and the health page, which is the same for all and asks the broker.
SCOPED = [r for r in ROUTES if not SECRETS & set(r.parameters) and r.name != "healthz"]


@dataclass
class World:
    """A person, one row of theirs in every table, and a text that stands in all of them."""

    user: User
    pk: int
    mark: str
    letter: str = ""

    @property
    def second(self):
        """The id of one more contact, for rows that join two; higher than everybody's first."""
        return self.pk + 1_000_000

    def value(self, parameter):
        if parameter in ID_PARAMETERS:
            return str(self.pk)
        if parameter in OTHER_PARAMETERS:
            return str(OTHER_PARAMETERS[parameter](self))
        if parameter in SECRETS:
            return "not-a-secret"
        raise AssertionError(
            f"No test knows what <{parameter}> is. Add it to ID_PARAMETERS in"
            " tests/test_scoping.py if it is the id of a row, else to OTHER_PARAMETERS."
        )


def notebook_models():
    """Return every model whose rows have an owner."""
    return [
        model
        for model in apps.get_models()
        if any(field.name == "owner" for field in model._meta.concrete_fields)
    ]


def filled(model, world):
    """Return a row with the world's mark in every field that holds text."""
    row = model(pk=world.pk, owner=world.user)
    for field in model._meta.concrete_fields:
        if not field.primary_key and field.name != "owner":
            fill(row, field, world)
    vars(row).update(ELSE.get(model.__name__, lambda world: {})(world))
    return row


def fill(row, field, world):
    if isinstance(field, models.ForeignKey):
        setattr(row, field.attname, world.pk)
    elif isinstance(field, models.JSONField):
        setattr(row, field.name, json_of(type(row), field.name, world.mark))
    elif isinstance(field, models.EmailField):
        setattr(row, field.name, f"{world.mark}@example.org")
    elif isinstance(field, models.URLField):
        setattr(row, field.name, f"https://{world.mark}.example.org/")
    elif isinstance(field, PhoneNumberField):
        setattr(row, field.name, "+436601234567")
    elif field.name == "time_zone":
        setattr(row, field.name, "Europe/Vienna")
    elif isinstance(field, models.CharField | models.TextField) and not field.choices:
        setattr(row, field.name, world.mark[: field.max_length])
    elif isinstance(field, models.DateField) and not field.null and not field.has_default():
        setattr(row, field.name, timezone.now())
    elif field.choices and not field.has_default() and not field.blank:
        setattr(row, field.name, field.choices[0][0])
    elif isinstance(field, models.IntegerField) and not field.null and not field.has_default():
        setattr(row, field.name, world.pk % 100)


def make_world(user, pk, mark, mail_dir):
    """Fill the notebook of a user: a row in every table that has an owner."""
    world = World(user, pk, mark)
    Contact.objects.create(pk=world.second, owner=user, name=mark)
    for model in notebook_models():
        model._base_manager.bulk_create([filled(model, world)])
    # Due today: its reminder is open, so it has no date of its own.
    FollowUp.objects.filter(pk=pk).update(ending="", next_on=None)
    for model in notebook_models():
        LogEntry.objects.log_actions(user.pk, model._base_manager.filter(pk=pk), ADDITION, mark)
    LogEntry.objects.filter(user=user).update(object_repr=mark)
    letter = EmailMessage()
    letter["To"], letter["Subject"] = user.email, mark
    letter.set_content(mark)
    letter.add_alternative(f"<p>{mark}</p>", subtype="html")
    raw = letter.as_bytes()
    (mail_dir / f"{mark}.log").write_bytes(raw)
    world.letter = hashlib.sha256(raw).hexdigest()[:24]
    return world


@pytest.fixture
def mail_dir(settings, tmp_path):
    settings.PERSONAL, settings.MAIL_DIR = True, tmp_path
    return tmp_path


@pytest.fixture
def hers(db, mail_dir):
    alice = make_user(f"{CANARY}@example.net", name=CANARY, pk=ALICES)
    return make_world(alice, ALICES, CANARY, mail_dir)


@pytest.fixture
def his(db, mail_dir):
    bob = make_user(f"{FEATHER}@example.net", name=FEATHER, pk=BOBS)
    return make_world(bob, BOBS, FEATHER, mail_dir)


@pytest.fixture
def visitor(his):
    return Visitor(his.user)


class Visitor:
    """Somebody in their browser. What they do is undone at once: each visit finds all as before."""

    def __init__(self, user):
        self.user = user
        self.cookies = client_of(user).cookies.output(header="", sep=";").strip()

    def visit(self, url, data=None, method="get", **headers):
        """Return the response and its text; raise IntegrityError where the database would."""
        client = Client(headers={"cookie": self.cookies.split(";")[0]})
        with transaction.atomic():
            response = getattr(client, method)(url, data or {}, headers=headers)
            text = b"".join(response) if response.streaming else response.content
            connection.check_constraints()
            transaction.set_rollback(True)
        return response, text.decode(response.charset, "replace").lower()


def notebook(user):
    """Return all that a user has, as one value to compare."""
    rows = {
        model.__name__: list(model._base_manager.filter(owner=user).order_by("pk").values())
        for model in notebook_models()
    }
    rows["User"] = list(User.objects.filter(pk=user.pk).values())
    rows["LogEntry"] = list(LogEntry.objects.filter(user=user).order_by("pk").values())
    return rows


# What is typed is text wherever it lands; ids travel in the other fields.
TYPED = {"text", "email", "url", "search", "date", "time", "tel", "password", "file"}


class Forms(HTMLParser):
    """Reads the forms of a page: address, method, fields with their values, and which are typed."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.select = [], None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            method = (given.get("method") or "get").lower()
            address = given.get("action") or ""
            self.forms.append({"url": address, "method": method, "fields": {}, "typed": set()})
        if not self.forms:
            return
        name, fields = given.get("name"), self.forms[-1]["fields"]
        if tag == "option" and self.select:
            if "selected" in given or self.select not in fields:
                fields[self.select] = given.get("value") or ""
        elif name and tag in {"input", "select", "textarea", "button"}:
            self.select = name if tag == "select" else None
            if tag != "select":
                fields.setdefault(name, given.get("value") or "")
            if tag == "textarea" or (tag == "input" and given.get("type", "text") in TYPED):
                self.forms[-1]["typed"].add(name)

    def handle_endtag(self, tag):
        if tag == "select":
            self.select = None


def forms_of(url, text):
    for form in Forms(text).forms:
        form["url"] = form["url"] or url
        form["fields"].pop("csrfmiddlewaretoken", None)
        yield form


def attacks(form, world):
    """Give the data of a form with somebody else's id in one field after the other."""
    for name in form["fields"].keys() - form["typed"]:
        yield form["fields"] | {name: str(world.pk)}


def is_alices(route):
    """Tell whether the address of a route names something of Alice's."""
    return bool(route.parameters) and not {"app_label", "url"} & set(route.parameters)


def test_the_routes_are_found():
    names = {route.name for route in ROUTES}
    assert {"today:today", "contacts:contact", "followups:undo", "admin:index"} <= names
    assert len([route for route in ROUTES if is_alices(route)]) > 40


# The long walks are cut in parts, so that several processes share them.
PARTS = [pytest.param(slice(part, None, 6), id=f"part-{part}") for part in range(6)]


@pytest.mark.parametrize("part", PARTS)
def test_her_ids_are_404_for_bob(part, hers, visitor):
    before = notebook(hers.user)
    for route in SCOPED[part]:
        url, codes = route.url(hers), set()
        for method in ("get", "post"):
            for headers in ({}, {"HX-Request": "true"}):
                response, text = visitor.visit(url, method=method, **headers)
                assert CANARY not in text.replace(url, ""), f"{method} {url}"
                assert response.status_code < 500, f"{method} {url}"
                codes.add(response.status_code)
        if is_alices(route):
            assert refused(route, codes), f"{url} answered {codes}"
    assert notebook(hers.user) == before


def refused(route, codes):
    """Tell whether the answers say nothing about the row: 404 to the method that the view takes,
    405 to the other. Lists that are closed to Bob altogether say 403, the admin's old addresses
    lead to the one that says 404."""
    if route.name == route.path:
        return codes <= {204, 302, 404}  # 204: the redirect in htmx's terms
    model_admin = getattr(route.view, "model_admin", None)
    if route.path.startswith("admin/") and not isinstance(model_admin, OwnedAdmin):
        return codes <= {403, 404}
    return 404 in codes and codes <= {404, 405}


def own_pages(world, visitor, part=slice(None)):
    """Give (route, url, response, text) of every page that the person can load."""
    for route in SCOPED[part]:
        url = route.url(world)
        response, text = visitor.visit(url)
        assert response.status_code < 500, url
        if response.status_code == 200:
            yield route, url, response, text


def test_bobs_own_pages_show_his_rows_and_none_of_hers(hers, his, visitor):
    showing = set()
    for route, url, _, text in own_pages(his, visitor):
        assert CANARY not in text, url
        if FEATHER in text:
            showing.add(route.name)
    assert {
        "today:today",
        "contacts:contact_list",
        "contacts:contact",
        "netcrm:mailbox_mail",
        "admin:index",
        "admin:contacts_contact_changelist",
        "admin:contacts_contact_change",
        "admin:contacts_contact_history",
        "admin:followups_followup_changelist",
    } <= showing


def test_reading_changes_nothing(his, visitor):
    before = notebook(his.user)
    client = client_of(his.user)
    for route in SCOPED:
        client.get(route.url(his))
        client.head(route.url(his))
    after = notebook(his.user)
    after["User"][0]["last_login"] = before["User"][0]["last_login"]
    assert after == before


@pytest.mark.parametrize("part", PARTS)
def test_her_ids_in_every_field_of_every_form(part, hers, his, visitor):
    before, seen, posted = notebook(hers.user), set(), 0
    for _, page, _, text in own_pages(his, visitor, part):
        for form in forms_of(page, text):
            shape = (form["url"], form["method"], frozenset(form["fields"]))
            if shape in seen or form["url"].startswith("http"):
                continue
            seen.add(shape)
            for data in attacks(form, hers):
                response, answer = visitor.visit(form["url"], data, form["method"])
                posted += 1
                assert response.status_code < 500, (form["url"], data)
                assert CANARY not in answer, (form["url"], data)
    assert posted > 50
    assert notebook(hers.user) == before


def admin_actions():
    for model, page in admin.site._registry.items():
        if isinstance(page, OwnedAdmin):
            yield from ((model, name) for name in page.actions or ())


@pytest.mark.parametrize(("model", "action"), list(admin_actions()))
def test_bulk_actions_reach_none_of_her_rows(model, action, hers, his, visitor):
    meta = model._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    before = notebook(hers.user)
    for across in (0, 1):
        chosen = {"action": action, "_selected_action": [ALICES, BOBS], "select_across": across}
        asked, text = visitor.visit(url, chosen | {"index": 0}, "post")
        assert asked.status_code in {200, 302}
        assert str(ALICES) not in text
        assert CANARY not in text  # A file tells names and no ids.
        asking = [form for form in forms_of(url, text) if "confirmed" in form["fields"]]
        if not asking:
            continue  # It answers at once, with a file or the way to another page.
        answers = asking[0]["fields"]
        kind = asked.context["form"].fields
        future = timezone.localdate().replace(year=timezone.localdate().year + 1)
        answers |= {name: str(future) for name in kind if name == "until"}
        answers |= {name: FEATHER for name in kind if name == "name"}
        done, _ = visitor.visit(url, answers | chosen | {"confirmed": "yes"}, "post")
        assert done.status_code == 302, done.context and done.context["form"].errors
    assert notebook(hers.user) == before


def autocompletes():
    for model in apps.get_models():
        for field in model._meta.get_fields():
            if field.is_relation and not field.auto_created and field.related_model:
                yield model._meta.app_label, model._meta.model_name, field.name


def test_autocomplete_offers_none_of_her_rows(hers, visitor):
    offered = 0
    for app_label, model_name, field_name in autocompletes():
        asked = {"app_label": app_label, "model_name": model_name, "field_name": field_name}
        for term in ("", "canary"):
            response, text = visitor.visit(reverse("admin:autocomplete"), asked | {"term": term})
            assert response.status_code in (200, 403, 404)
            assert CANARY not in text
            assert str(ALICES) not in text
            offered += response.status_code == 200
    assert offered > 5


def test_the_row_of_a_superuser_opens_no_other_notebook(hers, his):
    root = make_user("root@example.org", is_superuser=True, is_staff=True)
    superuser = Visitor(root)
    for route in SCOPED:
        _, text = superuser.visit(route.url(hers))
        if (
            "admin:netcrm_user" in route.name
            or "auth_user" in route.name
            or "app_label" in route.path
        ):
            continue  # accounts are theirs to manage: an address and a name, see tests/admin
        assert CANARY not in text.replace(route.url(hers), ""), route.name


def test_strangers_are_sent_to_the_login(hers):
    login = (reverse("account_login"), reverse("admin:login"))
    for route in SCOPED:
        for method in ("get", "post"):
            response = getattr(Client(), method)(route.url(hers))
            if route.name in PUBLIC:
                assert CANARY not in response.content.decode(), route.name
            elif response.status_code != 405:
                assert response.status_code == 302, f"{route.name} is not closed, nor in PUBLIC"
                assert response["Location"].startswith(login), route.name


def test_an_invented_secret_opens_nothing(hers):
    for route in ROUTES:
        if SECRETS & set(route.parameters):
            for method in ("get", "post"):
                response = getattr(Client(), method)(route.url(hers))
                assert route.name in PUBLIC, f"{route.name} is not in PUBLIC"
                assert response.status_code < 500
                assert CANARY not in response.content.decode()


@pytest.mark.parametrize("model", notebook_models(), ids=lambda model: model.__name__)
def test_the_canary_stands_in_every_row_that_holds_text(model, hers):
    """Else nothing above could fail."""
    texts = [
        field.name
        for field in model._meta.concrete_fields
        if type(field) in (models.CharField, models.TextField) and not field.choices
    ]
    row = model._base_manager.get(pk=ALICES)
    held = {name: getattr(row, name) for name in texts if name not in ("time_zone", "ending")}
    assert set(held.values()) <= {CANARY}
