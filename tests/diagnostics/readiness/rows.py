"""Rows of readiness without a run."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from diagnostics.models import Readiness
from diagnostics.readiness import linux
from instances.models import Instance
from tests.factories import InstanceFactory

from . import answers


def kept(instance: Instance | None = None, at: datetime | None = None, **changes) -> Instance:
    """An instance whose answer was judged; `changes` as for `answers.linux`."""
    instance = instance or InstanceFactory()
    facts = linux.read(answers.linux(**changes))
    checks, at = linux.judge(facts), at or timezone.now()
    Readiness.keep(instance, checks, at=at, family=facts.state.family, run=None)
    return instance
