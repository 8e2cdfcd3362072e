"""The SDK costs half a second and tens of megabytes: whoever makes no call does not pay it."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = """
import django, sys
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
print(sorted(name for name in sys.modules if name.startswith(("alibabacloud", "darabonba", "Tea"))))
"""


def test_the_portal_starts_without_the_sdk():
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings"}
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.stdout == "[]\n", ran.stdout + ran.stderr
