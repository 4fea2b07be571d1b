// What the server holds of a boundary plan, kept here: read once, then changed by its answers, one edit at a time.
(function () {
  "use strict";
  const root = document.getElementById("plan-desk");
  if (!root) return;
  const given = JSON.parse(document.getElementById("plan-given").textContent);
  const said = given.words;
  const address = `/api/plans/${given.id}`;
  const secret = JSON.parse(document.body.getAttribute("hx-headers"))["x-csrf-token"];
  const state = { plan: null, units: new Map(), buildings: new Map(), around: null, picked: [], ghost: null };
  const RENEW = 4 * 60 * 1000; // a claim lasts ten minutes
  let queue = Promise.resolve();
  let wanted = null; // the next preview; what was asked before it is of no interest any more
  let previewing = false;
  let unfit = false; // the last preview was refused
  let round = 0; // a preview asked before the last edit is dropped

  /** What the server refused, in its own words. */
  class Refused extends Error {
    constructor(status, told = {}) {
      super(told.detail || said.lost);
      Object.assign(this, { status, kind: String(told.type || "").split("#")[1] || "", details: told.details || {} });
    }
  }

  const tell = (name, detail = {}) => document.dispatchEvent(new CustomEvent("plan:" + name, { detail }));
  const hear = (names, act) => names.split(" ").forEach((name) => document.addEventListener("plan:" + name, ({ detail }) => act(detail, name)));

  /** Ask the server; what it refuses is thrown. */
  async function ask(path, body) {
    const headers = { Accept: "application/json", "x-csrf-token": secret };
    if (body) headers["Content-Type"] = "application/json";
    let answer;
    try {
      answer = await fetch(address + path, body ? { method: "POST", headers, body: JSON.stringify(body) } : { headers });
    } catch {
      throw new Refused(0);
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Refused(answer.status, told);
    return told;
  }

  const byCode = (features) => new Map(features.map((feature) => [feature.properties.code, feature]));

  /** Read the plan anew: when the page opens, and after somebody else has drawn. */
  async function load() {
    try {
      const housing = ask("/buildings");
      housing.catch(() => {}); // told below
      const [plan, units, around] = await Promise.all(["", "/units", "/around"].map((path) => ask(path)));
      Object.assign(state, { plan, ghost: null, units: byCode(units.features), buildings: new Map(), around });
      state.picked = state.picked.filter((code) => state.units.has(code));
      inTurn(() => housing.then(({ features }) => { state.buildings = byCode(features); tell("housed"); })).catch((refused) => tell("refused", refused));
      tell("loaded"); // a whole district has its houses some seconds later; what is drawn meanwhile waits for them
    } catch (refused) {
      tell("refused", refused);
    }
  }

  // ---- what is seen: the plan as kept, with a preview over it --------------------------------------

  const unit = (code) => state.ghost?.units.get(code) || (state.ghost?.gone.has(code) ? undefined : state.units.get(code));

  /** Every unit as it is seen. */
  function units() {
    if (!state.ghost) return [...state.units.values()];
    const { gone, units: drawn } = state.ghost;
    const kept = [...state.units].filter(([code]) => !gone.has(code) && !drawn.has(code)).map(([, feature]) => feature);
    return [...kept, ...drawn.values()];
  }

  const totals = () => state.ghost?.totals || state.plan.totals || {};
  const changes = () => state.ghost?.changes || state.plan.changes || {};
  const listed = (features) => features?.features || features || [];

  function apply(answer) {
    const drawn = listed(answer.units);
    for (const feature of drawn) state.units.set(feature.properties.code, feature);
    for (const code of answer.gone || []) state.units.delete(code);
    for (const [code, home] of Object.entries(answer.homes || {})) {
      const building = state.buildings.get(code);
      if (building) building.properties.home = home;
    }
    for (const name of ["tip", "totals", "changes", "can_undo", "can_redo", "claim", "locked"]) if (name in answer) state.plan[name] = answer[name];
    settle();
    state.ghost = null;
    unfit = false;
    round += 1;
    wanted = null;
    state.picked = state.picked.filter((code) => state.units.has(code));
    tell("changed", { codes: drawn.map((feature) => feature.properties.code), gone: answer.gone || [], homes: answer.homes || {} });
  }

  /** The mean has moved with the number of units, and with it how far each unit is from it, drawn or not. */
  function settle() {
    const mean = state.plan.totals?.mean?.households;
    for (const { properties } of state.units.values()) properties.deviation = mean ? properties.households / mean - 1 : 0;
  }

  /** Do one thing after the other, so that each names the tip the one before has made. */
  function inTurn(act) {
    const turn = queue.then(act);
    queue = turn.catch(() => {});
    return turn;
  }

  /** Keep an edit, undo or redo, if it can be when its turn comes; the answer is shown, a refusal told and thrown. */
  function keep(path, body = {}, can = () => true) {
    return inTurn(async () => {
      if (!can()) return null;
      tell("saving");
      const began = performance.now();
      try {
        const answer = await ask(path, { on_tip: state.plan.tip, ...body });
        apply(answer);
        root.dataset.took = Math.round(performance.now() - began);
        tell("saved");
        return answer;
      } catch (refused) {
        forget();
        tell("refused", refused);
        if (refused.kind === "Claimed") standing(); // it was one's own a moment ago
        throw refused;
      }
    });
  }

  const edit = (kind, args) => keep("/edits", { kind, ...args });

  /** Show what an edit would bring, while the hand still moves: one question at a time, the newest next.
   *  Refusals of some kinds may be no faults yet: then nothing is shown and nothing said. */
  async function preview(kind, args, unfinished = []) {
    wanted = { kind, ...args };
    if (previewing) return;
    previewing = true;
    while (wanted) {
      const asked = wanted, before = round;
      wanted = null;
      try {
        const answer = await ask("/preview", { on_tip: state.plan.tip, ...asked });
        if (before !== round) continue;
        unfit = false;
        state.ghost = { ...answer, units: byCode(listed(answer.units)), gone: new Set(answer.gone || []), homes: answer.homes || {} };
        tell("previewed");
      } catch (refused) {
        if (before !== round) continue;
        state.ghost = null;
        if (unfinished.includes(refused.kind)) tell("previewed");
        else { unfit = true; tell("unfit", refused); }
      }
    }
    previewing = false;
  }

  /** Take a preview off the screen again. */
  function forget() {
    wanted = null;
    round += 1;
    if (!state.ghost && !unfit) return;
    state.ghost = null;
    unfit = false;
    tell("previewed");
  }

  /** Do something that is no edit: claim, locks, branches; its answer tells how the plan stands. */
  async function send(path, body = {}) {
    try {
      const answer = await ask(path, body);
      for (const name of ["claim", "locked", "status", "others", "name"]) if (name in answer) state.plan[name] = answer[name];
      return answer;
    } catch (refused) {
      tell("refused", refused);
      throw refused;
    }
  }

  const mine = () => state.plan?.claim?.by === given.me;
  const may = () => Boolean(state.plan?.may_draw);
  const draws = () => may() && (!state.plan.claim || mine());

  /** Say that one draws here, and go on saying it while the page is open. */
  async function claim(over = false) {
    if (!may()) return;
    try {
      state.plan.claim = (await ask("/claim", { take_over: over })).claim;
      tell("claimed");
    } catch (refused) {
      if (refused.kind !== "Claimed" || over) tell("refused", refused);
      else await standing();
    }
  }

  /** Read again what stands beside the drawing: who draws, the other plans, the communities. */
  async function reread(told) {
    try {
      const { claim: held, others, parents, tip } = await ask("");
      if (tip !== state.plan.tip && !mine()) { await load(); return; } // who only looks on sees what somebody draws
      Object.assign(state.plan, { claim: held, others, parents });
      tell(told);
    } catch { /* the next round asks again */ }
  }
  const standing = () => reread("claimed");

  setInterval(() => { if (state.plan && !document.hidden && mine()) claim(); }, RENEW);
  setInterval(() => { if (state.plan && !document.hidden && !mine()) standing(); }, 20000);

  function pick(codes) {
    state.picked = [...new Set(codes)].filter((code) => state.units.has(code));
    tell("picked");
  }

  window.planDesk = { root, given, said, state, tell, hear, ask, load, keep, edit, preview, forget, send, claim, mine, may, draws, reread: () => reread("reread"), pick, unit, units, totals, changes };
})();
