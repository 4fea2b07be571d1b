// Pure geometry of the redraw desk: places are [lon, lat] in degrees, units are GeoJSON features of a coverage.
(function () {
  "use strict";
  const kept = new WeakMap(); // feature → what was found out about it; an edit brings new features

  /** All rings of a unit. */
  const rings = ({ geometry }) => (geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat());

  function facts(feature) {
    let found = kept.get(feature);
    if (!found) {
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      const segments = new Map();
      for (const ring of rings(feature)) {
        ring.forEach(([x, y], n) => {
          box[0] = Math.min(box[0], x); box[1] = Math.min(box[1], y);
          box[2] = Math.max(box[2], x); box[3] = Math.max(box[3], y);
          if (n) segments.set(key(ring[n - 1], ring[n]), [ring[n - 1], ring[n]]);
        });
      }
      kept.set(feature, (found = { box, segments }));
    }
    return found;
  }

  const name = ([x, y]) => `${x.toFixed(8)},${y.toFixed(8)}`;
  const key = (a, b) => [name(a), name(b)].sort().join(" ");
  const meet = (one, two, room = 1e-9) => one[0] <= two[2] + room && two[0] <= one[2] + room && one[1] <= two[3] + room && two[1] <= one[3] + room;

  /** Whether a place lies inside a unit. */
  function inside(feature, [x, y]) {
    const { box } = facts(feature);
    if (x < box[0] || x > box[2] || y < box[1] || y > box[3]) return false;
    let within = false;
    for (const ring of rings(feature)) {
      for (let n = 1; n < ring.length; n += 1) {
        const [ax, ay] = ring[n - 1], [bx, by] = ring[n];
        if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) within = !within;
      }
    }
    return within;
  }

  /** The unit that holds a place. */
  function at(features, place) {
    for (const feature of features) if (inside(feature, place)) return feature;
    return null;
  }

  /** A place well inside a unit: in the middle of the widest stretch halfway up. */
  function middle(feature) {
    const { box } = facts(feature);
    const y = (box[1] + box[3]) / 2;
    const cuts = [];
    for (const ring of rings(feature)) {
      for (let n = 1; n < ring.length; n += 1) {
        const [ax, ay] = ring[n - 1], [bx, by] = ring[n];
        if (ay > y !== by > y) cuts.push(((bx - ax) * (y - ay)) / (by - ay) + ax);
      }
    }
    cuts.sort((a, b) => a - b);
    let best = [box[0], box[2]], width = -1;
    for (let n = 1; n < cuts.length; n += 2) {
      if (cuts[n] - cuts[n - 1] > width) { width = cuts[n] - cuts[n - 1]; best = [cuts[n - 1], cuts[n]]; }
    }
    return [(best[0] + best[1]) / 2, y];
  }

  /** The borders two units share, as lines, the longest first. */
  function shared(one, two) {
    const first = facts(one), second = facts(two);
    if (!meet(first.box, second.box)) return [];
    const left = new Map([...first.segments].filter(([each]) => second.segments.has(each)));
    const ends = new Map();
    for (const [each, segment] of left) {
      for (const end of segment) ends.set(name(end), [...(ends.get(name(end)) || []), each]);
    }
    const lines = [];
    while (left.size) {
      // begin where only one segment ends, so that a line is walked from its end; a ring begins anywhere
      const begin = [...left].find(([, segment]) => segment.some((end) => ends.get(name(end)).filter((each) => left.has(each)).length === 1)) || [...left][0];
      let [each, [a, b]] = begin;
      if (ends.get(name(a)).filter((other) => left.has(other)).length !== 1) [a, b] = [b, a];
      const line = [a];
      while (each) {
        left.delete(each);
        line.push(b);
        each = ends.get(name(b)).find((other) => left.has(other));
        if (each) { const [p, q] = first.segments.get(each); b = name(p) === name(b) ? q : p; }
      }
      lines.push(line);
    }
    return lines.sort((p, q) => length(q) - length(p));
  }

  const length = (line) => line.reduce((sum, b, n) => (n ? sum + apart(line[n - 1], b) : 0), 0);

  /** Distance of two places in metres, good enough across a district. */
  function apart([ax, ay], [bx, by]) {
    const metres = 111320;
    return Math.hypot((bx - ax) * metres * Math.cos((ay * Math.PI) / 180), (by - ay) * metres);
  }

  /** Distance of a place from a line in metres. */
  function off(line, [x, y]) {
    const wide = Math.cos((y * Math.PI) / 180);
    let least = Infinity;
    for (let n = 1; n < line.length; n += 1) {
      const [ax, ay] = line[n - 1], [bx, by] = line[n];
      const dx = (bx - ax) * wide, dy = by - ay;
      const t = Math.max(0, Math.min(1, ((x - ax) * wide * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
      least = Math.min(least, apart([x, y], [ax + t * (bx - ax), ay + t * (by - ay)]));
    }
    return least;
  }

  /** Which places of a line say its course to within so many metres (Douglas & Peucker 1973): their positions. */
  function course(line, metres) {
    const kept = new Set([0, line.length - 1]);
    const open = [[0, line.length - 1]];
    while (open.length) {
      const [first, last] = open.pop();
      let far = metres, at = -1;
      for (let n = first + 1; n < last; n += 1) {
        const away = off([line[first], line[last]], line[n]);
        if (away > far) { far = away; at = n; }
      }
      if (at > 0) { kept.add(at); open.push([first, at], [at, last]); }
    }
    return [...kept].sort((a, b) => a - b);
  }

  /** Codes of the units that share a border with one. */
  function neighbours(features, one) {
    const { box, segments } = facts(one);
    const found = [];
    for (const other of features) {
      if (other === one || other.properties.code === one.properties.code) continue;
      const { box: theirs, segments: others } = facts(other);
      if (!meet(box, theirs)) continue;
      for (const each of segments.keys()) if (others.has(each)) { found.push(other.properties.code); break; }
    }
    return found;
  }

  /** The unit in which most of a line runs. */
  function mostly(features, line) {
    const near = [...features];
    const votes = new Map();
    for (let n = 1; n < line.length; n += 1) {
      const [a, b] = [line[n - 1], line[n]];
      const steps = Math.max(4, Math.min(60, Math.round(apart(a, b) / 5)));
      for (let step = 0; step < steps; step += 1) {
        const t = (step + 0.5) / steps;
        const found = at(near, [a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])]);
        if (found) votes.set(found, (votes.get(found) || 0) + apart(a, b) / steps);
      }
    }
    return [...votes].sort((p, q) => q[1] - p[1])[0]?.[0] || null;
  }

  /** The stretches where units of different parents meet. */
  function parting(features) {
    const owners = new Map();
    const found = [];
    for (const feature of features) {
      const { parent_code: parent } = feature.properties;
      for (const [each, segment] of facts(feature).segments) {
        const other = owners.get(each);
        if (other === undefined) owners.set(each, parent);
        else if (other !== parent) found.push(segment);
      }
    }
    return found;
  }

  window.planShapes = { rings, box: (feature) => facts(feature).box, inside, at, middle, shared, off, apart, length, course, neighbours, mostly, parting };
})();
