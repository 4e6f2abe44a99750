// Verifies in the reader's own browser that the public log has an entry: that the entry is the hash of its header, that
// the path of hashes leads from it to the root of the checkpoint (RFC 9162, 2.1.3.2), and that the log signed the
// checkpoint (C2SP signed note, Ed25519). Without it the page still holds all of that as text.
const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const join = (...parts) => { const all = new Uint8Array(parts.reduce((n, p) => n + p.length, 0)); let at = 0; for (const p of parts) { all.set(p, at); at += p.length; } return all; };
const hash = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", join(...parts)));
const same = (a, b) => a.length === b.length && a.every((value, i) => value === b[i]);
const text = (string) => new TextEncoder().encode(string);

async function included(entry, index, path, size, root) {
  let at = index, last = size - 1, node = await hash([0], entry);
  for (const step of path) {
    if (last === 0) return false;
    if (at % 2 === 1 || at === last) {
      node = await hash([1], step, node);
      while (at % 2 === 0 && at !== 0) { at = Math.floor(at / 2); last = Math.floor(last / 2); }
    } else node = await hash([1], node, step);
    at = Math.floor(at / 2); last = Math.floor(last / 2);
  }
  return last === 0 && index < size && same(node, root);
}

// Returns whether the log's key signed the checkpoint; undefined where the browser knows no Ed25519.
async function signed(note, key) {
  const [name, , encoded] = [key.split("+")[0], 0, key.split("+").slice(2).join("+")];
  const split = note.lastIndexOf("\n\n"), signedText = text(note.slice(0, split + 1)), raw = bytes(encoded);
  let imported;
  try { imported = await crypto.subtle.importKey("raw", raw.slice(1), { name: "Ed25519" }, false, ["verify"]); } catch { return undefined; }
  for (const line of note.slice(split + 2).split("\n")) {
    const [dash, who, signature] = line.split(" ");
    if (dash === "\u2014" && who === name && raw[0] === 1 && await crypto.subtle.verify("Ed25519", imported, bytes(signature).slice(4), signedText)) return true;
  }
  return false;
}

async function verify({ proof, header, entry, key }) {
  const [head, note] = [proof.slice(0, proof.indexOf("\n\n")), proof.slice(proof.indexOf("\n\n") + 2)];
  const lines = head.split("\n").filter((line) => !line.startsWith("extra "));
  const index = Number(lines[1].split(" ")[1]), path = lines.slice(2).map(bytes);
  const [, size, root] = note.split("\n");
  const expected = join([1], await hash(text("yagona event v1\n"), bytes(header)));
  if (!same(expected, bytes(entry)) || !await included(bytes(entry), index, path, Number(size), bytes(root))) return "bad";
  const ok = await signed(note, key);
  return ok === undefined ? "unsigned" : ok ? "good" : "bad";
}

for (const place of document.querySelectorAll("[data-proof]")) {
  const verdict = place.querySelector("[role=status]");
  let found = "bad";
  try { found = await verify(place.dataset); } catch { /* what cannot be read is not proven */ }
  verdict.textContent = place.dataset[found];
  verdict.className = "verdict " + (found === "unsigned" ? "wait" : found);
}
