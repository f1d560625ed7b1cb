"""The built-in playbooks: data in playbooks.json, rows in PlaybookPreset, and each account's own
copies, which its user may change."""

import json
from pathlib import Path

from followups.models import Playbook, PlaybookPreset

BUILT_IN = Path(__file__).with_name("playbooks.json")
COPIED = ("slug", "name", "source", "steps", "ends_on_answer", "cold", "rest_days")


def provide_presets(using="default", **kwargs):
    """Create the built-in presets that are missing; what a superuser changed stays changed."""
    for row in json.loads(BUILT_IN.read_text()):
        PlaybookPreset.objects.using(using).get_or_create(slug=row["slug"], defaults=row)


def provide_playbooks(instance, created, raw=False, **kwargs):
    """Give a new account its own copy of every preset."""
    if not created or raw:
        return
    presets = PlaybookPreset.objects.values(*COPIED)
    Playbook.objects.bulk_create(Playbook(owner=instance, **preset) for preset in presets)
