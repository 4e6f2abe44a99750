// Keys of what the desk keeps on a device. A key derived from the official's PIN (PBKDF2, SHA-256) opens two random keys:
// one for read copies, which is dropped with them, and one for acts that were not sent, which stays. A short PIN holds off
// whoever finds a tablet, not whoever can try millions of times on a machine of their own: a sentence does.

import { put } from './db.js';

export const SHORTEST = 6;
const ITERATIONS = 600_000; // OWASP, Password Storage: PBKDF2-HMAC-SHA256
const MOST_WRONG = 10; // wrong PINs until the read copies can no longer be opened

const bytes = (/** @type {string} */ text) => new TextEncoder().encode(text);
const random = (/** @type {number} */ size) => crypto.getRandomValues(new Uint8Array(size));

/** @param {string} pin @param {Uint8Array} salt @param {number} iterations */
async function derive(pin, salt, iterations) {
  const base = await crypto.subtle.importKey('raw', bytes(pin.normalize('NFC')), 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, base, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'],
  );
}

/** @param {CryptoKey} key @param {string} context @param {BufferSource} plain @returns {Promise<import('./db.js').Sealed>} */
async function seal(key, context, plain) {
  const iv = random(12);
  return { iv, data: await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytes(context) }, key, plain) };
}

/** @param {CryptoKey} key @param {string} context @param {import('./db.js').Sealed} sealed */
const unseal = (key, context, sealed) =>
  crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv, additionalData: bytes(context) }, key, sealed.data);

/** @param {BufferSource} raw */
const keyOf = (raw) => crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);

/** An official's opened keys. They live in this page's memory only. */
export class Vault {
  /** @param {object} record @param {CryptoKey} pin @param {CryptoKey} acts @param {CryptoKey | null} reads */
  constructor(record, pin, acts, reads) {
    this.record = record;
    this.owner = record.owner;
    this.pin = pin;
    this.keys = { acts, copies: reads, photos: acts }; // a photo belongs to an act that was not sent
  }

  /** Makes a key for read copies, if there is none: they were dropped. */
  async renew() {
    if (this.keys.copies) return;
    const raw = random(32);
    this.record = { ...this.record, reads: await seal(this.pin, `reads:${this.owner}`, raw), wrong: 0 };
    await put('keys', this.record);
    this.keys.copies = await keyOf(raw);
  }

  /** @param {'acts' | 'copies' | 'photos'} store @param {string} id @param {object} value */
  seal(store, id, value) {
    return this.sealBytes(store, id, bytes(JSON.stringify(value)));
  }

  /** @param {'acts' | 'copies' | 'photos'} store @param {string} id @param {BufferSource} plain */
  sealBytes(store, id, plain) {
    return seal(this.keys[store], `${store}:${this.owner}:${id}`, plain);
  }

  /** @param {'acts' | 'copies' | 'photos'} store @param {string} id @param {import('./db.js').Sealed} sealed */
  async unseal(store, id, sealed) {
    return JSON.parse(new TextDecoder().decode(await this.unsealBytes(store, id, sealed)));
  }

  /** @param {'acts' | 'copies' | 'photos'} store @param {string} id @param {import('./db.js').Sealed} sealed */
  unsealBytes(store, id, sealed) {
    return unseal(this.keys[store], `${store}:${this.owner}:${id}`, sealed);
  }
}

/** Makes the keys of an official who is new on this device. @param {string} owner @param {string} label @param {string} pin */
export async function create(owner, label, pin) {
  const salt = random(16);
  const key = await derive(pin, salt, ITERATIONS);
  const [acts, reads] = [random(32), random(32)];
  const record = {
    owner, label, salt, iterations: ITERATIONS, wrong: 0,
    acts: await seal(key, `acts:${owner}`, acts), reads: await seal(key, `reads:${owner}`, reads),
  };
  await put('keys', record);
  return new Vault(record, key, await keyOf(acts), await keyOf(reads));
}

/** Opens an official's keys, or returns null if the PIN is wrong. @param {object} record @param {string} pin */
export async function unlock(record, pin) {
  const key = await derive(pin, record.salt, record.iterations);
  let acts;
  try {
    acts = await unseal(key, `acts:${record.owner}`, record.acts);
  } catch {
    const wrong = record.wrong + 1;
    await put('keys', { ...record, wrong, reads: wrong >= MOST_WRONG ? null : record.reads });
    return null;
  }
  await put('keys', { ...record, wrong: 0 });
  const reads = record.reads && (await keyOf(await unseal(key, `reads:${record.owner}`, record.reads)));
  return new Vault({ ...record, wrong: 0 }, key, await keyOf(acts), reads);
}
