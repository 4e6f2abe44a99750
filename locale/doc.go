// Package locale owns the languages of the platform: which one a reader is answered in, the messages in it, and the
// rules by which it is spelled, sorted, found and dated. It imports nothing else of this repository; pages, notices
// and documents ask it for texts, registers and search ask it for keys.
//
// # Languages
//
// A Tag is a language in a script. The package knows Uzbek in both alphabets, Karakalpak, Russian and English; an
// installation declares in its country profile which of them it speaks, in which order, and where a missing message is
// looked for (Languages). Languages.Choose answers a cookie, a query parameter and an Accept-Language header.
//
// # Messages
//
// A Catalogue holds compiled messages (see Message for the syntax), read by Load from YAML files, one for each
// language and area, in any fs.FS, or compiled from entries that stand elsewhere. Catalogues are merged; none changes
// after it was made. The platform's own is in messages/LANGUAGE/AREA.yaml and returned by Platform: to add a message,
// add its line to the file of its area in en, uz-Latn, kaa and ru; Catalogue.Check and the tests name what is missing.
// Uzbek Cyrillic is never written: it is derived from Uzbek Latin when the catalogue is made, word by word, with the
// variables untouched. Where the derived text is wrong, the word belongs in data/uzbek.yaml; a message that must
// differ goes into messages/uz-Cyrl.
//
// A text is plain, without HTML: the page escapes it.
//
// # Spelling
//
// ToCyrillic and ToLatin transliterate; NormaliseApostrophes writes ʻ (U+02BB) and ʼ (U+02BC) whatever was typed. Fold
// and FoldName make search keys that forgive alphabet and apostrophes; SortKey makes keys in dictionary order. Keys
// can be stored, and must be made anew when a rule here changes.
//
// # Numbers and dates
//
// Number, Decimal, Percent, Money and Date write values as the language does. Money comes in minor units, moments with
// the place whose clock is meant; nothing here knows a currency, a time zone or the present time.
//
// # Invariants
//
// Nothing fails on text that came from outside: a reader always gets some text, what is wrong is told in an error or by
// Check. All functions may be used by many goroutines at once. Lengths are counted in characters, never in bytes.
package locale
