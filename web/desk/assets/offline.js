// The page on which an official works without a connection: unlocks what is on the device, shows it, writes decisions
// down, and sends them when there is a connection. All words come from the page itself.

import { all, dropCopies, dropOld, get, put, remove, replace } from './db.js';
import { create, SHORTEST, unlock } from './vault.js';
import * as acts from './acts.js';
import { album } from './album.js';
import { fill, missing, moment, values } from './form.js';

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

const PARTS = ['set', 'unlock', 'work', 'case', 'forms'];
const shown = () => PARTS.find((one) => !part(one).hidden);

/** Shows one of the page's parts. @param {'set' | 'unlock' | 'work' | 'case' | 'forms'} name */
function show(name) {
  for (const one of PARTS) part(one).hidden = one !== name;
  const heading = part(name).querySelector('h2');
  if (heading && document.activeElement !== document.body) heading.focus();
}

/** Goes to the list, unless who uses the device has left the part meanwhile that they were in when they asked for it. */
async function goToWork(from = shown()) {
  await list();
  if (shown() === from) show('work');
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
  touched();
  await goToWork();
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
  const from = shown();
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
    touched();
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
  await takeForms();
  navigator.storage?.persist?.(); // browsers that are short of space then ask before they drop anything
  await goToWork(from);
  tell('taken');
}

/** Asks the platform for the forms of its services. They tell nothing about anybody; without them, those from before stay. */
async function takeForms() {
  const answer = await fetch(root.dataset.forms, { credentials: 'same-origin', redirect: 'error' }).catch(() => null);
  const came = answer?.ok && (await answer.json().catch(() => null)); // null: the connection was cut in between
  if (came) await replace('forms', came.forms);
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
  const became = await acts.send(vault, root.dataset.acts, root.dataset.photos);
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

const states = { unsent: ['unsent', 'wait'], problem: ['problem', 'bad'], late: ['late', 'bad'], confirm: ['confirm', 'info'] };

/** A line of an act: both times, what became of it, and what can be done. */
function actLine(act) {
  const said = acts.written(act);
  const title = Object.assign(document.createElement('span'), { textContent: act.title });
  const about = [`${words('made')}: ${moment(act.made)}`, act.problem];
  if (act.received) about.splice(1, 0, `${words('received')}: ${moment(act.received)}`);
  if (act.state === 'late') about.push(words('late-text'));
  const does = [button(act.state === 'unsent' ? 'take-back' : 'dismiss', act.title, async () => {
    if (['unsent', 'problem'].includes(act.state) && !confirm(words('sure'))) return;
    await acts.forget(vault, act);
    await list();
    part('work').querySelector('h2').focus();
  })];
  if (act.state === 'confirm') {
    does.unshift(Object.assign(document.createElement('a'), { href: act.draft, textContent: words('confirm-link') }));
  }
  if (said?.service && act.state === 'problem') does.unshift(button('open-again', act.title, () => openAgain(act, said)));
  return line(title, about.filter(Boolean).join(' – '), ...states[act.state], ...does);
}

/** Shows the tasks that were taken along and what was done with them. */
async function list() {
  const done = await acts.mine(vault);
  part('acts').replaceChildren(...done.map(actLine));
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

/** Says that a form has what was typed into it before. @param {() => void} discard */
function offerDiscard(discard) {
  const discards = Object.assign(document.createElement('button'), { type: 'button', className: 'as-link', textContent: words('discard') });
  const offer = Object.assign(document.createElement('div'), { className: 'banner info' });
  offer.dataset.part = 'draft';
  offer.append(words('draft'), ' ', discards);
  discards.addEventListener('click', () => {
    discard();
    offer.remove();
    part('case').querySelector('h2').focus();
  });
  return offer;
}

/**
 * Shows a form of the platform's in the page. Its words were written, and escaped, by the platform. What was typed into
 * it before, and not finished, is there again.
 * @param {string} key @param {string} title @param {string} html @param {string} action
 * @param {(form: HTMLFormElement) => Promise<void>} submit
 * @param {{above?: HTMLElement, corrects?: Record<string, string[]>}} [with] what stands above it, and what it corrects
 */
async function fillIn(key, title, html, action, submit, { above, corrects } = {}) {
  const draft = await acts.draft(vault, key);
  if (!vault) return; // it was locked meanwhile
  // From here on nothing is waited for: two that are opened at once do not mix.
  const body = part('case-body');
  body.innerHTML = html;
  part('case-title').textContent = title;
  for (const form of body.querySelectorAll('form')) {
    if (!form.getAttribute('action').endsWith(action)) {
      form.remove();
      continue;
    }
    // While it is written down, nothing typed is kept: the next one who opens this form must not find it. Nor does pressing
    // twice write it down twice.
    let writing = false;
    let kept = Promise.resolve();
    const next = (/** @type {() => Promise<void>} */ does) => { kept = kept.then(does, does); };
    form.addEventListener('input', () => {
      if (!writing) next(async () => vault && acts.keepDraft(vault, key, values(form)));
    });
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      if (writing) return;
      writing = true;
      await kept.catch(() => {}); // what cannot be kept as a draft can still be written down, or says why not
      await submit(form).finally(() => { writing = false; });
    });
    const typed = draft ?? corrects;
    if (typed) fill(form, typed);
    if (draft && !corrects) {
      form.before(offerDiscard(() => {
        form.reset();
        next(async () => vault && acts.dropDraft(vault, key));
      }));
    }
    if (above) form.before(above);
  }
  tell('');
  show('case');
}

/** Shows a task. */
async function read(task) {
  const above = task.photos && (await album(vault, task, { words, tell }));
  await fillIn(task.task, task.title, task.html, '/decide', (form) => decide(form, task), { above });
}

/** Shows the forms with which an official writes an application down for somebody. */
async function listForms() {
  const search = /** @type {HTMLInputElement} */ (part('search'));
  const forms = (await all('forms')).sort((a, b) => a.title.localeCompare(b.title, document.documentElement.lang));
  const fits = (form) => search.value.toLowerCase().split(/\s+/).every((word) => form.title.toLowerCase().includes(word));
  part('services').replaceChildren(...forms.filter(fits).map((form) => {
    const link = Object.assign(document.createElement('a'), { href: `#${form.service}`, textContent: form.title });
    link.addEventListener('click', (event) => {
      event.preventDefault();
      write(form);
    });
    return line(link, form.text);
  }));
  part('services-empty').hidden = forms.length > 0;
}

/** Shows the form of a service. */
const write = (form) => fillIn(form.service, form.title, form.html, form.service, (filled) => dictate(filled, form));

/** Opens an application once more that the platform did not take; the new one replaces it. */
async function openAgain(act, said) {
  const form = await get('forms', said.service);
  if (!form) return tell('no-connection', true);
  await fillIn(act.id, form.title, form.html, form.service, (filled) => dictate(filled, form, act), { corrects: said.form });
  part('told').hidden = false;
  part('told').className = 'banner bad';
  part('told').textContent = act.problem;
}

/** Writes an application down that a resident told, in the place of one that the platform did not take. @param {object} [replaced] */
async function dictate(filled, form, replaced) {
  const wrong = missing(filled, form.required);
  if (wrong) {
    tell('give-answer', true);
    wrong.focus();
    return;
  }
  const given = values(filled);
  await acts.record(vault, { service: form.service, language: form.language }, `${form.title}: ${given.number[0]}`, given, replaced?.id);
  if (replaced) await acts.forget(vault, replaced);
  part('case-body').replaceChildren();
  await goToWork();
  tell('written-down');
  await send();
}

async function decide(form, task) {
  const given = values(form);
  const says = (name) => (given[name] ?? []).some((value) => value.trim() !== '');
  const unsaid = !says('action') ? 'choose-action'
    : given.action[0] === 'refuse' && !says('reasons') && !says('reason') ? 'give-reason'
      : given.action[0] === 'ask' && !says('question') ? 'give-question' : '';
  const taken = task.photos && given.action?.[0] !== 'ask' ? await acts.photos(vault, task.task) : [];
  const wrongNumber = !task.photos || given.action?.[0] === 'ask' ? ''
    : taken.length < task.photos.min && given.action?.[0] !== 'refuse' ? 'photo-few' : taken.length > task.photos.max ? 'photo-many' : '';
  if (unsaid || wrongNumber) {
    tell(unsaid || wrongNumber, true);
    part('told').scrollIntoView();
    return;
  }
  if ((await acts.mine(vault)).some((act) => act.task === task.task && act.state === 'unsent')) return tell('decided-already', true);
  const chosen = form.querySelector('input[name="action"]:checked');
  if (taken.length) given.photo = taken.map((photo) => photo.id);
  await acts.record(vault, task, `${task.title}: ${chosen.labels[0].textContent.trim()}`, given);
  await goToWork();
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
part('assist').addEventListener('click', async () => {
  part('search').value = '';
  await listForms();
  tell('');
  show('forms');
});
part('search').addEventListener('input', listForms);
part('other').addEventListener('click', () => show('set'));
for (const back of root.querySelectorAll('a.back')) {
  back.addEventListener('click', async (event) => {
    event.preventDefault();
    await goToWork();
  });
}
addEventListener('online', send);
for (const one of ['pointerdown', 'keydown']) addEventListener(one, touched);
setInterval(async () => {
  await dropOld(Date.now());
  if (vault) await list(); // also what another window has dropped or sent
}, 60_000);

if ('serviceWorker' in navigator) {
  navigator.serviceWorker.register(root.dataset.worker, { scope: '/desk' }).then(
    () => navigator.serviceWorker.ready.then(() => { root.dataset.ready = 'true'; }),
  );
}
if (crypto.subtle && 'indexedDB' in window) begin();
else tell('no-device', true);
