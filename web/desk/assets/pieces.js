// Sends a photo in pieces. The platform says how much of it has arrived: after a cut it goes on from there, with the next
// piece that is missing, however long the cut was and on whatever page.

const PIECE = 128 * 1024; // bytes: about three seconds at 400 kbit/s

/** The largest photo that the platform takes, in bytes. */
export const LARGEST = 12 << 20;

export const hex = (/** @type {ArrayBuffer | Uint8Array} */ data) => [...new Uint8Array(data)].map((b) => b.toString(16).padStart(2, '0')).join('');

/** Returns the hexadecimal SHA-256 of data. @param {BufferSource} data */
export const digestOf = async (data) => hex(await crypto.subtle.digest('SHA-256', data));

/** Returns a UUID version 7 (RFC 9562, 5.7). @param {number} now */
export function identifier(now) {
  const id = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i++) id[i] = Math.floor(now / 2 ** (40 - 8 * i)) & 255;
  id[6] = (id[6] & 0x0f) | 0x70;
  id[8] = (id[8] & 0x3f) | 0x80;
  const text = hex(id);
  return [text.slice(0, 8), text.slice(8, 12), text.slice(12, 16), text.slice(16, 20), text.slice(20)].join('-');
}

/** Reads where the device is. It rejects if the browser does not tell. */
export const position = () => new Promise((resolve, reject) => {
  if (!navigator.geolocation) return reject(new Error('no position'));
  navigator.geolocation.getCurrentPosition(
    ({ coords }) => resolve({ latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy }),
    reject, { enableHighAccuracy: true, timeout: 60_000, maximumAge: 0 },
  );
});

/** Reports whether a file is a photo that the platform takes, by its first bytes. @param {Uint8Array} data */
export const isPhoto = (data) => [[0xff, 0xd8, 0xff], [0x89, 0x50, 0x4e, 0x47]].some((mark) => mark.every((b, i) => data[i] === b));

/** @typedef {{id: string, size: number, digest: string, made: string, position?: object}} Photo */

/**
 * Sends what is missing of a photo.
 * @param {string} address of the photo
 * @param {Photo} photo
 * @param {Uint8Array} data
 * @param {(received: number) => void} [told] hears how much has arrived
 * @returns {Promise<'sent' | 'offline' | 'sign-in' | {problem: string}>}
 */
export async function sendPhoto(address, photo, data, told = () => {}) {
  const { id, ...announcement } = photo;
  let begun = false, received = 0, restarts = 0;
  for (;;) {
    let request;
    if (begun) {
      const piece = data.subarray(received, received + PIECE);
      const checksum = btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', piece))));
      request = { method: 'PATCH', body: piece, headers: {
        'Content-Type': 'application/offset+octet-stream', 'Upload-Offset': String(received), 'Upload-Checksum': `sha256 ${checksum}`,
      } };
    } else {
      request = { method: 'PUT', body: JSON.stringify(announcement), headers: { 'Content-Type': 'application/json' } };
    }
    let answer;
    try {
      answer = await fetch(address, { ...request, credentials: 'same-origin', redirect: 'error' });
      if (answer.ok) {
        const came = await answer.json();
        begun = true;
        received = came.received;
        told(received);
        if (came.whole) return 'sent';
        continue;
      }
    } catch {
      return 'offline';
    }
    if (answer.status === 401) return 'sign-in';
    if (answer.status === 429 || answer.status >= 500) return 'offline';
    // Another window was faster, or what had arrived has expired: the platform says where to go on.
    if (begun && [404, 409].includes(answer.status) && restarts++ < 3) {
      begun = false;
      continue;
    }
    return { problem: (await answer.json()).detail ?? '' };
  }
}
