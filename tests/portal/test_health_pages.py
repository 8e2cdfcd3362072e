"""Machines get 200 or 503, administrators the whole picture, strangers no secret."""

from unittest.mock import patch

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from instances.models import Region
from portal.models import Canary, Heartbeat
from portal.queue import QUEUES
from tests.factories import RegionFactory, a_person

pytestmark = pytest.mark.django_db


@pytest.fixture
def well():
    now = timezone.now()
    Heartbeat.objects.create(role="conductor", host="h", pid=1, started_at=now, at=now)
    for name in QUEUES:
        Canary.objects.create(name=name, heard_at=now)
    RegionFactory(state="current", synced_at=now)


def checks(client) -> tuple[int, dict]:
    answer = client.get("/healthz")
    return answer.status_code, answer.json()["checks"]


def test_a_well_portal_answers_200(client, well):
    assert checks(client) == (
        200,
        {"database": True, "conductor": True, "queues": True, "sync": True},
    )


@pytest.mark.parametrize(
    ("check", "harm"),
    [
        ("conductor", lambda: Heartbeat.objects.all().delete()),
        ("queues", lambda: Canary.objects.filter(name="analyze").update(heard_at=None)),
        ("sync", lambda: Region.objects.all().delete()),
    ],
)
def test_a_sick_part_is_named_with_503(client, well, check, harm):
    harm()
    status, found = checks(client)
    assert status == 503 and [name for name, ok in found.items() if not ok] == [check]


def test_a_lost_database_is_503_not_500(client, well):
    with patch.object(connection, "cursor", side_effect=DatabaseError):
        assert client.get("/readyz").status_code == 503
        assert client.get("/healthz").json()["checks"] == {"database": False}
    assert client.get("/readyz").status_code == 200


def test_the_page_shows_what_is_wrong(client, well):
    client.force_login(a_person("administrator"))
    Heartbeat.objects.all().delete()
    shown = client.get("/health/").content.decode()
    assert "none in the last day" in shown and "h" in shown
    part = client.get("/health/", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part and "hx-trigger" in part
