"""Who may put a rule in force."""

from dothi.model.problem import Problem
from dothi.model.rule import Rule


def check_approval(draft: Rule, by: str, people: int) -> None:
    """A second pair of eyes, wherever there are two people.

    Args:
        by: who approves.
        people: how many people could.
    Raises:
        Problem: approved already, or the author approves alone (409).
    """
    if draft.approved_at is not None:
        raise Problem(
            "rule_approved",
            "Already approved",
            f"version {draft.version} was approved by {draft.approved_by}",
            409,
            where=f"rule {draft.id}",
            remedy="make a new version to change it",
        )
    if by == draft.author and people > 1:
        raise Problem(
            "rule_own",
            "Somebody else approves",
            f"version {draft.version} was written by {draft.author}",
            409,
            where=f"rule {draft.id}",
            remedy="ask another person who may approve rules",
        )
