"""PostgreSQL and Valkey in a directory: private, durable, and one holder at a time."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from netcrm import servers


def test_data_outlive_a_restart_below_a_deep_path(tmp_path):
    home = tmp_path / ("a-folder-with-a-long-name-" * 5)
    with servers.postgres(home / "postgres") as url, psycopg.connect(url) as db:
        db.execute("CREATE EXTENSION pg_trgm")
        db.execute("CREATE TABLE kept AS SELECT 'Žofie' AS name")
        db.commit()
    with servers.valkey(home / "valkey") as url, redis.Redis.from_url(url) as client:
        client.set("kept", "yes")

    with servers.postgres(home / "postgres") as url, psycopg.connect(url) as db:
        assert db.execute("SELECT upper(name) FROM kept").fetchone() == ("ŽOFIE",)
    with servers.valkey(home / "valkey") as url, redis.Redis.from_url(url) as client:
        assert client.get("kept") == b"yes"


def test_only_who_knows_the_password_is_let_in(tmp_path):
    with servers.postgres(tmp_path) as url, pytest.raises(psycopg.OperationalError):
        psycopg.connect(url.replace("netcrm:", "netcrm:no", 1))
    with servers.valkey(tmp_path / "valkey") as url, redis.Redis.from_url(url) as client:
        port = client.connection_pool.connection_kwargs["port"]
        with redis.Redis(port=port) as stranger, pytest.raises(redis.AuthenticationError):
            stranger.get("kept")
    assert (tmp_path / "password").stat().st_mode & 0o077 == 0


def test_valkey_never_evicts_and_writes_down(tmp_path):
    wanted = {"maxmemory-policy": "noeviction", "appendonly": "yes", "appendfsync": "everysec"}
    decoded = partial(redis.Redis.from_url, decode_responses=True)
    with servers.valkey(tmp_path) as url, decoded(url) as client:
        assert client.config_get(*wanted) == wanted


def test_postgres_listens_on_this_machine_only(tmp_path):
    with servers.hold(tmp_path), servers.postgres(tmp_path / "postgres"):
        (postgres,) = [p for p in servers.marked(tmp_path) if p.name() == "postgres"]
        listening = [c for c in postgres.net_connections("all") if c.status == psutil.CONN_LISTEN]
        assert {connection.laddr.ip for connection in listening} == {"127.0.0.1"}


def test_a_directory_has_one_holder(tmp_path):
    code = "import sys, pathlib; from netcrm import servers\n"
    code += "with servers.hold(pathlib.Path(sys.argv[1])): pass"
    with servers.hold(tmp_path):
        second = subprocess.run(
            [sys.executable, "-c", code, tmp_path], capture_output=True, text=True
        )
    assert f"netcrm is already running in {tmp_path}." in second.stderr


def test_a_new_holder_ends_what_a_killed_one_left(tmp_path):
    env = os.environ | {servers.MARK: str(tmp_path)}
    left = subprocess.Popen(["sleep", "600"], env=env)
    other = subprocess.Popen(["sleep", "600"], env=env | {servers.MARK: f"{tmp_path}-other"})
    try:
        with servers.hold(tmp_path):
            assert not psutil.pid_exists(left.pid)
            assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_cluster_that_cannot_be_made_is_told_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(servers, "POSTGRES_PROGRAMS", _programs(tmp_path, "exit 1"))
    told = pytest.raises(servers.ServerError, match="cannot make its data directory")
    with told, servers.postgres(tmp_path / "postgres"):
        pass
    assert not (tmp_path / "postgres" / "data").exists()


def test_a_server_that_ends_at_once_is_told_with_its_own_last_words(tmp_path, monkeypatch):
    with servers.postgres(tmp_path / "postgres"):
        pass
    programs = _programs(tmp_path, "echo FATAL: no space left on device; exit 1")
    monkeypatch.setattr(servers, "POSTGRES_PROGRAMS", programs)
    began = time.monotonic()
    told = pytest.raises(servers.ServerError, match="PostgreSQL did not start: FATAL: no space")
    with told, servers.postgres(tmp_path / "postgres"):
        pass
    assert time.monotonic() - began < 10


def _programs(tmp_path: Path, script: str) -> Path:
    """Return a directory of PostgreSQL programs that do nothing but the script."""
    directory = tmp_path / "programs"
    directory.mkdir()
    for name in ("initdb", "postgres"):
        (directory / name).write_text(f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    return directory
