// Signing out drops the read copies on this device first. What was not sent stays, sealed, for the same official.

import { dropCopies } from './db.js';

for (const form of document.querySelectorAll('form[action="/sign-out"]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    try {
      await dropCopies();
    } finally {
      form.submit();
    }
  });
}
