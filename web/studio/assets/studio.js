// Checks a file of a pack while it is typed, numbers its lines, and leads from a problem to its place. Without it the file
// is checked when it is sent.
for (const editor of document.querySelectorAll("[data-check]")) {
  const text = editor.querySelector("textarea"), gutter = editor.querySelector(".gutter"), found = editor.querySelector(".found");
  const form = text.form, saved = text.value, kept = "studio " + form.action + " " + form.elements.revision.value;
  let timer, running;

  const number = () => {
    const rows = text.value.split("\n").length;
    while (gutter.childElementCount < rows) {
      const line = document.createElement("span");
      line.textContent = gutter.childElementCount + 1;
      line.id = "line-" + line.textContent;
      gutter.append(line);
    }
    while (gutter.childElementCount > rows) gutter.lastElementChild.remove();
    text.rows = rows;
  };
  const mark = () => {
    for (const line of gutter.children) line.className = "";
    for (const one of found.querySelectorAll("[data-line]")) {
      const line = gutter.children[one.dataset.line - 1];
      if (line && line.className !== "bad") line.className = one.className;
    }
    text.ariaInvalid = found.querySelector(".error") ? "true" : null;
  };
  // goTo puts the cursor at a line and column, and the line into the middle of the window.
  const goTo = (line, column) => {
    const lines = text.value.split("\n"), row = Math.min(line, lines.length) - 1;
    const start = lines.slice(0, row).reduce((sum, one) => sum + one.length + 1, 0);
    const at = start + [...lines[row]].slice(0, column - 1).join("").length;
    text.focus({ preventScroll: true });
    text.setSelectionRange(at, start + lines[row].length);
    gutter.children[row].scrollIntoView({ block: "center" });
  };
  const check = async () => {
    running?.abort();
    running = new AbortController();
    const busy = setTimeout(() => { found.dataset.busy = editor.dataset.checking; }, 600);
    try {
      const answer = await fetch(editor.dataset.check, { method: "POST", body: new URLSearchParams(new FormData(form)), signal: running.signal });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      found.replaceChildren(...page.body.childNodes);
      mark();
    } catch { /* a newer check took its place, or there is no network: it can still be sent */ } finally {
      clearTimeout(busy);
      delete found.dataset.busy;
    }
  };

  text.addEventListener("input", () => {
    number();
    sessionStorage.setItem(kept, text.value);
    clearTimeout(timer);
    timer = setTimeout(check, 500);
  });
  text.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const before = text.value.slice(0, text.selectionStart), line = before.slice(before.lastIndexOf("\n") + 1);
    const indent = line.match(/^ */)[0];
    if (!indent) return;
    event.preventDefault();
    document.execCommand("insertText", false, "\n" + indent); // keeps the browser's own "undo"
  });
  found.addEventListener("click", (event) => {
    const place = event.target.closest("a")?.closest("[data-line]");
    if (!place) return;
    event.preventDefault();
    goTo(Number(place.dataset.line), Number(place.dataset.column));
  });
  form.addEventListener("submit", () => removeEventListener("beforeunload", hold));
  const hold = (event) => { if (text.value !== saved) event.preventDefault(); };
  addEventListener("beforeunload", hold);

  // What was typed and not saved, because a session ended or a window was closed by mistake, is there again in this tab.
  const typed = sessionStorage.getItem(kept);
  for (const old of Object.keys(sessionStorage)) if (old.startsWith("studio " + form.action + " ") && old !== kept) sessionStorage.removeItem(old);
  if (typed !== null && typed !== saved) {
    text.value = typed;
    number();
    check();
  }
  const line = location.hash.match(/^#line-(\d+)$/);
  if (line) goTo(Number(line[1]), 1);
}
