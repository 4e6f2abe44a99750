// Sends a photo from the page of a task in pieces, with the position first where the step asks for it. Without scripts
// the form sends it whole.

import { digestOf, identifier, isPhoto, LARGEST, position, sendPhoto } from './pieces.js';

for (const part of document.querySelectorAll('[data-photos]')) {
  const form = part.querySelector('form'), told = part.querySelector('[role="status"]');
  const input = /** @type {HTMLInputElement} */ (form.querySelector('input[type="file"]'));
  const tell = (name) => {
    told.hidden = false;
    told.textContent = part.querySelector(`template[data-text="${name}"]`).innerHTML.trim();
  };
  let announced = null; // the same photo goes on where it was cut
  let sending = false; // pressing twice sends it once
  input.addEventListener('change', () => { announced = null; });

  /** Sends the chosen photo. @param {File} file */
  const send = async (file) => {
    if (file.size > LARGEST) return tell('photo-too-large');
    const data = new Uint8Array(await file.arrayBuffer());
    if (!isPhoto(data)) return tell('photo-type');
    if (!announced) {
      let where;
      if (part.dataset.position === 'true') {
        tell('photo-position');
        try {
          where = await position();
        } catch {
          return tell('photo-no-position');
        }
      }
      const now = Date.now();
      announced = { id: identifier(now), size: data.length, digest: await digestOf(data), made: new Date(now).toISOString(), position: where };
    }
    tell('photo-sending');
    const became = await sendPhoto(`${part.dataset.photos}/${announced.id}`, announced, data, (received) => {
      tell('photo-sending');
      told.append(` ${Math.floor((100 * received) / data.length)} %`);
    });
    if (became === 'sent') return location.reload();
    if (became === 'offline') return tell('photo-cut');
    if (became === 'sign-in') return form.submit(); // leads to the sign-in
    told.textContent = became.problem;
  };
  form.addEventListener('submit', async (event) => {
    if (!crypto.subtle || !input.files[0]) return; // the platform says what is missing
    event.preventDefault();
    if (sending) return;
    sending = true;
    await send(input.files[0]).finally(() => { sending = false; });
  });
}
