"""`make run`, from outside: it starts, tells its address, stops, and says what is wrong."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import psycopg
import pytest

from netcrm import servers
from netcrm.probe import healthy

ROOT = Path(__file__).resolve().parent.parent.parent
START = [sys.executable, "-m", "netcrm.run"]
SETTINGS = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "MAIL_DIR", "SITE_URL")


@pytest.fixture(scope="module")
def var(module_path):
    return module_path / "var"


def environment(var, **given):
    """Return the environment of a person's shell: none of the settings of this test run."""
    env = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return env | {"NETCRM_VAR": str(var), "PORT": str(free_port())} | given


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running(var):
    """Run netcrm; give its process once it has told its address."""
    env = environment(var)
    with (var.parent / "said").open("w+") as said:
        process = subprocess.Popen(START, env=env, cwd=ROOT, stdout=said, stderr=said)
        try:
            address = f"http://localhost:{env['PORT']}"
            wait_for(lambda: f"netcrm is ready: {address}" in text(said) or process.poll())
            assert process.poll() is None, text(said)
            yield process, address
        finally:
            process.terminate()
            process.wait(30)


def text(file):
    return Path(file.name).read_text()


def wait_for(condition, seconds=120):
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found


def fails(**given):
    """Return the one sentence with which a start ends."""
    done = subprocess.run(
        START, env=environment(**given), cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr.strip()


def database(var):
    return json.loads((var / "environment.json").read_text())["DATABASE_URL"]


def test_killed_it_leaves_no_orphan_and_loses_no_data(var):
    with running(var) as (process, _):
        with psycopg.connect(database(var)) as db:
            db.execute("CREATE TABLE kept AS SELECT 1 AS one")
        left = servers.marked(var)
        assert {"postgres", "valkey-server"} < {process.name() for process in left}
        process.kill()
        process.wait()
        assert any(process.is_running() for process in left)

    with running(var) as (process, address):
        assert not any(process.is_running() for process in left)
        with psycopg.connect(database(var)) as db:
            assert db.execute("SELECT one FROM kept").fetchone() == (1,)
        assert healthy(address, urlsplit(address).port)

        told = fails(var=var)
        assert told == f"netcrm is already running in {var}."

        beside = subprocess.run(
            [*START, sys.executable, "-c", "import os; print(os.environ['DATABASE_URL'])"],
            env=environment(var),
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        assert beside.stdout.strip() == database(var)

        started = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        _, alive = psutil.wait_procs(started, timeout=5)
        assert alive == []
        assert servers.marked(var) == []
        assert not healthy(address, urlsplit(address).port)


def test_a_process_that_dies_ends_all_and_is_named(var):
    env = environment(var)
    process = subprocess.Popen(START, env=env, cwd=ROOT, stderr=subprocess.PIPE, text=True)
    beat = wait_for(lambda: [p for p in servers.marked(var) if "beat" in p.cmdline()])
    beat[0].kill()
    _, told = process.communicate(timeout=120)
    assert process.returncode == 1
    assert told == (
        f"netcrm stopped because its beat process did (see {var / 'log' / 'beat.log'}).\n"
    )
    assert servers.marked(var) == []


def test_secrets_are_made_once_and_for_their_owner_only(var, tmp_path):
    first = servers.secret(tmp_path / "key")
    assert servers.secret(tmp_path / "key") == first
    assert len(first) >= 50
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_port_in_use(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        told = fails(var=tmp_path / "var", PORT=str(port))
    assert told == (
        f"netcrm cannot listen on port {port}: Address already in use."
        f" Choose another one: make run PORT={port + 1}"
    )


def test_a_port_that_is_none(tmp_path):
    assert fails(var=tmp_path, PORT="web") == "PORT must be a number from 1 to 65535, not 'web'."


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    told = fails(var=tmp_path / "file" / "var")
    assert told == f"netcrm cannot use {tmp_path}/file/var: Not a directory."


@pytest.mark.skipif(not shutil.which("unshare") or os.geteuid() != 0, reason="needs a mount")
@pytest.mark.parametrize(
    ("options", "reason"),
    [("size=64k", "No space left on device"), ("ro", "Read-only file system")],
)
def test_a_full_or_read_only_disk(tmp_path, options, reason):
    command = f'mount -t tmpfs -o {options} none "$NETCRM_VAR" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", command, "sh", *START],
        env=environment(tmp_path),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "mount:" in done.stderr or "unshare:" in done.stderr:
        pytest.skip("this machine allows no mounts")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert reason in done.stderr


def test_a_database_that_does_not_answer(tmp_path):
    told = fails(var=tmp_path, DATABASE_URL="postgres://alice:secret@127.0.0.1:1/netcrm")
    assert told.startswith("The server that DATABASE_URL names cannot be used: connection failed")
    assert "secret" not in told


def test_a_broker_that_does_not_answer(tmp_path):
    told = fails(
        var=tmp_path, DATABASE_URL=os.environ["DATABASE_URL"], REDIS_URL="redis://127.0.0.1:1"
    )
    assert told.startswith("The server that REDIS_URL names cannot be used: Error 111")


def test_a_python_too_old(tmp_path):
    old = tmp_path / "python3"
    old.write_text('#!/bin/sh\ncase "$2" in *version_info*) exit 1;; *) echo 3.11.2;; esac\n')
    broken = tmp_path / "python3.13"  # As pyenv leaves one for a version that is not active.
    broken.write_text("#!/bin/sh\necho 'pyenv: command not found' >&2\nexit 127\n")
    for path in (old, broken):
        path.chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", ROOT / "bin" / "python"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"netcrm needs Python 3.12 or newer; found Python 3.11.2 ({old}) on the PATH.\n"
    )


def test_the_newest_python_is_taken(tmp_path):
    for name in ("python3", "python3.12"):
        (tmp_path / name).symlink_to(shutil.which("true"))
    found = subprocess.check_output(
        ["/bin/sh", ROOT / "bin" / "python"], env={"PATH": str(tmp_path)}, text=True
    )
    assert found.strip() == str(tmp_path / "python3.12")


def test_make_alone_tells_each_command():
    # Under `make test` the inner make would also tell the directories that it enters.
    told = subprocess.check_output(["make", "--no-print-directory"], cwd=ROOT, text=True)
    assert [line.split()[1] for line in told.splitlines()] == [
        "help", "run", "test", "check", "demo", "bench", "faults", "fuzz", "clean",
    ]  # fmt: skip
