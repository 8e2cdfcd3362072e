"""What people hand in to a case: unpacked, recognised, kept as evidence, and judged."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from diagnostics import cases, stages
from diagnostics.models import DiagnosisCase, Evidence
from diagnostics.readers import kinds, unpacking
from diagnostics.readers.unpacking import Piece, Refused
from diagnostics.wording import Text, quoted
from diagnostics.wording import say as _
from portal import audit

MOST_PIECES = 100  # of one case


@dataclass(frozen=True, slots=True)
class Offer:
    """One file as it was uploaded, or one text as it was pasted."""

    name: str
    body: bytes
    pasted: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became evidence, and what was left out and why."""

    rows: tuple[Evidence, ...]
    left_out: tuple[Text, ...]


def hand_in(case: DiagnosisCase, offers: Iterable[Offer], *, by, via: str) -> Taken:
    """Keep what can be read of `offers` as evidence and have the case judged again.

    Raises Refused, and keeps nothing, where an offer holds nothing that can be evidence.
    """
    rows, left_out, room = [], [], settings.UPLOAD_UNPACKED_MOST
    for offer in offers:
        pieces = unpacking.unpacked(offer.name, offer.body, room)
        room -= sum(len(piece.body) for piece in pieces)
        fit = list(_fit(offer, pieces, left_out))
        rows += [_row(case, offer, piece, by) for piece in fit]
    with transaction.atomic():
        kept = _kept(DiagnosisCase.objects.select_for_update().get(pk=case.pk), rows, left_out)
        if kept:
            told = [{"name": row.name, "file": row.file_name, "sha256": row.sha256} for row in kept]
            audit.record(actor=by, act="evidence.added", subject=case, via=via, evidence=told)
            cases.to_be_judged(case)
    return Taken(tuple(kept), tuple(left_out))


def _fit(offer: Offer, pieces: list[Piece], left_out: list[Text]) -> Iterator[Piece]:
    """Pieces that can be evidence. An offer of which none can is refused."""
    strange = [(piece, kinds.why_not(piece.body)) for piece in pieces]
    reasons = [
        _("%(name)s is %(why)s.", name=quoted(piece.name), why=why) for piece, why in strange if why
    ]
    if len(reasons) == len(pieces):
        raise Refused(reasons[0])
    left_out += reasons
    yield from (piece for piece, why in strange if not why)


def _row(case: DiagnosisCase, offer: Offer, piece: Piece, by) -> Evidence:
    packed = piece.body != offer.body
    digest = hashlib.sha256(offer.body).hexdigest() if packed else ""
    return Evidence(
        case=case,
        origin=Evidence.Origin.PASTE if offer.pasted else Evidence.Origin.UPLOAD,
        kind=kinds.recognised(piece.name, piece.body),
        file_name=piece.name,
        packed_in=f"{unpacking.label(offer.name)}, SHA-256 {digest}" if packed else "",
        given_by=by,
        complete=not piece.cut,
        note="the packed file ends too early" if piece.cut else "",
        **Evidence.pack(piece.body),
    )


def _kept(case: DiagnosisCase, rows: list[Evidence], left_out: list[Text]) -> list[Evidence]:
    """Write the rows that the case does not hold yet; a second click brings nothing new."""
    held = case.evidence.filter(origin__in=(Evidence.Origin.UPLOAD, Evidence.Origin.PASTE))
    known = set(held.values_list("sha256", flat=True))
    fresh = {row.sha256: row for row in rows if row.sha256 not in known}
    left_out += [
        _("%(name)s is there already.", name=quoted(row.file_name))
        for row in rows
        if row is not fresh.get(row.sha256)
    ]
    count = held.count()
    size = (held.aggregate(all=Sum("size"))["all"] or 0) + sum(r.size for r in fresh.values())
    if count + len(fresh) > MOST_PIECES or size > settings.CASE_EVIDENCE_MOST:
        raise Refused(
            _(
                "A case takes at most %(files)s files and %(most)s MB that are handed in.",
                files=MOST_PIECES,
                most=settings.CASE_EVIDENCE_MOST >> 20,
            )
        )
    step = case.steps.filter(key=stages.GUEST).first()
    for number, row in enumerate(fresh.values(), count + 1):
        row.name, row.step = f"upload-{number}", step
    return Evidence.objects.bulk_create(fresh.values())


def set_kind(row: Evidence, kind: str, *, by, via: str) -> None:
    """Correct of what kind a piece is, and have the case judged again."""
    with transaction.atomic():
        case = DiagnosisCase.objects.select_for_update().get(pk=row.case_id)
        before = row.kind
        if not case.evidence.filter(pk=row.pk).exclude(kind=kind).update(kind=kind):
            return
        audit.record(
            actor=by,
            act="evidence.kind_changed",
            subject=case,
            via=via,
            evidence=row.name,
            before=before,
            after=kind,
        )
        cases.to_be_judged(case)
