"""One valid object each; a test names only what it is about."""

import factory
from django.contrib.auth.models import Group, User
from django.utils import timezone

from diagnostics.models import DiagnosisCase
from instances.models import CloudAccount, Instance, Region, Scope, SystemEvent


class AccountFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = CloudAccount
        django_get_or_create = ("name",)

    name = "default"


class UserFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = User

    username = factory.Sequence(lambda n: f"person{n}")


class ScopeFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Scope

    user = factory.SubFactory(UserFactory)


class InstanceFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Instance

    account = factory.SubFactory(AccountFactory)
    region = "cn-hangzhou"
    instance_id = factory.Sequence(lambda n: f"i-test{n:012}")
    name = factory.Sequence(lambda n: f"web{n:02}")
    status = "Running"
    os_type = "linux"


class EventFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = SystemEvent

    instance = factory.SubFactory(InstanceFactory)
    account = factory.SelfAttribute("instance.account")
    region = factory.SelfAttribute("instance.region")
    instance_id_text = factory.SelfAttribute("instance.instance_id")
    event_id = factory.Sequence(lambda n: f"e-test{n:012}")
    type = "SystemMaintenance.Reboot"
    cycle_status = "Scheduled"
    published_at = factory.LazyFunction(timezone.now)
    seen_at = factory.LazyFunction(timezone.now)


class RegionFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = Region

    account = factory.SubFactory(AccountFactory)
    region_id = "cn-hangzhou"


def a_person(role: str = "viewer", **scope: object) -> User:
    """Somebody of this role who sees the whole fleet, or the part that `scope` names."""
    person = UserFactory()
    person.groups.add(Group.objects.get(name=role))
    ScopeFactory(user=person, **scope)
    return person


class CaseFactory(factory.django.DjangoModelFactory):
    class Meta:
        model = DiagnosisCase

    instance = factory.SubFactory(InstanceFactory)
    account = factory.SelfAttribute("instance.account")
    region = factory.SelfAttribute("instance.region")
    instance_text = factory.SelfAttribute("instance.instance_id")
    state = "queued"
    kind = factory.LazyAttribute(lambda case: "none" if case.state == "concluded" else "")
    concluded_at = factory.LazyAttribute(
        lambda case: timezone.now() if case.state == "concluded" else None
    )
