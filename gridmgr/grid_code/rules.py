"""Pure decisions of codes: which come next."""

from collections.abc import Collection

from gridmgr.grid_code.model import CodesUsedUp

DIGITS = 3  # of a micro-grid's number within its community, by GB practice


def free_codes(community: str, used: Collection[str], number: int) -> list[str]:
    """Return the first codes of a community that were never used, retired ones among the used.

    >>> free_codes("510106001001", {"510106001001001"}, 2)
    ['510106001001002', '510106001001003']

    Raises
    ------
    CodesUsedUp
    """
    numbers = (f"{community}{each:0{DIGITS}d}" for each in range(1, 10**DIGITS))
    free = [code for code in numbers if code not in used][:number]
    if len(free) < number:
        raise CodesUsedUp(community=community)
    return free
