"""Work that survives: a row is claimed, leased and fenced, and never in two hands at once.

A concrete Work row says when somebody has to look at it next (`due_at`; null: never again).
The conductor rings for every due row that nobody holds. The job claims the row, does one short
step, and releases it with the next `due_at`. Every write of the holder carries its fence: a
holder whose lease ran out and who was taken over gets Fenced and must touch nothing more.

    @work.job(Dispatch)
    def carry_on(claim: Claim[Dispatch]) -> None:
        claim.write(state="sending")            # intent, committed before the call
        with claim.held():                      # the lease stays alive during a slow call
            answer = ecs.run_script(...)
        claim.release(due_at=soon, invoke_id=answer.value.invoke_id)

`carry_on(pk)` may be called twice, or by two processes at once: one of them does the step.
Rows with `crowded_by` are carried on many at a time: one bell calls for all that are due and alike.
Hosts need roughly equal clocks; a wrong clock costs time, never correctness (the fence holds).
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Generic, TypeVar

from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.db.models import F, Q
from django.utils import timezone

from portal import owners, queue
from portal.rows import free_now, lock

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=20)
LONGEST_PAUSE = timedelta(minutes=5)
TOGETHER = timedelta(seconds=0.5)  # what of a crowd comes due so soon is carried on along with it


class Fenced(Exception):
    """Somebody else holds the row now; stop and write nothing."""


class Work(models.Model):
    job: ClassVar[str]  # dotted path; called with the primary key
    queue: ClassVar[str] = queue.DEFAULT
    # Rows that are equal in these fields are carried on together: one bell calls for all of them.
    crowded_by: ClassVar[tuple[str, ...]] = ()

    fence = models.PositiveBigIntegerField(default=0, editable=False)
    lease_owner = models.CharField(max_length=100, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    due_at = models.DateTimeField(null=True, db_index=True, editable=False)
    rung_at = models.DateTimeField(null=True, editable=False)
    wakes = models.PositiveBigIntegerField(default=0, editable=False)
    # Claims since the last step that ended well, and what went wrong in the latest of them.
    attempts = models.PositiveIntegerField(default=0, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    deadline = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True

    def bell(self) -> tuple[str, str]:
        """Job and queue that carry this row on in its present state."""
        return self.job, self.queue

    def crowd(self) -> tuple:
        """What the row shares with those that are carried on with it; without a crowd, its key."""
        return tuple(getattr(self, name) for name in self.crowded_by or ("pk",))

    def ring(self) -> None:
        """Tell a worker, once the transaction commits."""
        job, name = self.bell()
        queue.ring(job, self.pk, queue=name)

    def wake(self) -> None:
        """Make the row due now and ring, also while somebody holds it: they look again."""
        now = timezone.now()
        rows = type(self)._default_manager.filter(pk=self.pk)
        rows.update(due_at=now, rung_at=now, wakes=F("wakes") + 1)
        self.ring()


Row = TypeVar("Row", bound=Work)


def kinds() -> list[type[Work]]:
    """Every concrete class of work that the installed apps define."""
    return [model for model in apps.get_models() if issubclass(model, Work)]


def stirring(until: datetime) -> list[type[Work]]:
    """The kinds of which any row is due by then: one short query, however many kinds there are."""
    quoted, every = connection.ops.quote_name, kinds()
    looks = [
        f"SELECT {number} WHERE EXISTS"  # noqa: S608
        f" (SELECT 1 FROM {quoted(kind._meta.db_table)} WHERE {quoted('due_at')} <= %s)"
        for number, kind in enumerate(every)
    ]
    moment = connection.ops.adapt_datetimefield_value(until)
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(looks), [moment] * len(looks))
        return [every[number] for (number,) in cursor.fetchall()]


def unheld(now: datetime) -> Q:
    """Rows that nobody holds: never claimed, released, or their holder's lease ran out."""
    return Q(lease_until=None) | Q(lease_until__lte=now)


def pause(attempts: int) -> timedelta:
    """How long a row rests after so many steps in a row that went wrong: 2, 4, 8 ... 300 s."""
    return min(timedelta(seconds=2 ** min(attempts, 20)), LONGEST_PAUSE)


# Moves the fence on, so that nothing can be written through the claim afterwards.
NOBODYS = {"fence": F("fence") + 1, "lease_until": None, "lease_owner": ""}


class Claim(Generic[Row]):
    """One holder's right to a row, until it is released or the lease runs out."""

    def __init__(self, row: Row) -> None:
        self.row = row
        self.fence = row.fence
        self.wakes = row.wakes
        self.attempts = row.attempts
        self.released = False
        self.lost = False  # somebody else has the row

    def _mine(self, **more: object) -> models.QuerySet[Row]:
        return type(self.row)._default_manager.filter(pk=self.row.pk, fence=self.fence, **more)

    def write(self, **changes: object) -> None:
        """Change the row if it is still ours, else raise Fenced.

        Inside a transaction this also keeps others from taking the row over before the commit.
        """
        if not self._mine().update(**changes):
            raise self._fenced()
        self._remember(changes)

    def renew(self) -> None:
        """Another full lease from now."""
        self.write(lease_until=timezone.now() + LEASE)

    def release(self, *, due_at: datetime | None, **changes: object) -> None:
        """The step ended well: let go until `due_at` (None: for good).

        Whoever woke the row while we held it wins over our `due_at`: it is due at once.
        """
        self._let_go(due_at, attempts=0, last_error="", **changes)

    def stumble(self, error: BaseException) -> None:
        """The step went wrong: let go, and rest longer the more often that happened."""
        trouble = f"{type(error).__name__}: {error}".replace("\0", "")[:2000]
        self._let_go(timezone.now() + pause(self.attempts), last_error=trouble)

    def _let_go(self, due_at: datetime | None, **changes: object) -> None:
        now = timezone.now()
        changes |= NOBODYS
        at_once = due_at is not None and due_at <= now
        undisturbed = self._mine(wakes=self.wakes)
        if not undisturbed.update(due_at=due_at, rung_at=now if at_once else None, **changes):
            at_once = True
            if not self._mine().update(due_at=now, rung_at=now, **changes):
                raise self._fenced()
        self._has_let_go(changes)
        if at_once:
            self.row.ring()

    def _has_let_go(self, changes: dict[str, object]) -> None:
        self.released = True
        self._remember({**changes, "fence": self.fence + 1})

    def _fenced(self) -> Fenced:
        self.lost = True
        return Fenced(f"{self.row._meta.label} {self.row.pk}")

    def _remember(self, changes: dict[str, object]) -> None:
        for name, value in changes.items():
            setattr(self.row, name, value)

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Keep the lease alive while a longer step goes on."""
        return held([self])


def release_alike(claims: Sequence[Claim], *, due_at: datetime, **changes: object) -> None:
    """`release` for many claims of one model: one UPDATE for those that nobody disturbed.

    Where somebody did, each is released by itself. `due_at` lies in the future.
    """
    groups: dict[tuple[int, int], list[Claim]] = defaultdict(list)
    for claim in claims:
        groups[claim.fence, claim.wakes].append(claim)
    for group in groups.values():
        if not _released_at_once(group, due_at, changes):
            for claim in group:
                with apart(claim):
                    claim.release(due_at=due_at, **changes)


def _released_at_once(group: list[Claim], due_at: datetime, changes: dict[str, object]) -> bool:
    """All of them or, where one was woken or taken over, none. Fence and wakes are alike."""
    changes = {**changes, **NOBODYS, "attempts": 0, "last_error": ""}
    keys = [claim.row.pk for claim in group]
    rows = type(group[0].row)._default_manager.filter(pk__in=keys)
    with transaction.atomic():
        lock(rows)
        undisturbed = rows.filter(fence=group[0].fence, wakes=group[0].wakes)
        if undisturbed.update(due_at=due_at, rung_at=None, **changes) != len(group):
            transaction.set_rollback(True)
            return False
    for claim in group:
        claim._has_let_go(changes)
    return True


@contextlib.contextmanager
def held(claims: Sequence[Claim]) -> Iterator[None]:
    """Keep the leases of all these claims alive while a longer step goes on."""
    over = threading.Event()
    keeper = threading.Thread(target=_keep, args=(claims, over), daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join()


def _keep(claims: Sequence[Claim], over: threading.Event) -> None:
    try:
        while not over.wait(LEASE.total_seconds() / 4):
            with contextlib.suppress(DatabaseError):  # the next try may get through
                _renew([claim for claim in claims if not (claim.released or claim.lost)])
    finally:
        connection.close()


def _renew(claims: list[Claim]) -> None:
    # Whoever takes a row over also puts their own name there, so that the name is as good as
    # the fence, and one UPDATE is enough.
    if claims:
        rows = type(claims[0].row)._default_manager.filter(
            pk__in=[claim.row.pk for claim in claims],
            lease_owner__in={claim.row.lease_owner for claim in claims},
        )
        with transaction.atomic():
            keys = list(free_now(rows).values_list("pk", flat=True))
            rows.filter(pk__in=keys).update(lease_until=timezone.now() + LEASE)


def claim(model: type[Row], pk: int) -> Claim[Row] | None:
    """Take the row if it is due and nobody holds it; None means there is nothing for us to do."""
    taken = _take(model._default_manager.filter(pk=pk))
    return taken[0] if taken else None


def claim_due(
    rows: models.QuerySet[Row], limit: int, ahead: timedelta = timedelta()
) -> list[Claim[Row]]:
    """Take at once up to `limit` of `rows` that are free and due, the longest due first.

    What comes due within `ahead` is taken along with them.
    """
    now = timezone.now()
    with transaction.atomic():
        due = rows.filter(unheld(now), due_at__lte=now + ahead).order_by("due_at")
        keys = list(free_now(due).values_list("pk", flat=True)[:limit])
        return _take(rows.model._default_manager.filter(pk__in=keys), ahead)


def _take(rows: models.QuerySet[Row], ahead: timedelta = timedelta()) -> list[Claim[Row]]:
    # One conditional UPDATE decides who wins; the owner's name, used once, tells which rows.
    now = timezone.now()
    owner = owners.new()
    taken = rows.filter(unheld(now), due_at__lte=now + ahead).update(
        fence=F("fence") + 1,
        attempts=F("attempts") + 1,
        lease_until=now + LEASE,
        lease_owner=owner,
    )
    if not taken:
        return []
    return [Claim(row) for row in rows.filter(lease_owner=owner).order_by("due_at")]


def take_back(row: Work) -> bool:
    """Free a row whose holder is gone without a word; False if it was quicker than us.

    A row that lost its holder several times rests: it may be what kills them.
    """
    now = timezone.now()
    rest = pause(row.attempts) if row.attempts > 2 else timedelta()
    return bool(
        type(row)
        ._default_manager.filter(pk=row.pk, fence=row.fence, lease_owner=row.lease_owner)
        .filter(lease_until=row.lease_until)
        .update(
            fence=F("fence") + 1,
            lease_until=None,
            lease_owner="",
            due_at=now + rest,
            rung_at=None,
            last_error=f"{row.lease_owner} ended without a word",
        )
    )


def job(model: type[Row]) -> Callable[[Callable[[Claim[Row]], None]], Callable[[int], bool]]:
    """Make a job of a step: it claims its row, and a step that raises rests ever longer.

    The job answers whether it did the step (False: not due, or in other hands).
    """

    def wrap(step: Callable[[Claim[Row]], None]) -> Callable[[int], bool]:
        @functools.wraps(step)
        def run(pk: int) -> bool:
            claimed = claim(model, pk)
            if claimed is None:
                return False
            _attempt(step, claimed, [claimed])
            return True

        return run

    return wrap


def crowd_job(
    model: type[Row], most: int
) -> Callable[[Callable[[list[Claim[Row]]], None]], Callable[[int], bool]]:
    """Make a job of a step that takes up to `most` rows: the rung one's whole crowd, as far as due.

    When more are due it rings on before it starts, so that other workers share them.
    """

    def wrap(step: Callable[[list[Claim[Row]]], None]) -> Callable[[int], bool]:
        @functools.wraps(step)
        def run(pk: int) -> bool:
            claims = _claim_crowd(model, pk, most)
            if claims:
                _attempt(step, claims, claims)
            return bool(claims)

        return run

    return wrap


def _claim_crowd(model: type[Row], pk: int, most: int) -> list[Claim[Row]]:
    row = model._default_manager.filter(pk=pk).first()
    if row is None:
        return []
    crowd = model._default_manager.filter(**dict(zip(row.crowded_by, row.crowd(), strict=True)))
    now = timezone.now()
    due = crowd.filter(unheld(now), due_at__lte=now).order_by("due_at")
    claims = claim_due(crowd, most, ahead=TOGETHER) if due.exists() else []
    if len(claims) == most and (left := due.first()):
        left.ring()
    return claims


def _attempt(step: Callable, taken: object, claims: list[Claim]) -> None:
    try:
        step(taken)
        for claimed in claims:
            with apart(claimed):
                if not (claimed.released or claimed.lost):
                    raise RuntimeError(f"{step.__name__} ended without releasing it")
    except Fenced:
        log.warning("a row was taken over while %s ran; left to its new holder", step.__name__)
    except (Exception, SystemExit) as error:  # SystemExit: the queue's time limit
        log.exception("%s went wrong", step.__name__)
        for claimed in claims:
            _stumble(claimed, error)


@contextlib.contextmanager
def apart(claimed: Claim) -> Iterator[None]:
    """What goes wrong in here makes this row rest, and no other one of its crowd.

    What broke a transaction that they share is raised: nothing in it stands.
    """
    try:
        yield
    except Fenced:
        log.warning("%s %s was taken over", claimed.row._meta.label, claimed.row.pk)
    except Exception as error:
        if connection.needs_rollback:
            raise
        log.exception("%s %s went wrong", claimed.row._meta.label, claimed.row.pk)
        _stumble(claimed, error)


def _stumble(claimed: Claim, error: BaseException) -> None:
    # Also what has been released: that may have been undone with its transaction. If it was not,
    # the fence says so.
    with contextlib.suppress(Fenced, DatabaseError):  # taken over, or the lease runs out
        claimed.stumble(error)
