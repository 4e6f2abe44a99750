package page

import (
	"net/url"

	"yagona/kernel/country"
	"yagona/locale"
)

// MessageWords are the texts of messages that leave the house. None names a service, a decision or a person.
type MessageWords struct {
	Words country.Words
	Site  string // the address by which people reach the installation
}

func (m MessageWords) say(language, key string, args locale.Args) string {
	if language == "" {
		language = m.Words.Profile.Authoritative()
	}
	return m.Words.Text(locale.Tag(language), key, args)
}

// News says that there is news, and where to see them.
func (m MessageWords) News(language string) (subject, text string) {
	return m.say(language, "message.news-subject", nil), m.say(language, "message.news", locale.Args{"address": m.Site + MinePath})
}

// Code carries the code that confirms an address.
func (m MessageWords) Code(language, code string) (subject, text string) {
	return m.code("message.code", language, code)
}

// Confirmation carries the code by which a person confirms what an official wrote down for them.
func (m MessageWords) Confirmation(language, code string) (subject, text string) {
	return m.code("message.confirmation", language, code)
}

func (m MessageWords) code(key, language, code string) (subject, text string) {
	host := m.Site
	if site, err := url.Parse(m.Site); err == nil {
		host = site.Host
	}
	return m.say(language, "message.code-subject", locale.Args{"host": host}),
		m.say(language, key, locale.Args{"host": host, "code": code})
}
