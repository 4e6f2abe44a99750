// The photos of a task that are on this device: shows how many there are, takes new ones, with the position first where
// the step asks for it, and removes them.

import { keepPhoto, photos, removePhoto } from './acts.js';
import { moment } from './form.js';
import { isPhoto, LARGEST, position } from './pieces.js';

/**
 * @param {import('./vault.js').Vault} vault
 * @param {{task: string, photos: {min: number, max: number, position: boolean, text: string}}} task
 * @param {{words: (name: string) => string, tell: (name: string, bad?: boolean) => void}} page
 */
export async function album(vault, task, { words, tell }) {
  const make = (tag, properties, ...inner) => {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...inner);
    return made;
  };
  const list = make('ul', { className: 'tasks' });
  const input = make('input', { type: 'file', id: 'take-photo', accept: 'image/jpeg,image/png' });
  input.setAttribute('capture', 'environment');
  input.setAttribute('aria-describedby', 'take-photo-hint');
  const hint = make('p', { className: 'hint', id: 'take-photo-hint' });
  const again = make('button', { type: 'button', className: 'as-link', textContent: words('photo-add'), hidden: true });
  let where = null;

  /** The position is read before the photo is taken: a new one for each. */
  const locate = async () => {
    where = null;
    again.hidden = true;
    input.disabled = task.photos.position;
    hint.textContent = '';
    if (!task.photos.position) return;
    hint.textContent = words('photo-position');
    try {
      where = await position();
      hint.textContent = words('photo-here').replace('{position}', `${where.latitude.toFixed(5)}, ${where.longitude.toFixed(5)}`).replace('{metres}', Math.round(where.accuracy));
      input.disabled = false;
    } catch {
      hint.textContent = words('photo-no-position');
      again.hidden = false;
    }
  };
  const show = async () => {
    const taken = await photos(vault, task.task);
    list.replaceChildren(...taken.map((photo, i) => {
      const remove = make('button', { type: 'button', className: 'as-link', textContent: words('photo-remove').replace('{number}', i + 1) });
      remove.addEventListener('click', async () => {
        await removePhoto(photo.id);
        await show();
      });
      return make('li', {}, make('div', { textContent: moment(photo.made) }), remove);
    }));
    field.hidden = taken.length >= task.photos.max;
  };
  input.addEventListener('change', async () => {
    const file = input.files[0];
    if (!file) return;
    if (file.size > LARGEST) return tell('photo-too-large', true);
    const data = new Uint8Array(await file.arrayBuffer());
    input.value = '';
    if (!isPhoto(data)) return tell('photo-type', true);
    await keepPhoto(vault, task.task, data, where ?? undefined);
    tell('');
    await show();
    await locate();
  });
  again.addEventListener('click', locate);
  const field = make('div', { className: 'field' }, make('label', { htmlFor: 'take-photo', textContent: words('photo-add') }), hint, input, again);
  const part = make('section', { className: 'column' }, make('h3', { textContent: words('photo-title') }), make('p', { textContent: task.photos.text }), list, field);
  part.dataset.part = 'album';
  await show();
  locate();
  return part;
}
