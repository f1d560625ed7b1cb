"""What must be true of the whole project: fences in the database, names that agree, layers, no
forgotten migration, settings that are closed, templates without inline code."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.apps import apps
from django.db import IntegrityError, connection, models, transaction
from django.template import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import URLResolver, get_resolver
from django.utils import timezone

from followups.models import Reminder
from netcrm.owned import Owned, SameOwner
from tests.factories import make_user
from tests.test_scoping import ALICES, BOBS, CANARY, FEATHER, make_world

ROOT = Path(__file__).resolve().parent.parent
ROOMS = (
    "netcrm",
    "contacts",
    "followups",
    "giveback",
    "introductions",
    "meetings",
    "opportunities",
    "today",
)
# Rows of the installation itself, and the users: all others belong to one notebook.
UNOWNED = {"User", "Heartbeat", "Mail", "PlaybookPreset"}
PRODUCTION = {
    "SECRET_KEY": "aeNgiez3ohsh-ooYa7ahqu-ohV3eiYi-chee9iGh-Ohs5Ieth-Wae8",
    "SITE_URL": "https://netcrm.example",
    "ALLOWED_HOSTS": "netcrm.example",
    "MAIL_URL": "smtp+tls://netcrm:password@mail.netcrm.example:587",
    "DEBUG": "false",
    "PERSONAL": "false",
}


TEMPLATES = [
    path
    for path in sorted((ROOT / "templates").rglob("*.html"))
    # Mails bring their styles inline: their readers know no other way.
    if not {"email", "mail"} & set(path.relative_to(ROOT).parts)
]


def our_models():
    return [model for room in ROOMS for model in apps.get_app_config(room).get_models()]


def manage(*arguments, **environment):
    """Run a command of manage.py; return its exit code and all it said."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )
    return done.returncode, done.stdout + done.stderr


# ---- one owner ----


def test_every_model_belongs_to_a_notebook_or_is_declared():
    unowned = {model.__name__ for model in our_models() if not issubclass(model, Owned)}
    unowned -= {"EmailAddress"}
    assert unowned == UNOWNED, "Inherit from netcrm.owned.Owned, or say in UNOWNED why not."


def fences():
    """Give (model, field) for every foreign key of an owned model to another one."""
    for model in our_models():
        for field in model._meta.concrete_fields if issubclass(model, Owned) else ():
            if isinstance(field, models.ForeignKey) and issubclass(field.related_model, Owned):
                yield pytest.param(model, field, id=f"{model.__name__}.{field.name}")


@pytest.mark.parametrize(("model", "field"), list(fences()))
def test_every_foreign_key_is_fenced(model, field):
    fenced = {c.field for c in model._meta.constraints if isinstance(c, SameOwner)}
    assert field.name in fenced, f'Add SameOwner(field="{field.name}", …) to {model.__name__}.'


@pytest.fixture
def worlds(db, tmp_path):
    """A row of Alice and one of Bob in every table."""
    alice, bob = make_user("alice@example.org", pk=ALICES), make_user("bob@example.org", pk=BOBS)
    make_world(alice, ALICES, CANARY, tmp_path)
    make_world(bob, BOBS, FEATHER, tmp_path)
    # Two open ones of the same follow-up would be refused for that reason first.
    Reminder.objects.filter(pk=BOBS).update(closed_at=timezone.now())


def change(rows, **columns):
    """Change rows behind the models' back, and let the database judge."""
    with transaction.atomic():
        rows.update(**columns)
        connection.check_constraints()


@pytest.mark.parametrize(("model", "field"), list(fences()))
def test_the_database_refuses_somebody_elses_row(model, field, worlds):
    bobs = model._base_manager.filter(pk=BOBS)
    assert bobs.count() == 1
    if isinstance(field, models.OneToOneField):
        # Else the row would be refused because hers has it already.
        model._base_manager.filter(pk=ALICES).delete()
    fence = next(c.name for c in model._meta.constraints if getattr(c, "field", 0) == field.name)
    with pytest.raises(IntegrityError, match=fence):
        change(bobs, **{field.attname: ALICES})
    with pytest.raises(IntegrityError):
        change(bobs, owner=ALICES)


# ---- migrations, settings, layers ----


@pytest.mark.django_db
def test_no_migration_is_missing():
    code, said = manage("makemigrations", "--check", "--dry-run")
    assert code == 0, said


def test_a_server_on_the_internet_has_nothing_to_warn_about():
    code, said = manage("check", "--deploy", "--fail-level", "WARNING", **PRODUCTION)
    assert code == 0, said


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"])
def test_settings_fail_loudly_without(missing):
    environment = {key: value for key, value in os.environ.items() if key != missing}
    done = subprocess.run(
        [sys.executable, "-c", "import netcrm.settings"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode != 0
    assert missing in done.stderr


def test_imports_point_downwards():
    done = subprocess.run(
        [Path(sys.executable).parent / "lint-imports", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "layers" in (ROOT / "pyproject.toml").read_text()
    for room in ROOMS:
        assert f'"{room}"' in (ROOT / "pyproject.toml").read_text()


# ---- names ----


def our_routes(entries=None, room=""):
    """Give (room, URL name, view) of every URL that is ours."""
    for entry in get_resolver().url_patterns if entries is None else entries:
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from our_routes(entry.url_patterns, entry.namespace or room)
        elif entry.callback.__module__.split(".")[0] in ROOMS:
            yield room, entry.name, entry.callback


@pytest.mark.parametrize(
    ("room", "name", "view"), [pytest.param(*r, id=f"{r[0]}:{r[1]}") for r in our_routes()]
)
def test_url_view_and_template_have_one_name(room, name, view):
    assert name == view.__name__
    source = Path(sys.modules[view.__module__].__file__).read_text()
    function = next(
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
    )
    for template in re.findall(r'"(\w+/\w+\.html)"', ast.unparse(function).replace("'", '"')):
        get_template(template)
    try:
        own = get_template(f"{room}/{name}.html")
    except TemplateDoesNotExist:
        return
    assert own.origin.name == str(ROOT / "templates" / room / f"{name}.html")


def test_no_template_is_left_over():
    sources = [p for room in ROOMS for p in (ROOT / room).rglob("*.py")]
    texts = {path: path.read_text() for path in sources + TEMPLATES}
    for room in ROOMS:
        for template in (ROOT / "templates" / room).glob("*.html"):
            users = [p for p, text in texts.items() if f"{room}/{template.stem}" in text]
            assert set(users) - {template}, f"Nobody uses {template.relative_to(ROOT)}."


# ---- templates, static files, tasks ----

FORBIDDEN = {
    "an inline style": re.compile(r"<style\b|\sstyle\s*=", re.I),
    "an inline handler": re.compile(r"<[^>]*\son[a-z]+\s*=", re.I | re.S),
    "hx-on": re.compile(r"\bhx-on\b|\bhx-on:", re.I),
    "a javascript value": re.compile(r"""["'](?:js|javascript):""", re.I),
    "an inline script": re.compile(r"<script\b(?![^>]*\bsrc=)(?![^>]*application/json)", re.I),
    "a trigger filter": re.compile(r"""hx-trigger\s*=\s*["'][^"']*\w\["""),
    "an address elsewhere": re.compile(
        r"""(?:src|href|action|hx-(?:get|post))\s*=\s*["'](?:https?:)?//"""
    ),
}


def forbidden_in(text):
    text = re.sub(r"{#.*?#}|{% comment %}.*?{% endcomment %}", "", text, flags=re.S)
    return [name for name, pattern in FORBIDDEN.items() if pattern.search(text)]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_have_no_inline_code(path):
    assert forbidden_in(path.read_text()) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<p style="color: red">', "an inline style"),
        ("<style>p {}</style>", "an inline style"),
        ('<a\n  onclick="x()">', "an inline handler"),
        ('<a hx-on:click="x()">', "hx-on"),
        ("""<a hx-vals='js:{a: 1}'>""", "a javascript value"),
        ("<script>x()</script>", "an inline script"),
        ('<a hx-trigger="keyup[x]">', "a trigger filter"),
        ('<img src="https://elsewhere.example/x.png">', "an address elsewhere"),
    ],
)
def test_the_lint_of_templates_finds_it(text, found):
    assert found in forbidden_in(text)


def test_the_lint_of_templates_lets_the_rest_pass():
    assert forbidden_in('<script src="/x.js" defer></script><a data-on="x" href="/on=1">') == []


# A namespace is a name, not an address: nothing is ever fetched from it.
NAMES = re.compile(r"https?://(?:www\.)?w3\.org/[\w/.#-]*")
HOSTS = re.compile(
    r"""(?:url\(\s*["']?|@import\s+["']|fetch\(\s*["']|import\(?\s*["']|src\s*=\s*["'])\s*(?:https?:)?//"""
)


def test_static_files_call_no_other_host():
    files = [p for kind in ("css", "js", "svg") for p in (ROOT / "static").rglob(f"*.{kind}")]
    assert len(files) > 5
    for path in files:
        assert not HOSTS.search(NAMES.sub("", path.read_text())), path
    own = [path for path in files if "vendor" not in path.parts]
    for path in own:
        assert not re.search(r"https?://", NAMES.sub("", path.read_text())), path
    assert HOSTS.search('@import "https://fonts.example/x.css"')


def scheduled_by_the_broker(source):
    """Return the words of a source that keep a date in the broker, where a crash would lose it."""
    tree = ast.parse(source)
    keywords = {
        word.arg for node in ast.walk(tree) if isinstance(node, ast.Call) for word in node.keywords
    }
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return {"eta", "countdown"} & keywords | {"crontab", "solar"} & names


def test_dates_live_in_the_database_and_not_in_the_broker():
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            assert not scheduled_by_the_broker(path.read_text()), path
    assert scheduled_by_the_broker("task.apply_async(eta=soon)") == {"eta"}
    assert scheduled_by_the_broker("crontab(hour=7)") == {"crontab"}


def test_web_requests_never_publish_to_the_broker():
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            calls = {
                node.func.attr
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            }
            assert not {"delay", "apply_async", "send_task"} & calls, path
