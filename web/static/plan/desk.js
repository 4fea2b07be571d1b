// The desk around the map: undo and redo, what is saved, who draws, locks, branches, and what has gone wrong.
(function () {
  "use strict";
  if (!window.planDesk) return;
  const { root, given, said, state, hear, load, keep, send, claim, mine, may, draws, pick } = planDesk;
  const $ = (id) => document.getElementById(id);
  const lang = document.documentElement.lang;
  const clock = new Intl.DateTimeFormat(lang, { timeZone: given.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  const moment = new Intl.DateTimeFormat(lang, { timeZone: given.zone, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

  /** Say one sentence below the tools; a refusal stays until something succeeds. */
  function say(text, bad = false) {
    const line = $("plan-said");
    line.textContent = text;
    line.classList.toggle("late", bad);
  }
  planDesk.say = say;

  const time = (moment) => clock.format(new Date(moment));

  // ---- what is saved -----------------------------------------------------------------------------------

  let unfit = false; // what is said is why the hand cannot stay where it is
  let last = ""; // what was said of the last edit that was kept

  function saved(text, bad = false) {
    $("plan-saved").textContent = text;
    $("plan-saved").classList.toggle("late", bad);
  }
  hear("saving", () => saved(said.saving));
  hear("saved", () => { last = said.saved.replace("{time}", clock.format(new Date())); saved(last); say(""); });
  hear("unfit", (refused) => { unfit = true; say(refused.message, true); });
  hear("previewed", () => { if (unfit) say(""); unfit = false; }); // the hand has moved on to where it can be
  hear("refused", (refused) => {
    if (refused.kind === "PlanMoved") stopped(refused.message, "reload");
    else if (refused.kind === "Claimed") stopped(refused.message, "over");
    else say(refused.message, true);
    saved(refused.status ? last : said.unsaved, !refused.status);
  });

  /** Tell who stands in the way, with what can be done about it. */
  function stopped(text, way) {
    $("plan-stopped-text").textContent = text;
    for (const button of $("plan-stopped").querySelectorAll("button")) button.hidden = button.dataset.way !== way;
    $("plan-stopped").hidden = !text;
  }
  $("plan-stopped").addEventListener("click", async ({ target }) => {
    const way = target.dataset.way;
    if (!way) return;
    stopped("");
    if (way === "over") await claim(true);
    await load();
  });

  // ---- who draws ---------------------------------------------------------------------------------------

  /** Who draws, in a few words; another one's claim is told above the tools instead, to those who could take over. */
  function told(held, status) {
    if (status !== "draft") return said.closed;
    if (!held) return may() || state.plan.base_moved ? "" : said.looks;
    if (!mine() && may()) return "";
    return by(mine() ? said.yours : said.theirs, held);
  }
  const by = (text, held) => text.replace("{by}", held.by).replace("{time}", time(held.until));

  function standing() {
    const { claim: held, status } = state.plan;
    const writes = draws();
    $("plan-claim").textContent = told(held, status);
    for (const button of root.querySelectorAll("[data-writes]")) button.disabled = !writes;
    root.classList.toggle("read-only", !writes);
    if (held && !mine() && may()) stopped(by(said.theirs, held), "over");
    else if (state.plan.base_moved && status === "draft") stopped(said.baseMoved, "");
    else if (!$("plan-stopped").querySelector('[data-way="over"]').hidden) stopped("");
    steps();
    others();
  }

  function steps() {
    $("plan-undo").disabled = !draws() || !state.plan.can_undo;
    $("plan-redo").disabled = !draws() || !state.plan.can_redo;
  }

  function others() {
    const list = $("plan-others");
    list.replaceChildren(...(state.plan.others || []).map((other) => {
      const row = gridmgr.element("li");
      const link = gridmgr.element("a", "", other.name);
      link.href = `/plans/${encodeURIComponent(other.id)}`;
      const beside = gridmgr.element("a", "", said.compare);
      beside.href = `/plans/${given.id}/compare?with=${encodeURIComponent(other.id)}`;
      const who = other.claim ? by(said.theirs, other.claim) : said.openedBy.replace("{by}", other.created_by);
      row.append(link, gridmgr.element("span", "hint", ` ${who} `), beside);
      return row;
    }));
    $("plan-others-none").hidden = list.childElementCount > 0;
  }

  const reading = window.matchMedia("(max-width: 620px)"); // on a phone a plan is read, and kept from nobody
  hear("loaded", () => { standing(); if (!state.plan.claim && !reading.matches) claim(); });
  hear("claimed", standing);
  hear("changed", steps);

  // ---- undo, redo, locks, branches -----------------------------------------------------------------------

  /** Which units an edit was about, by the ends of their codes. */
  function about({ code, one, two, codes, to }) {
    const named = [code, one, two, ...(codes || []), to].filter(Boolean).map((each) => `…${each.slice(-3)}`);
    return named.length > 4 ? `${named.slice(0, 4).join(" ")} …` : named.join(" ");
  }

  /** The edits that led here, the newest first, once somebody asks for them. */
  async function history() {
    if (!$("plan-history").open) return;
    const { edits } = await planDesk.ask("/edits").catch(() => ({ edits: [] }));
    $("plan-edits").replaceChildren(...edits.slice(0, 200).map(({ kind, by, at, args }) => {
      const row = gridmgr.element("li", "", `${said.edits[kind] || kind} ${about(args)}`);
      row.append(gridmgr.element("span", "hint", ` ${by} · ${moment.format(new Date(at))}`));
      return row;
    }));
  }
  $("plan-history").addEventListener("toggle", history);
  hear("changed loaded", history);

  const step = (way) => { if (!$(`plan-${way}`).disabled) keep(`/${way}`, {}, () => state.plan[`can_${way}`]).catch(() => {}); };
  $("plan-undo").addEventListener("click", () => step("undo"));
  $("plan-redo").addEventListener("click", () => step("redo"));
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea, select")) return;
    const way = { z: event.shiftKey ? "redo" : "undo", y: "redo" }[event.key.toLowerCase()];
    if (way) { event.preventDefault(); step(way); }
  });

  async function locked(codes) {
    const answer = await send("/locks", { codes });
    const now = new Set(answer.codes || codes);
    state.plan.locked = [...now];
    for (const { properties } of state.units.values()) properties.locked = now.has(properties.code);
    planDesk.tell("locked");
    planDesk.tell("picked");
  }
  /** Lock units, or open those that are locked. */
  planDesk.lock = (codes) => {
    const now = new Set([...state.units.values()].filter(({ properties }) => properties.locked).map(({ properties }) => properties.code));
    for (const code of codes) if (!now.delete(code)) now.add(code);
    return locked([...now]);
  };
  planDesk.lockAll = (all) => locked(all ? [...state.units.keys()] : []);

  for (const opener of root.querySelectorAll("[data-dialog]")) opener.addEventListener("click", () => $(opener.dataset.dialog).showModal());
  for (const closer of document.querySelectorAll("dialog [data-close]")) closer.addEventListener("click", () => closer.closest("dialog").close());
  $("plan-branch")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { name } = Object.fromEntries(new FormData(event.target.closest("form")));
    try {
      const branch = await send("/branches", { name: name.trim() });
      location.href = `/plans/${encodeURIComponent(branch.id)}`;
    } catch (refused) {
      $("plan-branch").close();
    }
  });
  $("plan-discard")?.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await send("/discard", {});
      location.href = "/plans";
    } catch (refused) {
      $("plan-discard").close();
    }
  });

  root.querySelector("form[action$='/submit']")?.addEventListener("submit", async (event) => {
    if (!state.plan) return; // not read yet: the form goes as it is
    event.preventDefault(); // what keeps it from going is told here, where it can be mended
    try {
      const found = await send("/submit", { on_tip: state.plan.tip });
      location.href = `/publications/${encodeURIComponent(found.id)}`;
    } catch { /* told already */ }
  });

  $("plan-all").addEventListener("click", () => { pick([]); window.gridmgrMap.fitBounds(gridmgr.data.bounds, gridmgr.ROOM); });
  load();
})();
