// Cases of the past on one canvas: a sign each, drawn by copying pictures, so that thousands of them can play.
(function () {
  "use strict";

  const SHAPES = {
    disc: (pen, r) => pen.arc(0, 0, r, 0, 7),
    ring: (pen, r) => pen.arc(0, 0, r, 0, 7),
    diamond: (pen, r) => { pen.moveTo(0, -r * 1.2); pen.lineTo(r * 1.2, 0); pen.lineTo(0, r * 1.2); pen.lineTo(-r * 1.2, 0); pen.closePath(); },
    square: (pen, r) => pen.rect(-r * 0.9, -r * 0.9, r * 1.8, r * 1.8),
  };

  /** A small picture of each state, on time and late, so that drawing a case is copying it. */
  function pictures(states, signs, radius, ratio) {
    const side = Math.ceil((radius + 5) * 2 * ratio);
    return states.flatMap((state) => [false, true].map((late) => {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = side;
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      pen.translate(side / ratio / 2, side / ratio / 2);
      const { colour, shape } = signs[state] || { colour: "#555", shape: "disc" };
      if (late) { pen.beginPath(); pen.arc(0, 0, radius + 3.5, 0, 7); pen.lineWidth = 2; pen.strokeStyle = "#a3131f"; pen.stroke(); }
      pen.beginPath();
      SHAPES[shape] ? SHAPES[shape](pen, radius) : SHAPES.disc(pen, radius);
      pen.fillStyle = shape === "ring" ? "#fff" : colour;
      pen.fill();
      pen.lineWidth = shape === "ring" ? 3 : 1.5;
      pen.strokeStyle = shape === "ring" ? colour : "#fff";
      pen.stroke();
      pen.lineWidth = 0.7;
      pen.strokeStyle = "#222";
      pen.stroke();
      return canvas;
    }));
  }

  /**
   * A layer of the cases that `tell` tells of: where they are, which state of `states` each is in (twice its place, and
   * one more if it is late), and which of them fit.
   */
  const Past = L.Layer.extend({
    initialize(signs, tell) {
      Object.assign(this, { signs, tell });
    },
    onAdd() {
      this.canvas = L.DomUtil.create("canvas", "past-cases leaflet-zoom-hide", this._map.getPane("markerPane"));
      this._map.on("moveend zoomend resize", this.place, this);
      this.place();
    },
    onRemove() {
      this._map.off("moveend zoomend resize", this.place, this);
      this.canvas.remove();
    },
    /** Lay the canvas over the view, and find each case's place on it. */
    place() {
      const map = this._map;
      const { x, y } = map.getSize();
      this.ratio = window.devicePixelRatio || 1;
      Object.assign(this.canvas, { width: x * this.ratio, height: y * this.ratio });
      Object.assign(this.canvas.style, { width: x + "px", height: y + "px" });
      const corner = map.containerPointToLayerPoint([0, 0]);
      L.DomUtil.setPosition(this.canvas, corner);
      const origin = map.getPixelOrigin();
      const { states, cases: { lon, lat } } = this.tell();
      this.places = lon.map((each, n) => map.project([lat[n], each]).subtract(origin).subtract(corner));
      this.radius = Math.max(4, Math.min(8, map.getZoom() - 8));
      this.pictures = pictures(states, this.signs, this.radius, this.ratio);
      this.draw();
    },
    draw() {
      const pen = this.canvas.getContext("2d");
      pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
      const { how, fits } = this.tell();
      const half = this.pictures[0].width / 2;
      this.shown = [];
      for (const late of [0, 1]) { // what is late lies on top
        for (let n = 0; n < this.places.length; n += 1) {
          if ((how[n] & 1) !== late || !fits(n)) continue;
          const { x, y } = this.places[n];
          pen.drawImage(this.pictures[how[n]], Math.round(x * this.ratio - half), Math.round(y * this.ratio - half));
          this.shown.push(n);
        }
      }
    },
    /** The case whose sign lies at a point of the view, the topmost of several. */
    at(point) {
      return this.shown.findLast((n) => this.places[n].distanceTo(point) <= this.radius + 3);
    },
  });
  gridmgr.past = (signs, tell) => new Past(signs, tell);
})();
