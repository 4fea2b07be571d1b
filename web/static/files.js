// Photos and documents of a form: sent in the background as soon as they are chosen, named by their content
// when the form itself is sent. Without this script the form sends them itself.

(function () {
  "use strict";
  const LONGEST = 4096; // pixels; a phone's larger photo is made smaller before it is sent if it is too heavy

  function start(box) {
    if (box.dataset.ready) return;
    box.dataset.ready = "true";
    const input = box.querySelector("input[type=file]");
    const list = box.querySelector("ul");
    input.removeAttribute("name"); // from now on the form sends hashes
    input.addEventListener("change", () => {
      for (const file of input.files) send(box, list, file);
      input.value = "";
    });
    for (const name of ["dragover", "drop"]) {
      box.addEventListener(name, (event) => {
        event.preventDefault();
        if (name === "drop") for (const file of event.dataTransfer.files) send(box, list, file);
      });
    }
    box.closest("form").addEventListener("submit", (event) => {
      if (box.querySelector("[aria-busy=true]")) {
        event.preventDefault();
        event.stopImmediatePropagation();
        box.querySelector("[role=status]").textContent = box.dataset.wait;
      }
    }, true);
  }

  async function send(box, list, file) {
    const row = document.createElement("li");
    const name = document.createElement("span");
    const picture = document.createElement("img");
    const drop = document.createElement("button");
    name.textContent = file.name;
    picture.alt = "";
    drop.type = "button";
    drop.className = "plain";
    drop.textContent = box.dataset.remove;
    drop.setAttribute("aria-label", `${box.dataset.remove}: ${file.name}`);
    drop.addEventListener("click", () => row.remove());
    if (file.type.startsWith("image/")) picture.src = URL.createObjectURL(file);
    row.append(picture, name, drop);
    row.setAttribute("aria-busy", "true");
    list.append(row);
    try {
      const answer = await post(box, await light(file, Number(box.dataset.limit) * 1024 * 1024));
      const kept = document.createElement("input");
      kept.type = "hidden";
      kept.name = "files";
      kept.value = `${answer.sha256}:${file.name}`;
      row.append(kept);
      box.dispatchEvent(new CustomEvent("kept", { bubbles: true }));
    } catch (problem) {
      row.classList.add("failed");
      const told = document.createElement("em");
      told.setAttribute("role", "alert");
      told.textContent = problem.message;
      row.append(told);
    } finally {
      row.removeAttribute("aria-busy");
    }
  }

  async function post(box, file) {
    const body = new FormData();
    body.append("files", file, file.name);
    const token = box.closest("form").querySelector("[name=csrf]").value;
    let answer;
    try {
      answer = await fetch("/api/files", { method: "POST", body, headers: { "x-csrf-token": token } });
    } catch {
      throw new Error(box.dataset.lost);
    }
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.detail || box.dataset.lost);
    return told.items[0];
  }

  // Return the file, or a smaller picture of it if it is heavier than what is taken.
  async function light(file, limit) {
    if (file.size <= limit || !file.type.startsWith("image/")) return file;
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const content = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return content ? new File([content], file.name.replace(/\.\w+$/, "") + ".jpg", { type: "image/jpeg" }) : file;
  }

  const all = (root) => root.querySelectorAll("[data-files]").forEach(start);
  document.addEventListener("DOMContentLoaded", () => all(document));
  document.addEventListener("htmx:load", (event) => all(event.detail.elt.parentElement || document));
})();
