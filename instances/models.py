"""What exists: our copy of the fleet, and who may see which part of it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from instances import ecs
from portal import audit
from portal.transitions import WrongState, move
from portal.work import Work

AGENT_SILENCE = timedelta(minutes=3)  # ECS itself calls an agent silent after two minutes


def scopes_of(user) -> list[Scope]:
    """The person's scopes, read once for each object of theirs: a page asks many times."""
    if not user.is_active:
        return []
    models.prefetch_related_objects([user], "scopes")
    return list(user.scopes.all())


class CloudAccountQuerySet(models.QuerySet["CloudAccount"]):
    def visible_to(self, user) -> CloudAccountQuerySet:
        """Accounts in which this person sees all, a region, or at least one instance."""
        if user.is_superuser and user.is_active:
            return self
        seen = models.Q(pk__in=Region.objects.visible_to(user).values("account"))
        for scope in scopes_of(user):
            if not scope.region and not scope.tag_key:
                seen |= models.Q(pk=scope.account_id) if scope.account_id else models.Q(pk__gt=0)
        return self.filter(seen)


class CloudAccount(Work):
    """A named way to sign. Holds no credential: those stay in the SDK's own places.

    As a row of work: its regions are looked up from time to time.
    """

    job: ClassVar[str] = "instances.jobs.sync_account"
    KEPT_BY_PEOPLE: ClassVar = ("name", "kind", "profile", "role_arn", "enabled")

    class Kind(models.TextChoices):
        CHAIN = "chain", _("default credential chain")
        PROFILE = "profile", _("profile of the credentials file")
        ROLE = "role", _("role to assume")

    name = models.CharField(_("name"), max_length=64, unique=True)
    kind = models.CharField(_("signs by"), max_length=10, choices=Kind, default=Kind.CHAIN)
    profile = models.CharField(_("profile"), max_length=64, blank=True)
    role_arn = models.CharField(_("role ARN"), max_length=200, blank=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    problem = models.TextField(_("problem"), blank=True, editable=False)
    regions_read_at = models.DateTimeField(_("regions as of"), null=True, editable=False)

    objects = CloudAccountQuerySet.as_manager()

    class Meta:
        verbose_name = _("cloud account")
        verbose_name_plural = _("cloud accounts")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind="chain")
                | (models.Q(kind="profile") & ~models.Q(profile=""))
                | (models.Q(kind="role") & ~models.Q(role_arn="")),
                name="cloud_account_can_sign",
                violation_error_message=_("A profile needs its name, a role its ARN."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    def save(self, *, update_fields: Iterable[str] | None = None, **options: object) -> None:
        """A new account is due at once, a changed one as well; its work's own columns are only
        ever written by their claim."""
        if self._state.adding:
            self.due_at = self.due_at or timezone.now()
            return super().save(update_fields=update_fields, **options)
        super().save(update_fields=update_fields or self.KEPT_BY_PEOPLE, **options)
        self.wake()

    def signing(self) -> ecs.Account:
        """What the gateway needs to sign as this account."""
        return ecs.Account(self.name, self.kind, self.profile, self.role_arn)


class RegionQuerySet(models.QuerySet["Region"]):
    def visible_to(self, user) -> RegionQuerySet:
        """Regions that this person sees wholly, and those where they see an instance."""
        if not user.is_active:
            return self.none()
        if user.is_superuser:
            return self
        here = Instance.objects.visible_to(user).filter(
            account=models.OuterRef("account"), region=models.OuterRef("region_id")
        )
        seen = models.Q(models.Exists(here))
        for scope in scopes_of(user):
            if scope.tag_key:
                continue
            part = models.Q(pk__isnull=False)
            if scope.account_id:
                part &= models.Q(account=scope.account_id)
            if scope.region:
                part &= models.Q(region_id=scope.region)
            seen |= part
        return self.filter(seen)


class Region(Work):
    """One region of one account: when it was last read, and what came of it."""

    job: ClassVar[str] = "instances.jobs.sync_region"

    class State(models.TextChoices):
        NEVER = "never", _("never read")
        CURRENT = "current", _("current")
        FAILED = "failed", _("could not be read")
        DOUBTED = "doubted", _("listing suddenly shrank; waiting for a person")

    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="regions")
    region_id = models.CharField(_("region"), max_length=40)
    local_name = models.CharField(_("local name"), max_length=80, blank=True)
    configured = models.BooleanField(_("configured"), default=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.NEVER)
    problem = models.TextField(_("problem"), blank=True)
    synced_at = models.DateTimeField(_("as of"), null=True)
    instance_count = models.PositiveIntegerField(_("instances"), default=0)
    runs_a_day = models.PositiveIntegerField(_("runs a day"), null=True)  # ECS's quota
    quota_at = models.DateTimeField(_("quota as of"), null=True)
    # Ids that the last listing lacked while it was doubted, and those that a person let go.
    doubted_ids = models.JSONField(default=list, editable=False)
    accepted_ids = models.JSONField(default=list, editable=False)

    objects = RegionQuerySet.as_manager()

    class Meta:
        verbose_name = _("region")
        verbose_name_plural = _("regions")
        constraints = [
            models.UniqueConstraint(fields=["account", "region_id"], name="region_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=("never", "current", "failed", "doubted")),
                name="region_state_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}/{self.region_id}"

    def doubt(self) -> str:
        """Names exactly this doubt: which instances the listing lacks. Empty without a doubt."""
        lacking = "\n".join(sorted(self.doubted_ids))
        return hashlib.sha256(lacking.encode()).hexdigest()[:16] if lacking else ""

    @transaction.atomic
    def accept_shrink(self, by: User | str, via: str, doubt: str = "") -> None:
        """A person says that the instances which a doubted listing lacked are really gone.

        Exactly those may then be marked released, by looks that do not see them either. With
        `doubt`, what the person saw must still be what is doubted. Raises WrongState otherwise,
        and if the listing is not doubted (any more).
        """
        current = Region.objects.select_for_update().get(pk=self.pk)
        if doubt and current.doubt() and doubt != current.doubt():
            raise WrongState(_("The listing has changed since you looked: look again."))
        gone = current.doubted_ids
        move(
            self,
            source=self.State.DOUBTED,
            target=self.State.CURRENT,
            problem="",
            doubted_ids=[],
            accepted_ids=gone,
        )
        self.wake()
        audit.record(actor=by, act="region.shrink_accepted", subject=self, via=via, gone=len(gone))


def scope_of(user, path: str = "") -> models.Q:
    """The part of the fleet in this person's scopes, as a filter on the instance at `path`."""
    if not user.is_active:
        return models.Q(pk__in=())
    if user.is_superuser:
        return models.Q()
    seen = models.Q(pk__in=())
    for scope in scopes_of(user):
        part = models.Q(**{f"{path}pk__isnull": False})
        if scope.account_id:
            part &= models.Q(**{f"{path}account": scope.account_id})
        if scope.region:
            part &= models.Q(**{f"{path}region": scope.region})
        if scope.tag_key:
            tagged = InstanceTag.objects.filter(key=scope.tag_key)
            if scope.tag_value:
                tagged = tagged.filter(value=scope.tag_value)
            part &= models.Q(**{f"{path}pk__in": tagged.values("instance")})
        seen |= part
    return seen


class InstanceQuerySet(models.QuerySet["Instance"]):
    def visible_to(self, user) -> InstanceQuerySet:
        """What this person may see; an unknown person sees nothing."""
        return self.filter(scope_of(user))

    def present(self) -> InstanceQuerySet:
        return self.filter(released_at=None)

    def with_agent(self, state: str) -> InstanceQuerySet:
        """Those whose `agent_state()` is alive, silent or unknown."""
        if state == "unknown":
            return self.filter(agent_running=None)
        fresh = models.Q(agent_heartbeat_at__gt=models.F("agent_asked_at") - AGENT_SILENCE)
        alive = self.filter(fresh, agent_running=True)
        if state == "alive":
            return alive
        return self.exclude(agent_running=None).exclude(pk__in=alive.values("pk"))


class Instance(models.Model):
    """Our copy of one ECS instance. Never deleted: a released one keeps its history."""

    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="instances")
    region = models.CharField(_("region"), max_length=40)
    instance_id = models.CharField(_("instance ID"), max_length=64)
    name = models.CharField(_("name"), max_length=128, blank=True)
    hostname = models.CharField(_("hostname"), max_length=128, blank=True)
    status = models.CharField(_("status"), max_length=20, blank=True)  # ECS's own word
    os_type = models.CharField(_("OS type"), max_length=10, blank=True)  # linux | windows
    os_name = models.CharField(_("OS"), max_length=128, blank=True)
    zone = models.CharField(_("zone"), max_length=40, blank=True)
    instance_type = models.CharField(_("type"), max_length=64, blank=True)
    cpu = models.PositiveIntegerField(_("vCPU"), default=0)
    memory_mib = models.PositiveIntegerField(_("memory (MiB)"), default=0)
    image_id = models.CharField(_("image"), max_length=80, blank=True)
    vpc_id = models.CharField(_("VPC"), max_length=64, blank=True)
    network_type = models.CharField(_("network type"), max_length=20, blank=True)
    resource_group_id = models.CharField(_("resource group"), max_length=64, blank=True)
    charge_type = models.CharField(_("charge type"), max_length=20, blank=True)
    lock_reasons = models.JSONField(_("locks"), default=list)
    created_at = models.DateTimeField(_("created"), null=True)
    started_at = models.DateTimeField(_("last start"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)
    agent_running = models.BooleanField(_("agent running"), null=True)  # null: never asked
    agent_version = models.CharField(_("agent version"), max_length=40, blank=True)
    agent_heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True)
    agent_asked_at = models.DateTimeField(_("agent as of"), null=True)
    boot_id = models.CharField(_("boot ID"), max_length=64, blank=True)
    booted_at = models.DateTimeField(_("boot time"), null=True)
    seen_at = models.DateTimeField(_("as of"), null=True)
    missed_at = models.DateTimeField(_("first missed"), null=True)  # one look without it
    released_at = models.DateTimeField(_("released"), null=True)

    objects = InstanceQuerySet.as_manager()

    class Meta:
        verbose_name = _("instance")
        verbose_name_plural = _("instances")
        constraints = [
            models.UniqueConstraint(
                fields=["account", "region", "instance_id"], name="instance_once"
            ),
        ]
        indexes = [
            models.Index(fields=["instance_id"]),
            models.Index(fields=["region", "status"]),
            models.Index(fields=["name"]),
            models.Index(fields=["hostname"]),
        ]

    def __str__(self) -> str:
        return self.name or self.instance_id

    def get_absolute_url(self) -> str:
        return reverse("instances:detail", args=[self.pk])

    def agent_state(self) -> str:
        """alive | silent | unknown, from what ECS said last."""
        if self.agent_running is None:
            return "unknown"
        fresh = (
            self.agent_heartbeat_at
            and self.agent_asked_at
            and (self.agent_asked_at - self.agent_heartbeat_at < AGENT_SILENCE)
        )
        return "alive" if self.agent_running and fresh else "silent"

    def as_of(self) -> timedelta | None:
        return timezone.now() - self.seen_at if self.seen_at else None


class InstanceAddress(models.Model):
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="addresses")
    address = models.GenericIPAddressField(_("address"), db_index=True)
    public = models.BooleanField(_("public"), default=False)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        constraints = [
            models.UniqueConstraint(fields=["instance", "address"], name="address_once"),
        ]

    def __str__(self) -> str:
        return self.address


class InstanceTag(models.Model):
    instance = models.ForeignKey(Instance, models.CASCADE, related_name="tags")
    key = models.CharField(_("key"), max_length=128)
    value = models.CharField(_("value"), max_length=128, blank=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        constraints = [models.UniqueConstraint(fields=["instance", "key"], name="tag_once")]
        indexes = [models.Index(fields=["key", "value"])]

    def __str__(self) -> str:
        return f"{self.key}={self.value}"


class InstanceGroup(models.Model):
    """A fixed list or a saved filter; `filters.members(group)` tells who is in it now."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    members = models.ManyToManyField(Instance, blank=True, related_name="groups")
    filter = models.JSONField(_("saved filter"), null=True, blank=True)  # null: a fixed list
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("instance group")
        verbose_name_plural = _("instance groups")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("instances:group", args=[self.pk])


class SystemEventQuerySet(models.QuerySet["SystemEvent"]):
    def visible_to(self, user) -> SystemEventQuerySet:
        """Events of visible instances; those of instances that were never mirrored are seen by
        whoever sees all of their account and region."""
        if user.is_superuser and user.is_active:
            return self
        return self.filter(scope_of(user, "instance__") | _unmirrored(user))


def _unmirrored(user) -> models.Q:
    seen = models.Q(pk__in=())
    for scope in scopes_of(user):
        if scope.tag_key:
            continue
        part = models.Q(instance=None)
        if scope.account_id:
            part &= models.Q(account=scope.account_id)
        if scope.region:
            part &= models.Q(region=scope.region)
        seen |= part
    return seen


class SystemEvent(models.Model):
    """An ECS system event, kept when ECS forgets it after 30 days."""

    account = models.ForeignKey(CloudAccount, models.PROTECT, related_name="events")
    region = models.CharField(_("region"), max_length=40)
    event_id = models.CharField(_("event ID"), max_length=64)
    instance = models.ForeignKey(Instance, models.PROTECT, null=True, related_name="events")
    instance_id_text = models.CharField(_("instance ID"), max_length=64, blank=True)
    type = models.CharField(_("type"), max_length=80)
    cycle_status = models.CharField(_("status"), max_length=20)
    published_at = models.DateTimeField(_("published"), null=True)
    not_before = models.DateTimeField(_("not before"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    impact = models.CharField(_("impact"), max_length=40, blank=True)
    reason = models.TextField(_("reason"), blank=True)
    reason_code = models.CharField(_("reason code"), max_length=80, blank=True)
    extended = models.JSONField(_("extended attributes"), default=dict)
    seen_at = models.DateTimeField(_("as of"))

    objects = SystemEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("system event")
        verbose_name_plural = _("system events")
        constraints = [
            models.UniqueConstraint(fields=["account", "event_id"], name="system_event_once"),
        ]
        indexes = [
            models.Index(fields=["-published_at", "-id"]),
            models.Index(fields=["instance", "-published_at"]),
            models.Index(fields=["type", "-published_at"]),
            models.Index(fields=["cycle_status", "not_before"]),
            models.Index(fields=["event_id"]),
            models.Index(fields=["instance_id_text"]),
            models.Index(fields=["not_before"]),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"

    def get_absolute_url(self) -> str:
        return reverse("instances:event", args=[self.pk])

    @property
    def is_failure(self) -> bool:
        """Whether it tells that something broke, unlike planned maintenance or an expiry."""
        return self.type.startswith(("SystemFailure.", "InstanceFailure."))


class Scope(models.Model):
    """A part of the fleet that a person may see; blank fields do not narrow. None: nothing."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="scopes")
    account = models.ForeignKey(CloudAccount, models.CASCADE, null=True, blank=True)
    region = models.CharField(_("region"), max_length=40, blank=True)
    tag_key = models.CharField(_("tag key"), max_length=128, blank=True)
    tag_value = models.CharField(_("tag value"), max_length=128, blank=True)

    class Meta:
        verbose_name = _("scope")
        verbose_name_plural = _("scopes")

    def __str__(self) -> str:
        parts = (self.account, self.region, self.tag_key and f"{self.tag_key}={self.tag_value}")
        return " · ".join(str(part) for part in parts if part) or "whole fleet"
