// The page on which an official works without a connection: unlocks what is on the device, shows it, writes decisions
// down, and sends them when there is a connection. All words come from the page itself.

import { all, dropCopies, dropOld, put, remove } from './db.js';
import { create, SHORTEST, unlock } from './vault.js';
import * as acts from './acts.js';

const root = document.getElementById('offline');
const part = (/** @type {string} */ name) => /** @type {HTMLElement} */ (root.querySelector(`[data-part="${name}"]`));
const words = (/** @type {string} */ name) => root.querySelector(`template[data-text="${name}"]`).innerHTML.trim();

const LOCK_AFTER = 10 * 60 * 1000; // without a touch
/** @type {import('./vault.js').Vault | null} */
let vault = null;
let lock = 0;

/** Says what has happened, to eyes and ears. @param {string} name @param {boolean} [bad] */
function tell(name, bad = false) {
  const told = part('told');
  told.hidden = !name;
  told.className = `banner ${bad ? 'bad' : 'info'}`;
  told.textContent = name && words(name);
}

/** Shows one of the page's parts. @param {'set' | 'unlock' | 'work' | 'case'} name */
function show(name) {
  for (const one of ['set', 'unlock', 'work', 'case']) part(one).hidden = one !== name;
  const heading = part(name).querySelector('h2');
  if (heading && document.activeElement !== document.body) heading.focus();
}

async function begin() {
  await dropOld(Date.now());
  const keys = await all('keys');
  const owners = /** @type {HTMLSelectElement} */ (part('owner'));
  owners.replaceChildren(...keys.map((key) => new Option(key.label, key.owner)));
  part('owners').hidden = keys.length < 2;
  show(keys.length ? 'unlock' : 'set');
  part('other').hidden = !keys.length;
}

/** Opens what is on the device. */
async function enter(opened) {
  vault = opened;
  await list();
  show('work');
  await send();
}

function leave() {
  vault = null;
  part('case-body').replaceChildren();
  begin();
}

function touched() {
  clearTimeout(lock);
  if (vault) lock = setTimeout(leave, LOCK_AFTER);
}

/** Asks the platform for today's tasks. The platform records that they were read. @param {string} [pin] of one who is new here */
async function takeAlong(pin) {
  tell('taking');
  let answer;
  try {
    answer = await fetch(root.dataset.tasks, { method: 'POST', credentials: 'same-origin', redirect: 'error' });
  } catch {
    return tell('no-connection', true);
  }
  if (answer.status === 401) return askToSignIn();
  if (!answer.ok) return tell('not-taken', true);
  const taken = await answer.json();
  if (pin !== undefined) {
    const known = (await all('keys')).find((key) => key.owner === taken.owner);
    vault = known ? await unlock(known, pin) : await create(taken.owner, taken.label, pin);
    if (!vault) return tell('wrong-pin', true);
  }
  if (vault.owner !== taken.owner) return tell('other-official', true);
  await vault.renew();
  for (const copy of await all('copies')) {
    if (copy.owner === vault.owner) await remove('copies', [copy.owner, copy.task]);
  }
  const until = Date.now() + taken.keep * 1000;
  for (const [place, task] of taken.tasks.entries()) {
    const sealed = await vault.seal('copies', task.task, task);
    await put('copies', { owner: vault.owner, task: task.task, place, until, sealed });
  }
  await list();
  show('work');
  tell('taken');
}

function askToSignIn() {
  tell('sign-in', true);
  const link = document.createElement('a');
  link.href = root.dataset.signIn;
  link.textContent = words('sign-in-link');
  part('told').append(' ', link);
}

/** Sends what was not sent. */
async function send() {
  if (!vault) return;
  const waiting = (await acts.mine(vault)).some((act) => act.state === 'unsent');
  if (!waiting) return;
  const became = await acts.send(vault, root.dataset.acts);
  await list();
  if (became === 'sign-in') return askToSignIn();
  tell(became === 'offline' ? 'not-sent' : 'sent', became === 'offline');
}

/** A line of a list: what it is, what is known of it, its state, and what can be done. */
function line(title, hint, state, tone, ...does) {
  const item = document.createElement('li');
  const what = document.createElement('div');
  what.append(title);
  if (hint) what.append(Object.assign(document.createElement('p'), { className: 'hint', textContent: hint }));
  item.append(what);
  if (state) item.append(Object.assign(document.createElement('strong'), { className: `tag ${tone}`, textContent: words(state) }));
  item.append(...does);
  return item;
}

function button(name, about, act) {
  const made = Object.assign(document.createElement('button'), { type: 'button', className: 'as-link', textContent: words(name) });
  made.append(Object.assign(document.createElement('span'), { className: 'hear', textContent: ` ${about}` }));
  made.addEventListener('click', act);
  return made;
}

/** Shows the tasks that were taken along and what was done with them. */
async function list() {
  const done = await acts.mine(vault);
  const states = { unsent: ['unsent', 'wait'], problem: ['problem', 'bad'], late: ['late', 'bad'] };
  part('acts').replaceChildren(...done.map((act) => line(
    Object.assign(document.createElement('span'), { textContent: act.title }),
    [new Date(act.made).toLocaleString(document.documentElement.lang, { dateStyle: 'medium', timeStyle: 'short' }), act.state === 'late' ? words('late-text') : act.problem].filter(Boolean).join(' – '),
    ...states[act.state],
    button(act.state === 'unsent' ? 'take-back' : 'dismiss', act.title, async () => {
      if (act.state !== 'late' && !confirm(words('sure'))) return;
      await remove('acts', act.id);
      await list();
      part('work').querySelector('h2').focus();
    }),
  )));
  part('acts-empty').hidden = done.length > 0;
  const copies = (await all('copies')).filter((copy) => copy.owner === vault.owner && vault.keys.copies).sort((a, b) => a.place - b.place);
  const tasks = await Promise.all(copies.map((copy) => vault.unseal('copies', copy.task, copy.sealed)));
  part('tasks').replaceChildren(...tasks.map((task) => {
    const link = Object.assign(document.createElement('a'), { href: `#${task.task}`, textContent: task.title });
    link.addEventListener('click', (event) => {
      event.preventDefault();
      read(task);
    });
    const decided = done.find((act) => act.task === task.task);
    return line(link, task.text, decided ? 'decided' : '', 'wait');
  }));
  part('tasks-empty').hidden = tasks.length > 0;
}

/** Shows a task. Its words were written, and escaped, by the platform. */
async function read(task) {
  const body = part('case-body');
  body.innerHTML = task.html;
  part('case-title').textContent = task.title;
  for (const form of body.querySelectorAll('form')) {
    if (!form.getAttribute('action').endsWith('/decide')) {
      form.remove();
      continue;
    }
    const typed = await acts.draft(vault, task.task);
    if (typed) fill(form, typed);
    form.addEventListener('input', () => vault && acts.keepDraft(vault, task, values(form)));
    form.addEventListener('submit', (event) => decide(event, form, task));
  }
  tell('');
  show('case');
}

/** @param {HTMLFormElement} form @returns {Record<string, string[]>} */
function values(form) {
  /** @type {Record<string, string[]>} */
  const given = {};
  for (const [name, value] of new FormData(form)) {
    if (typeof value === 'string') (given[name] ??= []).push(value);
  }
  return given;
}

function fill(form, typed) {
  for (const input of form.elements) {
    const given = typed[input.name] ?? [];
    if (input.type === 'radio' || input.type === 'checkbox') input.checked = given.includes(input.value);
    else if (input.name && input.type !== 'hidden' && given.length) input.value = given[0];
  }
}

async function decide(event, form, task) {
  event.preventDefault();
  const given = values(form);
  const says = (name) => (given[name] ?? []).some((value) => value.trim() !== '');
  const missing = !says('action') ? 'choose-action'
    : given.action[0] === 'refuse' && !says('reasons') && !says('reason') ? 'give-reason'
      : given.action[0] === 'ask' && !says('question') ? 'give-question' : '';
  if (missing) {
    tell(missing, true);
    part('told').scrollIntoView();
    return;
  }
  if ((await acts.mine(vault)).some((act) => act.task === task.task && act.state === 'unsent')) return tell('decided-already', true);
  const chosen = form.querySelector('input[name="action"]:checked');
  await acts.record(vault, { ...task, title: `${task.title}: ${chosen.labels[0].textContent.trim()}` }, given);
  await list();
  show('work');
  tell('recorded');
  await send();
}

part('set').querySelector('form').addEventListener('submit', (event) => {
  event.preventDefault();
  const pin = /** @type {HTMLInputElement} */ (part('new-pin')), again = /** @type {HTMLInputElement} */ (part('again'));
  if ([...pin.value].length < SHORTEST) return tell('short-pin', true);
  if (pin.value !== again.value) return tell('different-pins', true);
  takeAlong(pin.value);
  pin.value = again.value = '';
});
part('unlock').querySelector('form').addEventListener('submit', async (event) => {
  event.preventDefault();
  const pin = /** @type {HTMLInputElement} */ (part('pin'));
  const keys = await all('keys');
  const opened = await unlock(keys.find((key) => key.owner === part('owner').value), pin.value);
  pin.value = '';
  if (!opened) return tell('wrong-pin', true);
  tell('');
  await enter(opened);
});
part('take').addEventListener('click', () => takeAlong());
part('send').addEventListener('click', () => send());
part('lock').addEventListener('click', leave);
part('drop').addEventListener('click', async () => {
  await dropCopies();
  vault.keys.copies = null;
  await list();
  tell('dropped');
});
part('other').addEventListener('click', () => show('set'));
part('back').addEventListener('click', async (event) => {
  event.preventDefault();
  await list();
  show('work');
});
addEventListener('online', send);
for (const one of ['pointerdown', 'keydown']) addEventListener(one, touched);
setInterval(async () => {
  await dropOld(Date.now());
  if (vault) await list();
}, 60_000);

if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register(root.dataset.worker, { scope: '/desk' }).then(
    () => navigator.serviceWorker.ready.then(() => { root.dataset.ready = 'true'; }),
  );
}
if (crypto.subtle && 'indexedDB' in window) begin();
else tell('no-device', true);
