"""docker-compose.yml without Docker: valid, closed by default, and its commands work as written.

Docker itself is not needed: the commands and health checks of web, worker and beat run as
processes against servers that were started apart from them, in a copy of what the image holds.
"""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis
import yaml
from compose_spec import PyCompose
from compose_spec.models import ComposeSpecification

from netcrm import servers

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE = (ROOT / "docker-compose.yml").read_text()
SERVICES = yaml.safe_load(COMPOSE)["services"]
OURS = ("web", "worker", "beat", "migrate")
GIVEN = {"SECRET_KEY": "k" * 25 + "-of-a-server-" + "y" * 25, "POSTGRES_PASSWORD": "p"}


def interpolate(value, given):
    """Replace `${NAME:-default}` and `${NAME:?message}` as Compose does."""

    def replace(match):
        name, kind, rest = match.groups()
        if given.get(name):
            return given[name]
        if kind == ":?":
            raise KeyError(f"{name}: {rest}")
        return rest

    return re.sub(r"\$\{(\w+)(:[-?])([^}]*)\}", replace, value).replace("$$", "$")


def parse(text):
    """Parse as Compose does: unknown keys, wrong values and durations raise ValueError."""
    specification = yaml.safe_load(text)
    ComposeSpecification.model_validate(specification)
    return PyCompose.from_json(json.dumps(specification))


def test_the_file_follows_the_schema():
    names = ["web", "worker", "beat", "migrate", "postgres", "redis", "mailpit"]
    assert parse(COMPOSE).service_names() == names


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("healthcheck:", "healtcheck:"), ("service_healthy", "service_fine"), ("30s", "soon")],
)
def test_the_schema_would_tell_a_mistake(right, wrong):
    with pytest.raises(ValueError, match=r"."):
        parse(COMPOSE.replace(right, wrong, 1))


@pytest.mark.parametrize("name", [name for name in SERVICES if name != "migrate"])
def test_each_service_has_a_health_check_and_stays_up(name):
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_runs_as_root(name):
    service = SERVICES[name]
    if "build" in service:
        users = re.findall(r"^USER (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
        assert users == ["netcrm"]
    else:
        assert service["user"] not in ("root", "0", "0:0")
    assert service["cap_drop"] == ["ALL"]


def test_only_web_and_mailpit_can_be_reached_and_only_from_this_machine():
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert sorted(ports) == ["mailpit", "web"]
    assert all(port.startswith("127.0.0.1:") for each in ports.values() for port in each)


@pytest.mark.parametrize("missing", GIVEN)
def test_nothing_starts_without_its_secrets(missing):
    given = {**GIVEN, missing: ""}
    with pytest.raises(KeyError, match=missing):
        [interpolate(value, given) for value in SERVICES["web"]["environment"].values()]


def test_the_example_names_every_secret_and_holds_none():
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert {f"{name}=" for name in GIVEN} <= set(lines)


def test_the_image_gets_what_the_program_needs_and_nothing_else():
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    assert all((ROOT / name).exists() for name in copied(lines))
    assert not {".env", "var", ".git", "tests"} & set(copied(lines))


def copied(lines):
    return [line.removeprefix("!") for line in lines if line.startswith("!")]


@pytest.fixture(scope="module")
def image(module_path):
    """A directory with what the Dockerfile copies, and the servers that the services reach."""
    app = module_path / "app"
    app.mkdir()
    for name in copied((ROOT / ".dockerignore").read_text().splitlines()):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, app / name)
    (app / "var" / "beat").mkdir(parents=True)
    with (
        servers.hold(module_path),
        servers.postgres(module_path / "postgres", durable=False) as database,
        servers.valkey(module_path / "redis", durable=False) as broker,
    ):
        yield app, {"DATABASE_URL": database, "REDIS_URL": broker}


def environment(name, reached):
    """Return the environment of a service, with the addresses of the servers replaced."""
    given = {key: interpolate(value, GIVEN) for key, value in SERVICES[name]["environment"].items()}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": "/nowhere"} | given | reached


def run(name, image, **more):
    app, reached = image
    env = environment(name, reached | more)
    return subprocess.run(
        SERVICES[name]["command"], cwd=app, env=env, capture_output=True, text=True, timeout=120
    )


@contextmanager
def service(name, image, **more):
    """Run a service's command; give a function that runs its health check."""
    app, reached = image
    env = environment(name, reached | more)
    kind, *check = SERVICES[name]["healthcheck"]["test"]
    check = check if kind == "CMD" else ["/bin/sh", "-c", interpolate(check[0], {})]
    with (app / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(
            SERVICES[name]["command"], cwd=app, env=env, stdout=log, stderr=log
        )
    try:

        def healthy():
            assert process.poll() is None, (app / f"{name}.log").read_text()
            return subprocess.run(check, cwd=app, env=env, capture_output=True).returncode == 0

        yield healthy
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) is not None


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def migrated(image):
    done = run("migrate", image)
    assert done.returncode == 0, done.stderr
    return image


def test_web_answers_as_its_image_says(migrated):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    assert SERVICES["web"]["environment"]["PORT"] == SERVICES["web"]["ports"][0].split(":")[-1]
    with service("web", migrated, PORT=port) as healthy:
        wait_for(healthy)


def test_the_image_starts_web_by_itself():
    (command,) = re.findall(r"^CMD (.*)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert json.loads(command) == SERVICES["web"]["command"]


def test_worker_answers_a_ping(migrated):
    with service("worker", migrated) as healthy:
        wait_for(healthy)


def test_beat_sends_ticks_and_writes_its_schedule(migrated):
    _, reached = migrated
    with redis.Redis.from_url(reached["REDIS_URL"]) as broker:
        broker.flushall()
        with service("beat", migrated) as healthy:
            wait_for(healthy)
            wait_for(lambda: any(broker.llen(queue) for queue in ("tick", "mail", "import")))


def test_migrate_can_run_again(migrated):
    _, reached = migrated
    assert run("migrate", migrated).returncode == 0
    with psycopg.connect(reached["DATABASE_URL"]) as db:
        assert db.execute("SELECT 1 FROM django_migrations LIMIT 1").fetchone()
