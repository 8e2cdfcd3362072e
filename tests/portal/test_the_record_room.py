"""Every model of ours stands in the admin, and what tells of the past is only ever looked at."""

import pytest
from django.apps import apps
from django.contrib import admin

from portal.records import OwnedAdmin, RecordAdmin

OURS = ("portal", "audit", "instances", "commands", "diagnostics")
MODELS = [m for app in OURS for m in apps.get_app_config(app).get_models()]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_every_model_is_there_as_a_record_or_as_somebodys_own(model):
    assert isinstance(admin.site._registry.get(model), RecordAdmin | OwnedAdmin)


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
def test_records_are_never_added_changed_or_deleted(model, rf, admin_user):
    room = admin.site._registry[model]
    if not isinstance(room, RecordAdmin):
        return
    request = rf.get("/")
    request.user = admin_user
    assert not room.has_add_permission(request)
    assert not room.has_change_permission(request)
    assert not room.has_delete_permission(request)
