// Shows what is found while the reader types. Without it the form is sent and answered by a page of its own.
for (const form of document.querySelectorAll("form[data-suggest]")) {
  const input = form.querySelector("input[type=search]"), place = form.querySelector(".found");
  let timer, running;
  const show = (found) => {
    if (!found.length) { place.replaceChildren(); return; }
    const list = document.createElement("ul");
    list.className = "found-list";
    for (const one of found) {
      const item = document.createElement("li"), link = document.createElement("a");
      link.href = one.href;
      link.textContent = one.title;
      item.append(link);
      list.append(item);
    }
    place.replaceChildren(list);
  };
  const ask = async () => {
    running?.abort();
    const words = input.value.trim();
    if (words.length < 2) { show([]); return; }
    running = new AbortController();
    try {
      const answer = await fetch(form.dataset.suggest + "?" + new URLSearchParams({ q: words }), { signal: running.signal });
      if (answer.ok) show((await answer.json()).found);
    } catch { /* a newer question took its place, or there is no network: the form still works */ }
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, 150); });
  input.addEventListener("keydown", (event) => { if (event.key === "Escape") show([]); });
}
