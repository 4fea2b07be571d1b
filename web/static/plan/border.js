// A shared border in the hand: a line whose points are dragged, both neighbours following, numbers changing meanwhile.
(function () {
  "use strict";
  if (!window.planDesk) return;
  const { state, edit, preview, forget, map, said } = planDesk;
  const { shared, off, course } = planShapes;
  const MOST_POINTS = 40; // handles shown at a time, those next to the hand
  const FINE = 6; // pixels a handle may save: a border around a house has many corners, and nobody drags each
  const NEAR = 30; // pixels from a border within which a click means it
  let held = null; // { one, two, line, layer, handles: positions on the line }

  const spot = ([lng, lat]) => `${lng.toFixed(9)} ${lat.toFixed(9)}`;
  const metre = (lat) => (40075016 * Math.cos((lat * Math.PI) / 180)) / 2 ** (map.getZoom() + 8); // of a pixel

  /** The line as it is to be: as it was between two handles that nobody touched, straight everywhere else. */
  function drawn({ layer, line, handles }) {
    const known = new Map(handles.map((at, n) => [spot(line[at]), n]));
    const places = layer.getLatLngs().map(({ lat, lng }) => [lng, lat]);
    return places.flatMap((place, n) => {
      const from = n ? known.get(spot(places[n - 1])) : undefined;
      return from !== undefined && known.get(spot(place)) === from + 1 ? line.slice(handles[from] + 1, handles[from + 1] + 1) : [place];
    });
  }

  function drop() {
    if (!held) return;
    held.layer.pm.disable();
    held.layer.remove();
    planDesk.snaps([held.one, held.two], true);
    held = null;
    forget();
  }

  /** Take the border of two units into the hand, of several stretches the one nearest to a place. */
  function take(one, two, near, quiet = false) {
    drop();
    const first = state.units.get(one), second = state.units.get(two);
    const lines = first && second ? shared(first, second) : [];
    if (!lines.length) return planDesk.say(said.noBorder, true);
    const line = near ? lines.reduce((best, each) => (off(each, near) < off(best, near) ? each : best)) : lines[0];
    const last = line[line.length - 1];
    if (line[0][0] === last[0] && line[0][1] === last[1]) return planDesk.say(said.ringed, true);
    const handles = course(line, FINE * metre(line[0][1]));
    const layer = L.polyline(handles.map((n) => [line[n][1], line[n][0]]), { pane: "plan-hand", color: "#7a0f3c", weight: 4, pmIgnore: false, snapIgnore: true, interactive: false }).addTo(map);
    held = { one, two, line, handles, layer };
    const ends = [layer.getLatLngs()[0], layer.getLatLngs()[handles.length - 1]];
    /** Whether a point is no end: ends hang on other borders. */
    const inner = ({ marker }) => {
      const free = !ends.some((end) => end.equals(marker.getLatLng()));
      if (!free) planDesk.say(said.ends, true);
      return free;
    };
    planDesk.snaps([one, two], false); // else the hand would stick to where the border was
    layer.pm.enable({
      snappable: true, snapDistance: 12, allowSelfIntersection: false, limitMarkersToCount: MOST_POINTS,
      moveVertexValidation: inner,
      removeVertexValidation: inner,
    });
    layer.on("pm:markerdrag", () => preview("reshape", { one, two, line: drawn(held) }));
    layer.on("pm:markerdragend pm:vertexremoved", (event) => keep(event.markerEvent?.target?.getLatLng?.()));
    if (!quiet) planDesk.say(said.held.replace("{one}", name(one)).replace("{two}", name(two)));
    planDesk.pick([one, two]);
  }

  const name = (code) => planDesk.titleOf(state.units.get(code));

  /** Keep the border where the hand has left it, and hold on to what became of it. */
  async function keep(left) {
    const { one, two, layer } = held;
    const line = drawn(held);
    const near = left ? [left.lng, left.lat] : line[Math.floor(line.length / 2)];
    const kept = await edit("reshape", { one, two, line }).catch(() => null); // what is refused has been told; the border springs back
    if (held?.layer === layer) take(one, two, near, !kept);
  }

  /** The border next to a click: of the unit below it and the neighbour it is nearest to. */
  function near(latlng) {
    const feature = planDesk.unitAt(latlng);
    if (!feature) return null;
    const place = planDesk.place(latlng);
    let best = null;
    for (const other of state.units.values()) {
      if (other === feature) continue;
      for (const line of shared(feature, other)) {
        const far = off(line, place);
        if (!best || far < best.far) best = { far, codes: [feature.properties.code, other.properties.code] };
      }
    }
    if (!best) return null;
    return best.far < NEAR * metre(latlng.lat) ? best.codes : null;
  }

  planDesk.border = { take, drop, near, held: () => held && [held.one, held.two] };
})();
