// What an official does without a connection: it is written down, sealed, kept in order, and sent when there is a
// connection again. The platform carries each act out once, however often it is sent.

import { all, get, put, remove } from './db.js';
import { digestOf, hex, identifier, sendPhoto } from './pieces.js';

/**
 * Writes an act down: a decision on a task, or an application that a resident told. The statement is what the platform
 * gets, byte for byte; its digest is taken here and now.
 * @param {import('./vault.js').Vault} vault
 * @param {{task?: string, revision?: number, service?: string, language?: string}} about
 * @param {string} title
 * @param {Record<string, string[]>} form
 * @param {string} [key] under which what was typed was kept, if not under the task or the service
 */
export async function record(vault, about, title, form, key = about.task ?? about.service) {
  const now = Date.now();
  const id = identifier(now);
  const { task, revision, service, language } = about;
  const statement = JSON.stringify({
    act: id, by: vault.owner, made: new Date(now).toISOString(), task, revision, service, language, form,
    salt: hex(crypto.getRandomValues(new Uint8Array(16))),
  });
  const digest = await digestOf(new TextEncoder().encode(statement));
  const sealed = await vault.seal('acts', id, { statement, digest, title });
  await put('acts', { id, owner: vault.owner, task: task ?? service, made: now, state: 'unsent', problem: '', sealed });
  await dropDraft(vault, key);
}

const draftOf = (vault, key) => `draft:${vault.owner}:${key}`;

/** Keeps what is typed into a form that is not finished: that of a task, of a service, or of an act that is corrected. */
export async function keepDraft(vault, key, form) {
  const id = draftOf(vault, key);
  const sealed = await vault.seal('acts', id, { form });
  await put('acts', { id, owner: vault.owner, task: key, made: Date.now(), state: 'draft', problem: '', sealed });
}

/** Forgets what was typed into a form. */
export const dropDraft = (vault, key) => remove('acts', draftOf(vault, key));

/** Returns what was typed into a form before, or null. */
export async function draft(vault, key) {
  const found = await get('acts', draftOf(vault, key));
  return found ? (await vault.unseal('acts', found.id, found.sealed)).form : null;
}

/** Returns what an act has written down, or null: nothing of it is kept once it has arrived. */
export const written = (act) => (act.statement ? JSON.parse(act.statement) : null);

/** Keeps a photo of a task until a decision has taken it to the platform. */
export async function keepPhoto(vault, task, data, position) {
  const now = Date.now();
  const id = identifier(now);
  const about = { id, size: data.length, digest: await digestOf(data), made: new Date(now).toISOString(), position };
  await put('pictures', { id, sealed: await vault.sealBytes('photos', `${id}:picture`, data) });
  await put('photos', { id, owner: vault.owner, task, made: now, sealed: await vault.seal('photos', id, about) });
}

/** Returns the ids and times of the photos that were taken of a task. */
export async function photos(vault, task) {
  const found = (await all('photos')).filter((photo) => photo.owner === vault.owner && photo.task === task);
  return found.sort((a, b) => a.made - b.made).map(({ id, made }) => ({ id, made }));
}

/** Removes a photo from the device. @param {string} id */
export async function removePhoto(id) {
  await remove('photos', id);
  await remove('pictures', id);
}

/** Returns the ids of an act's photos. */
const photosOf = (act) => written(act)?.form.photo ?? [];

/** Forgets an act, with its photos and what was typed to correct it. */
export async function forget(vault, act) {
  await dropDraft(vault, act.id);
  await remove('acts', act.id);
  for (const id of photosOf(act)) await removePhoto(id);
}

/** Sends the photos of an act, as far as they have not arrived. */
async function sendPhotos(vault, act, address) {
  const said = written(act);
  for (const id of photosOf(act)) {
    const [kept, picture] = [await get('photos', id), await get('pictures', id)];
    if (!kept || !picture) continue;
    const data = new Uint8Array(await vault.unsealBytes('photos', `${id}:picture`, picture.sealed));
    const became = await sendPhoto(`${address}/${said.by}/${said.task}/${id}`, await vault.unseal('photos', id, kept.sealed), data);
    if (became !== 'sent') return became;
  }
  return 'sent';
}

/** Returns the official's acts that are still here, in the order in which they were done. */
export async function mine(vault) {
  const acts = (await all('acts')).filter((act) => act.owner === vault.owner && act.state !== 'draft').sort((a, b) => a.made - b.made);
  return Promise.all(acts.map(async (act) => ({ ...act, ...(await vault.unseal('acts', act.id, act.sealed)) })));
}

/**
 * Sends what was not sent, in order: first the photos of an act, then the act. One that the platform did not take stays,
 * with its words; it keeps no other back. An application that was written down stays as a line that leads to where the
 * resident confirms it.
 * @param {import('./vault.js').Vault} vault
 * @param {string} address
 * @param {string} photoAddress
 * @returns {Promise<'sent' | 'offline' | 'sign-in'>}
 */
export function send(vault, address, photoAddress) {
  const run = async () => {
    for (const act of await mine(vault)) {
      if (act.state !== 'unsent') continue;
      const { statement, digest, title, ...stored } = act;
      const became = await sendPhotos(vault, act, photoAddress);
      if (became === 'offline' || became === 'sign-in') return became;
      if (became !== 'sent') {
        await put('acts', { ...stored, state: 'problem', problem: became.problem });
        continue;
      }
      let answer;
      try {
        answer = await fetch(address, {
          method: 'POST', credentials: 'same-origin', redirect: 'error',
          headers: { 'Content-Type': 'application/json', 'Idempotency-Key': act.id },
          body: JSON.stringify({ statement: act.statement, digest: act.digest }),
        });
      } catch {
        return 'offline';
      }
      if (answer.status === 401) return 'sign-in';
      if (answer.status === 429 || answer.status >= 500) return 'offline';
      const said = await answer.json();
      if (!answer.ok) {
        const wrong = (said.fields ?? []).map((field) => field.detail);
        await put('acts', { ...stored, state: 'problem', problem: [...new Set(wrong.length ? wrong : [said.detail ?? ''])].join(' ') });
        continue;
      }
      if (said.draft) {
        const sealed = await vault.seal('acts', act.id, { title, draft: said.draft, received: said.received });
        await put('acts', { ...stored, state: 'confirm', sealed });
      } else {
        if (said.late) await put('acts', { ...stored, state: 'late' });
        else await remove('acts', act.id);
        await remove('copies', [vault.owner, act.task]);
      }
      for (const id of photosOf(act)) await removePhoto(id);
    }
    return 'sent';
  };
  // Two windows of one device do not send the same at the same time.
  return navigator.locks ? navigator.locks.request('yagona-desk-send', run) : run();
}
