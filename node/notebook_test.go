package node_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"yagona/packs/demo"
)

const youthMapping = `separator: ";"
person: {name: [Исм], birth: {column: Туғилган}}
fields:
  support: {column: Ёрдам, values: {Асбоб: tools}}
  grantedOn: {column: Сана}`

// sendNotebook sends a notebook on the page that takes them over.
func (b *browser) sendNotebook(values map[string]string, file string) {
	b.t.Helper()
	b.upload("/desk/notebooks", values, "file", "daftar.csv", "application/octet-stream", []byte(file))
}

// A notebook in Cyrillic comes in: the clerk sees who may be meant, which these people see, settles it, imports, and takes
// it all back.
func TestANotebookComesFromPaper(t *testing.T) {
	s := open(t)
	i := slices.IndexFunc(s.people.Officials, func(o demo.Official) bool { return o.Agency == "youth-agency" && o.Role == "registrar" })
	keeper, _ := s.people.Person(s.people.Officials[i].Person)
	jobless := s.people.Persona(demo.Jobless)
	file := "Исм;Туғилган;Ёрдам;Сана\n" +
		"Намунаев Жасур;" + jobless.Birth.String()[8:] + "." + jobless.Birth.String()[5:7] + "." + jobless.Birth.String()[:4] + ";Асбоб;15.01.2024\n" +
		"Йўқов Йўқ;;Асбоб;15.01.2024\n"
	b := s.signedIn(t, "ru", keeper)
	b.get("/desk/notebooks")
	b.says(b.say("notebook.none"))
	typed := map[string]string{"register": "youth/notebook", "mapping": "person: {}", "reason": "тетрадь 2024 года"}
	b.sendNotebook(typed, file)
	b.want(http.StatusUnprocessableEntity)
	if !strings.Contains(string(b.raw), typed["reason"]) {
		t.Error("what was typed is lost")
	}
	typed["mapping"] = youthMapping
	b.sendNotebook(typed, file)
	b.want(http.StatusOK)
	b.says("Намунаев Жасур")
	b.says(jobless.Name())
	b.says(b.say("notebook.birth-same"))
	b.says(b.say("fault.import.nobody-alike"))
	notebook := b.at.Path

	his := s.signedIn(t, "ru", jobless)
	his.get("/me/readings")
	his.says(his.say("event.register.read"))
	if !strings.Contains(his.text(his.page), "сравнены с именами из тетради") {
		t.Errorf("that all names were compared is not said: %s", his.text(his.page))
	}

	b.fill(map[string]string{"line-2": string(jobless.ID)}, "")
	b.want(http.StatusOK)
	if contains(b, b.say("notebook.who")) {
		t.Error("there still is something to settle")
	}
	b.press("/finish")
	b.want(http.StatusOK)
	b.says(b.say("notebook.imported"))
	id := notebook[strings.LastIndex(notebook, "/")+1:]
	b.says(id)
	his.get("/me/data")
	his.says("15 января 2024")

	b.get("/desk/notebooks")
	b.fill(map[string]string{"undo-register": "youth/notebook", "import": id, "undo-reason": "не та тетрадь"}, "")
	b.want(http.StatusOK)
	b.says(b.say("notebook.undone"))
	b.get(notebook)
	b.want(http.StatusNotFound)
	for _, language := range []string{"uz-Latn", "uz-Cyrl", "kaa", "en"} {
		b.get("/desk/notebooks?lang=" + language)
		b.want(http.StatusOK)
	}
}
