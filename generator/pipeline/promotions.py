"""The releases that gated environments may get: for the scripts of CI, one line each."""

from __future__ import annotations

from collections.abc import Iterator

from generator.dataclass import dataclass
from generator.pipeline.promotion_check import rejected
from generator.pipeline.session import Session
from generator.plan.promotion import standing
from generator.plan.release_key import release_key
from generator.plan.values import Plan


@dataclass(frozen=True, slots=True)
class Candidate:
    """The release that the spec of a model gives in a gated environment.

    Args:
        model: team/model.
        environment: a gated one.
        standing: waiting, held, promoted, hotfix for one that is promoted without its proof, or rejected for one in
            quarantine.
        key: its release key.
        required: environments that must prove it.
        merge: auto or person.
        reviewers: who must review it, unless the tier merges by itself.
    """

    model: str
    environment: str
    standing: str
    key: str
    required: tuple[str, ...]
    merge: str
    reviewers: tuple[str, ...]

    @property
    def line(self) -> str:
        """Its fields with tabs between them."""
        lists = (",".join(self.required), self.merge, ",".join(self.reviewers))
        return "\t".join((self.model, self.environment, self.standing, self.key, *lists)) + "\n"


def candidates(session: Session) -> Iterator[Candidate]:
    """Yield the release of each model in each gated environment; models that can't be planned are left out."""
    tiers = session.platform.tiers
    for entry in session.entries:
        for plan in (one.plan for one in session.resolve(entry).plans if one.plan.delivery.requires):
            key, promotions = release_key(plan), tiers[plan.identity.tier].promotions
            again = "" if standing(plan) == "promoted" else plan.version.digest
            yield Candidate(
                entry.name,
                plan.identity.environment,
                "rejected" if rejected(session.repository, entry, key, again) else _standing(plan),
                key,
                tuple(plan.delivery.requires),
                "auto" if promotions.auto else "person",
                () if promotions.auto else tuple(promotions.reviewers),
            )


def _standing(plan: Plan) -> str:
    """Return the standing of a release; a hot fix is still to be proven."""
    stands = standing(plan)
    fixed = plan.promotion is not None and plan.promotion.hotfix is not None
    return "hotfix" if fixed and stands == "promoted" else stands
