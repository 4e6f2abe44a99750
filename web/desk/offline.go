package desk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/casework"
	"yagona/kernel/fault"
	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/service"
	"yagona/web/page"
	"yagona/web/route"
	"yagona/web/ui"
)

//go:embed assets
var assetFiles embed.FS

//go:embed templates/*.html
var templateFiles embed.FS

// Templates returns the templates of the components that only the desk has, for ui.New.
func Templates() fs.FS {
	files, err := fs.Sub(templateFiles, "templates")
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return files
}

const (
	tasksPath    = page.OfflinePath + "/tasks"
	actsPath     = page.OfflinePath + "/acts"
	formsPath    = page.OfflinePath + "/forms"
	workerPath   = page.DeskPath + "/worker.js"
	manifestPath = page.DeskPath + "/manifest.webmanifest"
)

// keepCopies is how long a device keeps what was taken along to be read.
const keepCopies = 12 * time.Hour

// program is what a browser loads to work without a connection.
type program struct {
	version string            // changes with any of the files
	paths   map[string]string // by the file's name; scripts stand side by side, so that they can import each other
	routes  []route.Route
	Script  string // of every page of an official
}

// mediaTypes are those of the program's files.
var mediaTypes = map[string]string{".js": "text/javascript; charset=utf-8", ".png": "image/png"}

// loadProgram reads the files and makes their routes. The shared files are those of all pages: style, fonts, mark.
func loadProgram(site string, shared []route.Route) (*program, error) {
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return nil, err
	}
	sum := sha256.New()
	contents := map[string][]byte{}
	for _, entry := range entries {
		if contents[entry.Name()], err = assetFiles.ReadFile("assets/" + entry.Name()); err != nil {
			return nil, err
		}
		fmt.Fprintf(sum, "%s %d\n%s", entry.Name(), len(contents[entry.Name()]), contents[entry.Name()])
	}
	var files []string
	for _, one := range shared {
		sum.Write([]byte(one.Pattern))
		files = append(files, one.Pattern)
	}
	digest := hex.EncodeToString(sum.Sum(nil)[:6])
	p := &program{version: "desk-" + digest, paths: map[string]string{}}
	const forGood = "public, max-age=31536000, immutable"
	for _, entry := range entries {
		name := entry.Name()
		if name == "worker.js" {
			continue
		}
		address := "/ui/" + digest + "/" + name
		p.paths[name] = address
		files = append(files, address)
		p.routes = append(p.routes, file(address, mediaTypes[path.Ext(name)], forGood, contents[name]))
	}
	files = append(files, manifestPath)
	p.Script = p.paths["sign-out.js"]
	listed, err := json.Marshal(files)
	if err != nil {
		return nil, err
	}
	worker := bytes.Replace(contents["worker.js"], []byte("'VERSION'"), []byte("'"+p.version+"'"), 1)
	worker = bytes.Replace(worker, []byte("['FILES']"), listed, 1)
	manifest, err := json.Marshal(map[string]any{
		"id": page.OfflinePath, "name": site, "short_name": site, "start_url": page.OfflinePath, "scope": page.DeskPath, "display": "standalone",
		"background_color": "#faf8f3", "theme_color": "#173a6d",
		"icons": []map[string]string{
			{"src": p.paths["icon-192.png"], "sizes": "192x192", "type": "image/png", "purpose": "any maskable"},
			{"src": p.paths["icon-512.png"], "sizes": "512x512", "type": "image/png", "purpose": "any maskable"},
		},
	})
	if err != nil {
		return nil, err
	}
	p.routes = append(p.routes,
		file(manifestPath, "application/manifest+json", "no-cache", manifest),
		file(workerPath, mediaTypes[".js"], "no-cache", worker))
	return p, nil
}

func file(address, kind, cache string, content []byte) route.Route {
	return route.Route{
		Method: "GET", Pattern: address, Access: route.Public(),
		Handle: func(w http.ResponseWriter, _ *http.Request, _ route.Visitor) error {
			w.Header().Set("Content-Type", kind)
			w.Header().Set("Cache-Control", cache)
			if address == workerPath {
				w.Header().Set("Service-Worker-Allowed", page.DeskPath)
			}
			_, err := w.Write(content)
			return err
		},
	}
}

// shell is the page that works without a connection: a component with the words that its script shows.
type shell struct {
	Tasks, Acts, Forms, Photos, Worker, SignIn string
	Zone                                       string // of the times that the page writes
	Texts                                      []shellText
	Say                                        shellWords
}

type shellText struct{ Name, Text string }

// shellWords are the words that stand on the page from the start.
type shellWords struct {
	NoScript, Set, SetText, NewPIN, NewPINHint, Again, Take, Unlock, Owner, PIN, Open, Other string
	TasksTitle, NoTasks, ActsTitle, NoActs, TakeAgain, Send, Lock, Drop, Back                string
	Assist, AssistText, Search, NoForms                                                      string
}

// Template implements ui.Component.
func (shell) Template() string { return "desk-offline" }

// offline is the page on which an official works without a connection. It tells nothing about a person: a browser keeps
// it, and its script shows what was taken along.
func (d *Desk) offline(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	r := d.Shared.For(v)
	part := shell{
		Tasks: tasksPath, Acts: actsPath, Forms: formsPath, Photos: photosPath, Worker: workerPath, SignIn: "/sign-in?next=" + page.OfflinePath,
		Zone: d.Shared.Words.Profile.Calendar.Location().String(),
		Say: shellWords{
			NoScript: r.Say("device.no-script"), Set: r.Say("device.set"), SetText: r.Say("device.set-text"), NewPIN: r.Say("device.new-pin"),
			NewPINHint: r.Say("device.new-pin-hint"), Again: r.Say("device.again"), Take: r.Say("device.take"), Unlock: r.Say("device.unlock"),
			Owner: r.Say("device.owner"), PIN: r.Say("device.pin"), Open: r.Say("device.open"), Other: r.Say("device.other"),
			TasksTitle: r.Say("device.tasks"), NoTasks: r.Say("device.no-tasks"), ActsTitle: r.Say("device.acts"), NoActs: r.Say("device.no-acts"),
			TakeAgain: r.Say("device.take"), Send: r.Say("device.send"), Lock: r.Say("device.lock"), Drop: r.Say("device.drop"), Back: r.Say("device.back"),
			Assist: r.Say("assist.title"), AssistText: r.Say("device.assist-text"), Search: r.Say("device.search"), NoForms: r.Say("device.no-forms"),
		},
	}
	for name, text := range map[string]string{
		"taking": r.Say("device.taking"), "taken": r.Say("device.taken"), "not-taken": r.Say("device.not-taken"),
		"no-connection": r.Say("device.no-connection"), "sign-in": r.Say("device.sign-in"), "sign-in-link": r.Say("actions.sign-in"),
		"wrong-pin": r.Say("device.wrong-pin"), "short-pin": r.Say("device.short-pin"), "different-pins": r.Say("device.different-pins"),
		"other-official": r.Say("device.other-official"), "sent": r.Say("device.sent"), "not-sent": r.Say("device.not-sent"),
		"recorded": r.Say("device.recorded"), "dropped": r.Say("device.dropped"), "unsent": r.Say("device.unsent"), "problem": r.Say("device.problem"),
		"late": r.Say("device.late"), "late-text": r.Say("device.late-text"), "decided": r.Say("device.decided"),
		"decided-already": r.Say("device.decided-already"), "take-back": r.Say("device.take-back"), "dismiss": r.Say("device.dismiss"),
		"sure": r.Say("device.sure"), "choose-action": r.Say("fault.task.action"), "give-reason": r.Say("fault.task.no-reason"),
		"give-question": r.Say("device.give-question"), "no-device": r.Say("device.no-device"),
		"written-down": r.Say("device.written-down"), "give-answer": r.Say("fault.field.required"), "confirm": r.Say("device.confirm"),
		"confirm-link": r.Say("device.confirm-link"), "open-again": r.Say("device.open-again"), "draft": r.Say("device.draft"), "discard": r.Say("portal.discard"), "made": r.Say("assist.made"), "received": r.Say("assist.received"),
		"photo-title": r.Say("photo.title"), "photo-add": r.Say("photo.add"), "photo-remove": r.Say("photo.remove", "number", "{number}"), "photo-here": r.Say("photo.here", "position", "{position}", "metres", "{metres}"),
		"photo-few": r.Say("fault.photo.missing"), "photo-many": r.Say("fault.photo.too-many"),
	} {
		part.Texts = append(part.Texts, shellText{name, text})
	}
	part.Texts = append(part.Texts, photoWords(r)...)
	return r.Render(w, http.StatusOK, ui.Page{
		Title: r.Say("desk.along"), Lead: r.Say("device.lead"), Back: &ui.Link{Text: r.Say("page.inbox"), Href: page.DeskPath},
		Body: []ui.Component{part}, Scripts: []string{d.program.paths["offline.js"]},
	})
}

// takenAlong is what a device gets to keep for a while.
type takenAlong struct {
	Owner ident.Appointment `json:"owner"` // whose tasks they are: a device keeps them apart by it
	Label string            `json:"label"` // what the owner is called: role and place
	Keep  int64             `json:"keep"`  // seconds
	Tasks []takenTask       `json:"tasks"`
}

type takenTask struct {
	Task     ident.Task `json:"task"`
	Revision int64      `json:"revision"`
	Title    string     `json:"title"`
	Text     string     `json:"text"` // place and last day
	HTML     string     `json:"html"` // the task as its page shows it
	Photos   *toTake    `json:"photos,omitempty"`
}

// toTake are the photos that a step asks for.
type toTake struct {
	Min      int    `json:"min"`
	Max      int    `json:"max"`
	Position bool   `json:"position"`
	Text     string `json:"text"`
}

// takeAlong gives the official's tasks to their device. That they were read was recorded before.
func (d *Desk) takeAlong(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	views, err := d.Tasks.TakeAlong(req.Context(), v.Actor)
	if err != nil {
		return err
	}
	r, held := d.Shared.For(v), v.Actor.Appointment
	taken := takenAlong{
		Owner: held.ID, Label: r.Role(held.Agency, held.Role) + ", " + r.Place(held.Territory), Keep: int64(keepCopies / time.Second), Tasks: []takenTask{},
	}
	for _, view := range views {
		body := append(d.facts(r, v, view), d.decision(r, view, page.Typed{}, nil))
		html, err := r.House.Fragment(r.Language, append(body, ui.Heading{Text: r.Say("portal.timeline")}, r.History(view))...)
		if err != nil {
			return err
		}
		text := r.In(view.Definition.Title) + " · " + r.Place(view.Task.Territory)
		if !view.Task.Due.IsZero() {
			text += " · " + r.LastDay(view.Task.Due)
		}
		one := takenTask{
			Task: view.Task.ID, Revision: view.Application.Revision, Title: r.Step(view.Definition, view.Task.Step), Text: text, HTML: html,
		}
		if wanted := stepOf(view).Photos; wanted.Max > 0 {
			one.Photos = &toTake{wanted.Min, wanted.Max, wanted.Position, photosWanted(r, wanted)}
		}
		taken.Tasks = append(taken.Tasks, one)
	}
	return route.WriteJSON(w, http.StatusOK, taken)
}

// sentAct is an act as a device sends it.
type sentAct struct {
	Statement string `json:"statement"` // a statement as JSON, byte for byte as it was written down
	Digest    string `json:"digest"`    // the hexadecimal SHA-256 that the device took of it then
}

// statement is what a device writes down when an official decides a task, or writes an application down for a resident.
type statement struct {
	Act      string              `json:"act"` // of an application: its id, too
	By       ident.Appointment   `json:"by"`
	Made     time.Time           `json:"made"` // by the device's clock
	Task     ident.Task          `json:"task,omitempty"`
	Revision int64               `json:"revision,omitempty"`
	Service  ident.Service       `json:"service,omitempty"` // of an application that was written down
	Language string              `json:"language,omitempty"`
	Form     map[string][]string `json:"form"` // the inputs of the form
	Salt     string              `json:"salt"` // so that nobody guesses what is in it by its digest
}

// arrived is what became of an act.
type arrived struct {
	Act      string    `json:"act"`
	Late     bool      `json:"late"`
	Received time.Time `json:"received"`
	Draft    string    `json:"draft,omitempty"` // where an application that was written down is confirmed
}

var (
	errStatement = fault.New(fault.Invalid, "offline.act", "This was not written down as the platform expects. Decide again with a connection.")
	errOwner     = fault.New(fault.Forbidden, "offline.owner", "This was decided in another appointment. Whoever holds that sends it.")
)

// takeAct takes up an act that was done without a connection.
func (d *Desk) takeAct(w http.ResponseWriter, req *http.Request, v route.Visitor) error {
	var sent sentAct
	if err := route.ReadJSON(req, &sent); err != nil {
		return err
	}
	digest := sha256.Sum256([]byte(sent.Statement))
	if hex.EncodeToString(digest[:]) != sent.Digest {
		return errStatement
	}
	var said statement
	decoder := json.NewDecoder(strings.NewReader(sent.Statement))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&said); err != nil || len(said.Salt) < 32 {
		return errStatement.Because(err)
	}
	by, held := actorOf(v, said.By)
	if !held {
		return errOwner
	}
	if said.Service != "" {
		return d.takeDictation(w, req, v, by, said, digest[:])
	}
	arrival, err := d.Tasks.Arrive(req.Context(), by, casework.Offline{
		Act: said.Act, Made: said.Made, Digest: digest[:], Task: said.Task, Revision: said.Revision,
		Verdict: func(outline casework.View) (casework.Verdict, error) {
			verdict, wrong := d.verdict(outline, page.Typed(said.Form))
			var problems field.Problems
			for name, one := range wrong {
				problems = append(problems, one.At(name))
			}
			return verdict, problems.Err()
		},
	})
	if err != nil {
		return err
	}
	return route.WriteJSON(w, http.StatusOK, arrived{Act: arrival.Act, Late: arrival.Late, Received: arrival.Received})
}

// takeDictation takes up an application that was written down without a connection, as a draft that waits for the
// resident's confirmation. The same again gives the same draft.
func (d *Desk) takeDictation(w http.ResponseWriter, req *http.Request, v route.Visitor, by access.Actor, said statement, digest []byte) error {
	definition, err := d.Services().Open(said.Service, d.Shared.Today())
	if err != nil {
		return err
	}
	wrong := page.Wrong{}
	told, err := d.dictated(req.Context(), definition, page.Typed(said.Form), wrong)
	if err != nil {
		return err
	}
	var problems field.Problems
	for name, one := range wrong {
		problems = append(problems, one.At(name))
	}
	if err := problems.Err(); err != nil {
		return err
	}
	told.ID, told.Language, told.Made, told.Digest = ident.Application(said.Act), v.Language, said.Made, digest
	if slices.Contains(d.Shared.Words.Profile.Languages, said.Language) {
		told.Language = said.Language
	}
	draft, err := d.Helping.Assist(req.Context(), by, told)
	if err != nil {
		return err
	}
	return route.WriteJSON(w, http.StatusOK, arrived{Act: said.Act, Received: draft.Created, Draft: draftPath(draft.ID)})
}

// takenForm is the form of a service, for a device to keep: it tells nothing about anybody.
type takenForm struct {
	Service  ident.Service `json:"service"`
	Title    string        `json:"title"`
	Text     string        `json:"text"`
	Language string        `json:"language"`
	Required []string      `json:"required"` // the inputs that must be filled in
	HTML     string        `json:"html"`
}

// forms gives the forms of all services with which an official can help without a connection: those whose number of
// questions does not depend on the answers.
func (d *Desk) forms(w http.ResponseWriter, _ *http.Request, v route.Visitor) error {
	r, taken := d.Shared.For(v), []takenForm{}
	for _, one := range r.Sorted(d.Services().All(d.Shared.Today())) {
		if !slices.Contains(one.For, "person") || slices.ContainsFunc(one.Ask, func(q service.Question) bool { return q.Kind == field.List }) {
			continue
		}
		html, err := r.House.Fragment(r.Language, d.assistQuestions(r, one, page.Typed{}, nil))
		if err != nil {
			return err
		}
		form := takenForm{Service: one.Path, Title: r.In(one.Title), Text: r.In(one.Summary), Language: v.Language, Required: []string{"number"}, HTML: html}
		for _, question := range one.Ask {
			if question.Optional || question.When != nil {
				continue
			}
			name := askPrefix + question.Name
			if question.Kind == field.Date {
				name += "-day"
			}
			form.Required = append(form.Required, name)
		}
		taken = append(taken, form)
	}
	return route.WriteJSON(w, http.StatusOK, map[string]any{"forms": taken})
}

// actorOf returns the visitor acting by one of the appointments that they hold, as the server's records say.
func actorOf(v route.Visitor, by ident.Appointment) (access.Actor, bool) {
	for i, one := range v.Appointments {
		if one.ID == by {
			actor := v.Actor
			actor.Appointment = &v.Appointments[i]
			return actor, true
		}
	}
	return access.Actor{}, false
}
