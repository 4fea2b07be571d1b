"""Reading terms: every number within its limits, what is left out as the product comes. No session."""

from collections.abc import Mapping

from gridmgr.terms.model import Term, TermOutside, TermUnknown


def read(spec: Mapping[str, Term], given: Mapping[str, object]) -> dict[str, float]:
    """Return the numbers of terms from what is stored or was typed.

    Raises
    ------
    TermOutside
        One is no number, or beyond its limits.
    TermUnknown
        One is none of these terms.

    >>> read({"days": Term("Days", 28, 1, 90, whole=True)}, {"days": "14"})
    {'days': 14}
    """
    for name in given:
        if name not in spec:
            raise TermUnknown(term=str(name)[:40], known=", ".join(spec))
    return {name: _number(name, term, given.get(name, term.usual)) for name, term in spec.items()}


def _number(name: str, term: Term, value: object) -> float:
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError
        number = float(value)
        if not term.low <= number <= term.high or (term.whole and number != int(number)):
            raise ValueError
    except ValueError:
        raise TermOutside(
            term=name, value=str(value)[:20], least=f"{term.low:g}", most=f"{term.high:g}"
        ) from None
    return int(number) if term.whole else number
