// Sends where this person is, every minute while the page is open, if and only if the person has switched that on.
(function () {
  "use strict";
  const own = () => document.getElementById("sharing");
  const { "x-csrf-token": csrf } = JSON.parse(document.body.getAttribute("hx-headers"));
  const clock = () => new Intl.DateTimeFormat("sv-SE", { timeZone: own().dataset.zone, hour: "2-digit", minute: "2-digit" });
  let timer = 0;

  function say(text) {
    const place = document.getElementById("sharing-said");
    if (place) place.textContent = text;
  }

  async function send({ longitude, latitude, accuracy }) {
    // The web's geolocation is WGS-84 by its own definition, whatever a map on the phone shows.
    const body = JSON.stringify({ lon: longitude, lat: latitude, datum: "wgs84", accuracy_m: Math.min(accuracy, 1e6) });
    const headers = { "content-type": "application/json", "x-csrf-token": csrf };
    const answer = await fetch("/api/positions", { method: "POST", headers, body }).catch(() => null);
    if (!answer) return;
    const told = await answer.json();
    say(answer.ok ? own().dataset.sent.replace("{time}", clock().format(new Date(told.sent_at))) : told.detail);
  }

  function locate() {
    if (own()?.dataset.sharing !== "on" || document.hidden) return;
    if (!navigator.geolocation) return say(own().dataset.denied);
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => send(coords), () => say(own().dataset.denied), { maximumAge: 30000, timeout: 20000 },
    );
  }

  function begin() {
    clearInterval(timer);
    if (own()?.dataset.sharing !== "on") return;
    timer = setInterval(locate, Number(own().dataset.every) * 1000);
    locate();
  }

  document.addEventListener("htmx:load", () => { if (own() && !own().begun) { own().begun = true; begin(); } });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) locate(); });
  // The report form has asked the browser already; what it found is as good.
  document.addEventListener("gridmgr:located", ({ detail }) => { if (own()?.dataset.sharing === "on") send(detail); });
})();
