// What the desk keeps on a device, in IndexedDB. Everything that tells about a person is sealed by vault.js before it
// comes here.
//
// keys:   one record for each official who works on this device: {owner, label, salt, iterations, acts, reads, wrong}
// copies: read copies of tasks: {owner, task, place, until, sealed}; dropped when their time is over and on sign-out
// acts:   what was done without a connection: {id, owner, made, state, problem, sealed}; dropped when the platform has it
//         or the official discards it
// photos: photos of a task that no decision has taken to the platform yet: {id, owner, task, made, sealed}
// pictures: the photos themselves: {id, sealed}
// forms:  the forms of services, by their path: they tell nothing about anybody, and are not sealed

/** @typedef {{iv: Uint8Array, data: ArrayBuffer}} Sealed */

const NAME = 'yagona-desk';

/** @returns {Promise<IDBDatabase>} */
function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 2);
    request.onupgradeneeded = (event) => {
      const db = request.result;
      if (event.oldVersion < 1) {
        db.createObjectStore('keys', { keyPath: 'owner' });
        db.createObjectStore('copies', { keyPath: ['owner', 'task'] });
        db.createObjectStore('acts', { keyPath: 'id' });
      }
      db.createObjectStore('photos', { keyPath: 'id' });
      db.createObjectStore('pictures', { keyPath: 'id' });
      db.createObjectStore('forms', { keyPath: 'service' });
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * Runs requests in one transaction; what they wrote is on the device when it resolves.
 * @template T
 * @param {string} store
 * @param {IDBTransactionMode} mode
 * @param {(store: IDBObjectStore) => IDBRequest<T> | void} run
 * @returns {Promise<T>}
 */
async function transact(store, mode, run) {
  const db = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = db.transaction(store, mode, { durability: 'strict' });
      const request = run(transaction.objectStore(store));
      transaction.oncomplete = () => resolve(request ? request.result : undefined);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    db.close();
  }
}

/** @param {string} store */
export const all = (store) => transact(store, 'readonly', (s) => s.getAll());
/** @param {string} store @param {IDBValidKey} key */
export const get = (store, key) => transact(store, 'readonly', (s) => s.get(key));
/** @param {string} store @param {object} record */
export const put = (store, record) => transact(store, 'readwrite', (s) => s.put(record));
/** @param {string} store @param {IDBValidKey} key */
export const remove = (store, key) => transact(store, 'readwrite', (s) => s.delete(key));

/**
 * Drops the read copies of everybody on this device, and the keys that open them. What was not sent stays.
 */
export async function dropCopies() {
  await transact('copies', 'readwrite', (s) => s.clear());
  for (const key of await all('keys')) {
    await put('keys', { ...key, reads: null });
  }
}

/** Replaces everything that a store has. @param {string} store @param {object[]} records */
export const replace = (store, records) => transact(store, 'readwrite', (s) => {
  s.clear();
  for (const one of records) s.put(one);
});

const PHOTOS_KEPT = 7 * 24 * 60 * 60 * 1000; // without a decision that names them

/** Drops the read copies whose time is over, and photos of which nothing came. @param {number} now */
export async function dropOld(now) {
  const decided = new Set((await all('acts')).filter((act) => act.state !== 'draft').map((act) => act.task));
  for (const photo of await all('photos')) {
    if (photo.made + PHOTOS_KEPT <= now && !decided.has(photo.task)) {
      await remove('photos', photo.id);
      await remove('pictures', photo.id);
    }
  }
  for (const copy of await all('copies')) {
    if (copy.until <= now) {
      await remove('copies', [copy.owner, copy.task]);
    }
  }
}
