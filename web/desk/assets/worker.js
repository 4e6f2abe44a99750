// The desk's service worker: keeps the page for work without a connection and the files that it loads. It keeps no answer
// that tells about a person.

const VERSION = 'VERSION'; // the platform writes both in
const FILES = ['FILES'];
const SHELL = '/desk/offline';

/** Keeps the page, in the language in which it was shown last. @param {Response} page */
async function keep(page) {
  if (page.ok && !page.redirected) await (await caches.open(VERSION)).put(SHELL, page);
}

addEventListener('install', (event) => event.waitUntil((async () => {
  await (await caches.open(VERSION)).addAll(FILES);
  await keep(await fetch(SHELL, { credentials: 'same-origin' }));
  await self.skipWaiting();
})()));

addEventListener('activate', (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith('desk-') && name !== VERSION) await caches.delete(name);
  await self.clients.claim();
})()));

addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin) return;
  if (FILES.includes(url.pathname)) {
    event.respondWith(caches.match(url.pathname).then((kept) => kept ?? fetch(request)));
  } else if (request.mode === 'navigate') {
    event.respondWith((async () => {
      try {
        const page = await fetch(request);
        if (url.pathname === SHELL) await keep(page.clone());
        return page;
      } catch (lost) {
        const kept = await caches.match(SHELL);
        if (kept) return kept;
        throw lost;
      }
    })());
  }
});
