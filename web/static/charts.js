// Charts drawn from inert JSON: <div data-chart="ID"> and <script type="application/json" id="ID">.
// What they show is text and numbers; the table below holds the same, so nobody depends on them.
(function () {
  "use strict";

  const drawn = new Set();

  /** Draw one chart into its box; a click on a part leads to its cases. */
  function draw(box) {
    const data = document.getElementById(box.dataset.chart);
    if (!data || !window.echarts) return;
    const chart = echarts.init(box, null, { renderer: "svg" });
    chart.setOption(JSON.parse(data.textContent));
    chart.on("click", ({ data: part }) => {
      if (part && typeof part.href === "string" && part.href.startsWith("/trends/")) location.assign(part.href);
    });
    new ResizeObserver(() => chart.resize()).observe(box);
    drawn.add(chart);
  }

  /** Draw what is new on the page, and let go of what has left it. */
  function all() {
    for (const chart of drawn) if (!chart.getDom().isConnected) { chart.dispose(); drawn.delete(chart); }
    document.querySelectorAll("[data-chart]:not([_echarts_instance_])").forEach(draw);
  }

  all();
  document.addEventListener("htmx:afterSettle", all);
})();
