// Keeps what is typed while the reader chooses another language: it is put back on the page in that language. Nothing of it
// is kept longer than until the next page of the tab.
const key = "typed";
const fields = () => [...document.forms].filter((form) => form.method === "post" && form.closest("main"))
  .flatMap((form) => [...form.elements]).filter((field) => field.name && !["hidden", "file", "password", "submit", "fieldset"].includes(field.type));
const state = (field) => (field.type === "radio" || field.type === "checkbox" ? "checked" : "value");

const kept = sessionStorage.getItem(key);
sessionStorage.removeItem(key);
if (kept) {
  const { page, values } = JSON.parse(kept);
  if (page === location.pathname) {
    fields().forEach((field, i) => {
      if (values[i]?.[0] === field.name) field[state(field)] = values[i][1];
    });
  }
}

document.querySelector(".languages")?.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  event.preventDefault(); // without this script the button sends one form; here all of them are kept
  const to = new URL(button.formAction), values = fields().map((field) => [field.name, field[state(field)]]);
  if (values.length) sessionStorage.setItem(key, JSON.stringify({ page: to.pathname, values }));
  location.assign(to);
});
