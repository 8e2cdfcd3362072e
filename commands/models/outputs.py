"""What machines printed, stored once however many of them printed it."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable

from django.db import models
from django.utils.translation import gettext_lazy as _

from commands.masking import masked
from portal.rows import together


def digest_of(body: bytes) -> str:
    """The key under which an output is stored."""
    return hashlib.sha256(body).hexdigest()


class Output(models.Model):
    """An output text, with the digest of what stays of it without times, ids and addresses."""

    digest = models.CharField(_("SHA-256"), max_length=64, primary_key=True)
    packed = models.BinaryField()
    size = models.PositiveIntegerField(_("bytes"))
    alike = models.CharField(
        _("SHA-256 without what varies"), max_length=64, db_index=True, default=""
    )

    class Meta:
        verbose_name = _("output")
        verbose_name_plural = _("outputs")

    def __str__(self) -> str:
        return self.digest[:12]

    @classmethod
    def keep(cls, bodies: Iterable[bytes]) -> None:
        """Store those that are not stored yet. In one order, so that two writers cannot lock up.

        Call it in the transaction that refers to them: until it ends, none of them is taken out.
        """
        together(cls)
        new = {digest_of(body): body for body in bodies}
        for known in cls.objects.filter(pk__in=new).values_list("pk", flat=True):
            del new[known]
        cls.objects.bulk_create(
            (
                cls(
                    digest=digest,
                    packed=zlib.compress(body),
                    size=len(body),
                    alike=digest_of(masked(body)),
                )
                for digest, body in sorted(new.items())
            ),
            ignore_conflicts=True,
        )

    def body(self) -> bytes:
        return zlib.decompress(bytes(self.packed))
