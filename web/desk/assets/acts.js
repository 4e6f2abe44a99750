// What an official does without a connection: it is written down, sealed, kept in order, and sent when there is a
// connection again. The platform carries each act out once, however often it is sent.

import { all, put, remove } from './db.js';

const hex = (/** @type {ArrayBuffer | Uint8Array} */ data) => [...new Uint8Array(data)].map((b) => b.toString(16).padStart(2, '0')).join('');

/** Returns a UUID version 7 (RFC 9562, 5.7). @param {number} now */
export function identifier(now) {
  const id = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i++) id[i] = Math.floor(now / 2 ** (40 - 8 * i)) & 255;
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  const text = hex(id);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}

/**
 * Writes a decision down. The statement is what the platform gets, byte for byte; its digest is taken here and now.
 * @param {import('./vault.js').Vault} vault
 * @param {{task: string, revision: number, title: string}} task
 * @param {Record<string, string[]>} form
 */
export async function record(vault, task, form) {
  const now = Date.now();
  const id = identifier(now);
  const statement = JSON.stringify({
    act: id, by: vault.owner, made: new Date(now).toISOString(), task: task.task, revision: task.revision, form,
    salt: hex(crypto.getRandomValues(new Uint8Array(16))),
  });
  const digest = hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(statement)));
  const sealed = await vault.seal('acts', id, { statement, digest, title: task.title });
  await put('acts', { id, owner: vault.owner, task: task.task, made: now, state: 'unsent', problem: '', sealed });
  await remove('acts', draftOf(vault, task.task));
}

const draftOf = (vault, task) => `draft:${vault.owner}:${task}`;

/** Keeps what is typed into a form that is not finished. */
export async function keepDraft(vault, task, form) {
  const id = draftOf(vault, task.task);
  const sealed = await vault.seal('acts', id, { form });
  await put('acts', { id, owner: vault.owner, task: task.task, made: Date.now(), state: 'draft', problem: '', sealed });
}

/** Returns what was typed into a form before, or null. */
export async function draft(vault, task) {
  const found = (await all('acts')).find((act) => act.id === draftOf(vault, task));
  return found ? (await vault.unseal('acts', found.id, found.sealed)).form : null;
}

/** Returns the official's acts that are still here, in the order in which they were done. */
export async function mine(vault) {
  const acts = (await all('acts')).filter((act) => act.owner === vault.owner && act.state !== 'draft').sort((a, b) => a.made - b.made);
  return Promise.all(acts.map(async (act) => ({ ...act, ...(await vault.unseal('acts', act.id, act.sealed)) })));
}

/**
 * Sends what was not sent, in order. An act that the platform did not take stays, with its words; it keeps no other back.
 * @returns {Promise<'sent' | 'offline' | 'sign-in'>}
 */
export function send(vault, address) {
  const run = async () => {
    for (const act of await mine(vault)) {
      if (act.state !== 'unsent') continue;
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
      const { statement, digest, title, ...stored } = act;
      const said = await answer.json();
      if (answer.ok && !said.late) {
        await remove('acts', act.id);
      } else {
        await put('acts', { ...stored, state: answer.ok ? 'late' : 'problem', problem: said.detail ?? '' });
      }
      if (answer.ok) await remove('copies', [vault.owner, act.task]);
    }
    return 'sent';
  };
  // Two windows of one device do not send the same at the same time.
  return navigator.locks ? navigator.locks.request('yagona-desk-send', run) : run();
}
