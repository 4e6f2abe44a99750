// Asks a passkey for a new key, or for a signature on the page's challenge, and sends what it gives with the form.
const bytes = (text) => Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const text = (data) => btoa(String.fromCharCode(...new Uint8Array(data))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

for (const place of document.querySelectorAll("[data-challenge]")) {
  const form = place.querySelector("form"), told = place.querySelector("[role=status]");
  const { challenge, site, user, name, keys } = place.dataset;
  const known = keys.split(" ").filter(Boolean).map((id) => ({ type: "public-key", id: bytes(id) }));
  const create = () => navigator.credentials.create({ publicKey: {
    challenge: bytes(challenge), rp: { id: site, name }, user: { id: bytes(user), name, displayName: name }, excludeCredentials: known,
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: "public-key", alg })),
    authenticatorSelection: { residentKey: "preferred", userVerification: "required" },
  } });
  const get = () => navigator.credentials.get({ publicKey: { challenge: bytes(challenge), rpId: site, allowCredentials: known, userVerification: "required" } });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    told.hidden = true;
    try {
      const { id, rawId, type, response } = await (user ? create() : get());
      const given = { clientDataJSON: text(response.clientDataJSON) };
      if (user) given.attestationObject = text(response.attestationObject);
      else Object.assign(given, { authenticatorData: text(response.authenticatorData), signature: text(response.signature) });
      form.elements.passkey.value = JSON.stringify({ id, rawId: text(rawId), type, response: given });
    } catch {
      told.hidden = false; // it was cancelled, or the device has no such key
      return;
    }
    form.submit();
  });
}
