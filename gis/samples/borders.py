"""Borders with corners: micro-grids change hands along the straight edges that cutting leaves.

Cutting makes plain quadrilaterals of communities and a smooth egg of the district. Here single
micro-grids go over to a neighbour, or drop out at the rim, but only where everyone concerned stays in
one piece without holes.
"""

from itertools import groupby

import numpy as np

OUTSIDE = -1
ROUNDS = ("roughen", "roughen", "smooth", "smooth")
BARE = 0.5  # a micro-grid with more of its sides outside is a prong
READY_WITHIN, READY_ACROSS = 0.30, 0.06  # chance to go over inside a street, and from street to street


class Borders:
    """Who owns each micro-grid, and whom it meets on a walk around it.

    Parameters
    ----------
    community : numpy.ndarray of int, shape (micro-grids,)
        Community of each micro-grid.
    street : numpy.ndarray of int, shape (communities,)
        Street of each community.
    sides : tuple of numpy.ndarray, each of shape (sides,)
        Micro-grid, arc and left-hand flag of every side, ring by ring, counter-clockwise.
    arc_start, arc_end : numpy.ndarray of int, shape (arcs,)
        Nodes of each arc.

    Notes
    -----
    A micro-grid may leave A for B when, walking once around it across sides and corners, A is met in a
    single run and B too: taking it out then neither parts A nor pierces it, adding it neither rings nor
    pinches B. The same must hold for their streets when these differ.

    Examples
    --------
    Two micro-grids share an arc; each is all its community has, so nothing moves:

    >>> sides = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 2]), np.array([True, True, False, True])
    >>> arcs = np.array([0, 1, 0]), np.array([1, 0, 1])
    >>> borders = Borders(np.array([0, 1]), np.zeros(2, int), sides, *arcs)
    >>> borders.shake(np.random.default_rng(1))
    >>> borders.owner
    [0, 1]
    """

    def __init__(self, community, street, sides, arc_start, arc_end):
        self.owner = community.tolist()
        self.street = [*street.tolist(), OUTSIDE]  # so that the street of OUTSIDE is OUTSIDE
        self.facing, self.rings = _rings(sides, arc_start.tolist(), arc_end.tolist())
        self.size = np.bincount(community).tolist()
        self.least = [max(1, size * 2 // 3) for size in self.size]

    def peel(self, number: int, order: np.ndarray) -> None:
        """Drop so many micro-grids at the rim: prongs first, then bays in the order given.

        Parameters
        ----------
        number : int
            Micro-grids to drop; about a quarter of what is left goes in each round.
        order : numpy.ndarray of int, shape (micro-grids,)
            All micro-grids, those to drop first in front.

        Raises
        ------
        RuntimeError
            No more can be dropped without parting a community or leaving too little of it.
        """
        while number:
            loose = [cell for cell in order.tolist() if self._may_go(cell, OUTSIDE)]
            if not loose:
                raise RuntimeError("no micro-grid at the rim can be dropped")
            loose.sort(key=lambda cell: -self._bareness(cell) if self._bareness(cell) > BARE else 0.0)
            for cell in loose[: number // 4 + 1]:
                if self._may_go(cell, OUTSIDE):
                    self._move(cell, OUTSIDE)
                    number -= 1

    def _bareness(self, cell: int) -> float:
        facing = self._owners(self.facing[cell])
        return facing.count(OUTSIDE) / len(facing)

    def shake(self, rng: np.random.Generator) -> None:
        """Roughen the borders between communities, then take the worst spikes back."""
        for manner in ROUNDS:
            for cell in rng.permutation(len(self.owner)).tolist():
                giver, around = self.owner[cell], self._owners(self.facing[cell])
                others = [c for c in around if c not in (giver, OUTSIDE)]
                if giver == OUTSIDE or not others:
                    continue
                taker = max(sorted(set(others)), key=others.count)
                within = self.street[taker] == self.street[giver]
                ready = rng.random() < (READY_WITHIN if within else READY_ACROSS)
                spike = others.count(taker) > around.count(giver) + 1
                if (spike or (ready and manner == "roughen")) and self._may_go(cell, taker):
                    self._move(cell, taker)

    def _move(self, cell: int, taker: int) -> None:
        self.size[self.owner[cell]] -= 1
        self.owner[cell] = taker
        if taker != OUTSIDE:
            self.size[taker] += 1

    def _may_go(self, cell: int, taker: int) -> bool:
        giver = self.owner[cell]
        if giver == OUTSIDE or self.rings[cell] is None or self.size[giver] <= self.least[giver]:
            return False
        if taker not in self._owners(self.facing[cell]):
            return False
        around = self._owners(self.rings[cell])
        streets = [self.street[c] for c in around]
        apart = self.street[giver] != self.street[taker]
        return _single_runs(around, giver, taker) and (
            not apart or _single_runs(streets, self.street[giver], self.street[taker])
        )

    def _owners(self, cells: list[int]) -> list[int]:
        return [OUTSIDE if cell == OUTSIDE else self.owner[cell] for cell in cells]


def _single_runs(around: list[int], *labels: int) -> bool:
    """Whether each label is met in exactly one run, walking once around."""
    runs = [label for label, _ in groupby(around)]
    if len(runs) > 1 and runs[0] == runs[-1]:
        runs.pop()
    return all(runs.count(label) == 1 for label in labels)


def _rings(sides, arc_start: list[int], arc_end: list[int]):
    """Cells across the sides of each cell, and across sides and corners; None where a corner is crowded."""
    cell, arc, left = (column.tolist() for column in sides)
    across = {(a, on_left): c for c, a, on_left in zip(cell, arc, left, strict=True)}
    at_node: dict[int, set[int]] = {}
    for a in set(arc):
        both = {across.get((a, True), OUTSIDE), across.get((a, False), OUTSIDE)}
        for node in (arc_start[a], arc_end[a]):
            at_node.setdefault(node, set()).update(both)
    facing, corners = ([[] for _ in range(max(cell) + 1)] for _ in range(2))
    for c, a, on_left in zip(cell, arc, left, strict=True):
        facing[c].append(across.get((a, not on_left), OUTSIDE))
        corners[c].append(at_node[arc_end[a] if on_left else arc_start[a]])
    return facing, [_ring(c, facing[c], corners[c]) for c in range(len(facing))]


def _ring(cell: int, facing: list[int], corners: list[set[int]]) -> list[int] | None:
    ring = []
    for other, following, met in zip(facing, [*facing[1:], facing[0]], corners, strict=True):
        diagonal = met - {cell, other, following}
        if len(diagonal) > 1:
            return None
        ring += [other, *diagonal]
    return ring
