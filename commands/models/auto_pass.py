"""Written rules that may say yes in place of a person."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class AutoPass(models.Model):
    """A written rule that may say yes to small, harmless batches in place of a person.

    It names a tag that every instance has to carry, and a size; whoever wrote it cannot profit:
    the requests of its own author still need a person.
    """

    name = models.CharField(_("name"), max_length=80, unique=True)
    tag_key = models.CharField(_("every instance has the tag"), max_length=128)
    tag_value = models.CharField(_("tag value"), max_length=128)
    at_most = models.PositiveIntegerField(_("instances at most"))
    enabled = models.BooleanField(_("enabled"), default=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False
    )
    written_at = models.DateTimeField(_("written"), auto_now_add=True)

    class Meta:
        verbose_name = _("auto-pass rule")
        verbose_name_plural = _("auto-pass rules")
        constraints = [
            models.CheckConstraint(
                name="auto_pass_names_a_tag",
                condition=~Q(tag_key="") & ~Q(tag_value=""),
                violation_error_message=_("Name a tag and its value."),
            ),
            models.CheckConstraint(
                name="auto_pass_names_a_size", condition=Q(at_most__gte=1, at_most__lte=50)
            ),
        ]

    def __str__(self) -> str:
        return self.name
