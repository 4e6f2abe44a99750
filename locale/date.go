package locale

import (
	"fmt"
	"time"
)

// Style says how a date is written.
type Style uint8

// The styles, for the morning of 5 March 2026.
const (
	Long      Style = iota // 5 March 2026; 2026-yil 5-mart; 5 марта 2026 г.
	Short                  // 05.03.2026; in English 5 Mar 2026, since 05/03 is read both ways
	LongTime               // Long, then the time: 5 March 2026, 09:30
	ShortTime              // Short, then the time
)

// months are the names as they stand in a date. Sources: CLDR (uz, uz-Cyrl, ru, en); the Karakalpak names as the
// official gazettes of the Republic of Karakalpakstan print them.
var months = map[Tag][12]string{
	UzbekLatin: {
		"yanvar", "fevral", "mart", "aprel", "may", "iyun",
		"iyul", "avgust", "sentabr", "oktabr", "noyabr", "dekabr",
	},
	UzbekCyrillic: {
		"январь", "февраль", "март", "апрель", "май", "июнь",
		"июль", "август", "сентябрь", "октябрь", "ноябрь", "декабрь",
	},
	Karakalpak: {
		"yanvar", "fevral", "mart", "aprel", "may", "iyun",
		"iyul", "avgust", "sentyabr", "oktyabr", "noyabr", "dekabr",
	},
	Russian: {
		"января", "февраля", "марта", "апреля", "мая", "июня",
		"июля", "августа", "сентября", "октября", "ноября", "декабря",
	},
	English: {
		"January", "February", "March", "April", "May", "June",
		"July", "August", "September", "October", "November", "December",
	},
}

// Date writes the moment as it stands on the calendar and the clock (24 hours) of a place. For a date without a time
// of day, pass its midnight in UTC and time.UTC. A language that is not known is written as English.
func Date(tag Tag, style Style, moment time.Time, place *time.Location) string {
	moment = moment.In(place)
	var date string
	switch style {
	case Long, LongTime:
		date = longDate(tag, moment)
	default:
		date = shortDate(tag, moment)
	}
	if style == LongTime || style == ShortTime {
		date += ", " + moment.Format("15:04")
	}
	return date
}

// longDate keeps number and unit together with no-break spaces where a line break would tear them apart. In Uzbek Latin
// an ordinal in digits takes a hyphen (2026-yil 5-mart), in Uzbek Cyrillic dates it takes none (2026 йил 5 март).
func longDate(tag Tag, moment time.Time) string {
	year, month, day := moment.Date()
	names, ok := months[tag]
	if !ok {
		names = months[English]
	}
	name := names[month-1]
	switch tag {
	case UzbekLatin:
		return fmt.Sprintf("%d-yil %d-%s", year, day, name)
	case UzbekCyrillic:
		return fmt.Sprintf("%d"+noBreakSpace+"йил %d"+noBreakSpace+"%s", year, day, name)
	case Karakalpak:
		return fmt.Sprintf("%d-jıl %d-%s", year, day, name)
	case Russian:
		return fmt.Sprintf("%d"+noBreakSpace+"%s %d"+noBreakSpace+"г.", day, name, year)
	}
	return fmt.Sprintf("%d"+noBreakSpace+"%s %d", day, name, year)
}

func shortDate(tag Tag, moment time.Time) string {
	switch tag {
	case UzbekLatin, UzbekCyrillic, Karakalpak, Russian:
		return moment.Format("02.01.2006")
	}
	return moment.Format("2" + noBreakSpace + "Jan" + noBreakSpace + "2006")
}
