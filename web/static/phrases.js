// A ready-made note chosen above a note's field is put into it; what was typed stays before it.
document.addEventListener("change", ({ target }) => {
  if (!target.matches("select[data-phrases]") || !target.value) return;
  const note = target.closest("form").querySelector("textarea[name=note]");
  note.value = [note.value.trim(), target.value].filter(Boolean).join("\n");
  target.value = "";
  note.focus();
});
