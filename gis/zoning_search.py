"""The search for zones, compiled: cuts of spanning trees, and units that change sides at borders.

Graphs come as they are in a `scipy.sparse.csr_array`: the neighbours of unit u are
`indices[indptr[u]:indptr[u + 1]]`. Importing this module compiles it once, into numba's cache on disk: import it
where it is used.
"""

import numpy as np
from numba import boolean, float64, int64, njit, types, void

CANDIDATES = 3  # cuts of each tree that are looked at

_ints, _flags, _weight = int64[::1], boolean[::1], float64[:, ::1]
_tree = types.UniTuple(int64[::1], 2)


@njit(_tree(_ints, _ints, _ints, int64, int64), cache=True)
def spanning(sequence, a, b, n, root):
    """A spanning tree of the edges as they come in a sequence: its units from the root on, and the one above each."""
    joined = np.arange(n)
    first, after, to = np.full(n, -1), np.empty(2 * n, np.int64), np.empty(2 * n, np.int64)
    kept = 0
    for edge in sequence:
        u, v = a[edge], b[edge]
        while joined[u] != u:
            joined[u] = joined[joined[u]]
            u = joined[u]
        while joined[v] != v:
            joined[v] = joined[joined[v]]
            v = joined[v]
        if u == v:
            continue
        joined[u] = v
        for here, there in ((a[edge], b[edge]), (b[edge], a[edge])):
            to[kept], after[kept], first[here] = there, first[here], kept
            kept += 1
        if kept == 2 * n - 2:
            break
    order, parent = np.empty(n, np.int64), np.full(n, -1)
    order[0], found = root, 1
    for at in range(n):
        link = first[order[at]]
        while link >= 0:
            if to[link] != parent[order[at]]:
                parent[to[link]] = order[at]
                order[found] = to[link]
                found += 1
            link = after[link]
    return order, parent


@njit(_weight(_ints, _ints, _weight), cache=True)
def summed(order, parent, weight):
    """What hangs at and below each unit of a tree."""
    total = weight.copy()
    for at in range(len(order) - 1, 0, -1):
        total[parent[order[at]]] += total[order[at]]
    return total


@njit(types.Tuple((_ints, _ints, float64[::1]))(_ints, _weight, int64, float64), cache=True)
def balanced(order, held, many, near):
    """The cuts of a tree that balance best: below which unit, into how many zones that goes, and how far off.

    `held` is what hangs at and below each unit, its last column how many units that are; -1 where there is no cut.
    Of nearly equally balanced cuts those come first that halve: few deep cuts spoil less than many shallow ones.
    """
    measures, root = held.shape[1] - 1, order[0]
    node, into, off = np.full(CANDIDATES, -1), np.zeros(CANDIDATES, np.int64), np.full(CANDIDATES, np.inf)
    lopsided = np.full(CANDIDATES, np.inf)
    for at in range(1, len(order)):
        unit, share = order[at], 0.0
        for k in range(measures):
            if held[root, k] > 0:
                share += held[unit, k] / held[root, k] / measures
        size = int64(held[unit, measures])
        few = min(max(int64(round(share * many)), 1, many - (len(order) - size)), size, many - 1)
        if few < many - (len(order) - size):
            continue  # either side needs as many units as zones
        worst = 0.0
        for k in range(measures):
            if held[root, k] > 0:
                below = held[unit, k] / held[root, k] * many
                worst = max(worst, abs(below / few - 1), abs((many - below) / (many - few) - 1))
        uneven = abs(few - many / 2)
        place = CANDIDATES
        while place > 0 and (np.rint(worst / near), uneven) < (
            np.rint(off[place - 1] / near),
            lopsided[place - 1],
        ):
            place -= 1
        if place == CANDIDATES:
            continue
        for each in (node, into):
            each[place + 1 :] = each[place:-1].copy()
        for each in (off, lopsided):
            each[place + 1 :] = each[place:-1].copy()
        node[place], into[place], off[place], lopsided[place] = unit, few, worst, uneven
    return node, into, off


@njit(
    types.Tuple((_flags, int64))(int64[:, ::1], _ints, _ints, _ints, float64[::1], _weight, int64, float64),
    cache=True,
)
def cut(sequences, roots, a, b, cost, weight, many, near):
    """Which units are cut off along an edge of one of the trees, and into how many of the zones they go.

    The best balanced cut, of nearly equal ones the cheapest; `weight` as `held` of `balanced`.
    """
    n, best = len(weight), (np.inf, np.inf)
    side, found, few = np.zeros(n, np.bool_), np.zeros(n, np.bool_), 0
    for tree in range(len(sequences)):
        order, parent = spanning(sequences[tree], a, b, n, roots[tree])
        node, into, off = balanced(order, summed(order, parent, weight), many, near)
        for each in range(CANDIDATES):
            if node[each] < 0 or np.rint(off[each] / near) > best[0]:
                break
            for unit in order:
                side[unit] = unit == node[each] or (parent[unit] >= 0 and side[parent[unit]])
            border = 0.0
            for edge in range(len(a)):
                if side[a[edge]] != side[b[edge]]:
                    border += cost[edge]
            rank = (np.rint(off[each] / near), border)
            if rank < best:
                best, few = rank, into[each]
                found[:] = side
    return found, few


@njit(boolean(_ints, _ints, _ints, int64), cache=True)
def hangs_without(indptr, indices, zone, unit):
    """Whether the zone of a unit still hangs together, and is not empty, without it."""
    left, start = 0, -1
    for at in range(indptr[unit], indptr[unit + 1]):
        if zone[indices[at]] == zone[unit]:
            left, start = left + 1, indices[at]
    if left < 2:
        return left == 1
    beside = np.zeros(len(zone), np.int8)  # 1: a neighbour of the unit, 2: seen
    for at in range(indptr[unit], indptr[unit + 1]):
        beside[indices[at]] = 1
    front, last, at_front = np.empty(len(zone), np.int64), 1, 0
    beside[unit], beside[start], front[0] = 2, 2, start
    left -= 1
    while at_front < last and left:
        node = front[at_front]
        at_front += 1
        for at in range(indptr[node], indptr[node + 1]):
            each = indices[at]
            if beside[each] == 2 or zone[each] != zone[unit]:
                continue
            left -= beside[each]
            beside[each], front[last] = 2, each
            last += 1
    return left == 0


@njit(float64(float64[::1], float64[::1], int64, float64), cache=True)
def uneven(held, weight, times, near):
    """How much farther than near from the mean, which is 1, a zone is with a unit more (1) or less (-1): squared."""
    total = 0.0
    for k in range(len(held)):
        total += max(abs(held[k] + times * weight[k] - 1) - near, 0.0) ** 2
    return total


@njit(int64(_ints, _ints, float64[::1], _weight, _ints, _weight, float64, float64, float64), cache=True)
def improved(indptr, indices, cost, weight, zone, held, near, heat, stiff):
    """Let units at borders change sides where that makes zones more even or borders cheaper; say how many did.

    `weight` counts in means of a zone, `held` is what each zone holds; it and `zone` are written to. A zone that is
    uneven by 1 costs as much as a border of `stiff`; a change may cost about `heat` now and then.
    """
    moved, touched = 0, np.zeros(len(held))
    for unit in range(len(zone)):
        home, beside = zone[unit], indices[indptr[unit] : indptr[unit + 1]]
        inside = True
        for each in beside:
            inside &= zone[each] == home
        if inside:
            continue
        for at in range(len(beside)):
            touched[zone[beside[at]]] += cost[indptr[unit] + at]
        own, best, to = weight[unit], np.inf, home
        gone = uneven(held[home], own, 0, near) - uneven(held[home], own, -1, near)
        for each in beside:
            there = zone[each]
            if there == home:
                continue
            gain = gone + uneven(held[there], own, 0, near) - uneven(held[there], own, 1, near)
            loss = touched[home] - touched[there] - stiff * gain
            if loss < best:
                best, to = loss, there
        for each in beside:
            touched[zone[each]] = 0
        if best >= 0 and (heat == 0 or best >= -heat * np.log(np.random.random())):
            continue
        if hangs_without(indptr, indices, zone, unit):
            zone[unit] = to
            held[home] -= own
            held[to] += own
            moved += 1
    return moved


@njit(void(_ints, _ints, float64[::1], _weight, _ints, _weight, float64, _weight, int64), cache=True)
def cooled(indptr, indices, cost, weight, zone, held, near, cooling, seed):
    """Let units change sides again and again, each time with a heat and a stiffness, until without heat none does."""
    np.random.seed(seed)
    for at in range(len(cooling)):
        heat, stiff = cooling[at]
        if improved(indptr, indices, cost, weight, zone, held, near, heat, stiff) == 0 and heat == 0:
            break
