"""One valid object each; a test names only what it is about."""

import factory
from django.contrib.auth.models import User

from instances.models import CloudAccount, Instance, Scope


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
