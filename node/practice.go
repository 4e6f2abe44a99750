package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/casework"
	"yagona/kernel/country"
	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/practice"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/locale"
	"yagona/packs/demo"
	lessons "yagona/packs/practice"
	"yagona/store/query"
)

// wirePractice makes the practice ground, where this is one.
func (n *Node) wirePractice() error {
	if n.config.Practice == nil {
		return nil
	}
	if !n.config.Demonstration {
		return errors.New("a practice ground is a demonstration: nobody in it may be real")
	}
	all, err := practice.Load(lessons.Lessons(), n.Profile.Languages)
	if err != nil {
		return fmt.Errorf("the lessons:\n%w", err)
	}
	n.Casework.Composer = marked{n.Casework.Composer, n.Words}
	n.Practice = &practice.Ground{
		Store: query.For[practice.Reader, practice.Tx](n.store), Casework: n.Casework, Lessons: all, Residents: n.config.Practice.Residents,
		Territories: n.Profile.Territories, Calendar: n.Profile.Calendar, Clock: n.config.Clock, Language: n.Profile.Authoritative(),
		Again: n.config.Practice.Again, Documents: n.Documents, Compose: n.certificate,
	}
	return nil
}

// marked is a composer whose documents say first that they are of a practice ground: on paper, and to whoever checks them.
type marked struct {
	casework.Composer
	words country.Words
}

// Compose implements casework.Composer.
func (m marked) Compose(
	ctx context.Context, definition *service.Definition, application casework.Application, outcome service.Outcome, sent *casework.Represented, id ident.Document, now time.Time,
) (document.Draft, error) {
	draft, err := m.Composer.Compose(ctx, definition, application, outcome, sent, id, now)
	for i := range draft.Content.Texts {
		text := &draft.Content.Texts[i]
		text.Lines = slices.Insert(text.Lines, 0, worth(m.words, text.Language))
		checked := 0
		for j := range text.Lines {
			if text.Lines[j].Checked {
				checked++
			}
			text.Lines[j].Checked = text.Lines[j].Checked && checked <= document.MaxFacts
		}
	}
	return draft, err
}

// worth is the line of a document that says what it is worth: nothing outside the practice ground.
func worth(words country.Words, language string) document.Line {
	say := func(key string) string { return words.Text(locale.Tag(language), key, nil) }
	return document.Line{Label: say("practice.worth"), Value: say("practice.worthless"), Checked: true}
}

// certificate writes what the certificate of a learner says: who, as what, where, and which lessons; and that it is one of
// a practice ground.
func (n *Node) certificate(ctx context.Context, who practice.Learner, done []practice.Standing, language string) (document.Draft, error) {
	holder, err := n.People.Attributes(ctx, who.Person)
	if err != nil {
		return document.Draft{}, err
	}
	counts := n.Profile.Authoritative()
	content := document.Content{
		Agency: who.Agency, Authoritative: counts, Link: n.config.Site.String() + "/verify/",
	}
	for _, one := range slices.Compact([]string{language, counts}) {
		say := func(key string, args locale.Args) string { return n.Words.Text(locale.Tag(one), key, args) }
		in := func(text wording.Text) string { return text.In(one, counts) }
		text := document.Text{
			Language: one, Agency: in(n.Catalogue().Agency(who.Agency)), Title: say("practice.certificate", nil), Contest: say("ui.practice", nil),
			Headings: document.Headings{
				Number: say("document.number", nil), Issued: say("document.issued", nil), Until: say("document.until", nil),
				Reasons: say("practice.certified", nil), Basis: say("document.basis", nil), Contest: say("practice.worth", nil),
				Check: say("document.check", nil), Authoritative: say("document.authoritative", nil),
			},
			Lines: []document.Line{
				worth(n.Words, one),
				{Label: say("document.holder", nil), Value: holder.Name, Checked: true},
				{Label: say("practice.learner", nil), Value: in(n.Catalogue().Role(who.Agency, who.Role)), Checked: true},
				{Label: say("desk.place", nil), Value: n.Profile.Territories.Name(who.Territory, one, counts)},
				{Label: say("practice.lessons-done", nil), Value: strconv.Itoa(len(done))},
			},
		}
		for _, lesson := range done {
			text.Reasons = append(text.Reasons, in(lesson.Lesson.Title))
		}
		content.Texts = append(content.Texts, text)
	}
	return document.Draft{Content: content, Date: n.Words.Day}, nil
}

// residents are those of a population with whom officials practise.
type residents struct{ population *demo.Population }

func (r residents) someone(id ident.Person) practice.Someone {
	one, _ := r.population.Person(id)
	found := practice.Someone{Person: one.ID, Number: one.Number, Name: one.Name(), Account: one.Account}
	if business, ok := r.population.Businesses[id]; ok {
		found.For = business.Subject()
	}
	return found
}

// Neighbours implements practice.Residents.
func (r residents) Neighbours(place ident.Territory) (found []practice.Someone) {
	for _, id := range r.population.Neighbours[place] {
		found = append(found, r.someone(id))
	}
	return found
}

// Relative implements practice.Residents.
func (r residents) Relative(of ident.Person) (practice.Someone, bool) {
	id, ok := r.population.Relatives[of]
	return r.someone(id), ok
}

// PracticeGround serves a practice ground that is laid out anew whenever a leader of the learners wants that. Each layout
// is an installation of its own, in a folder with its number; the earlier one is served until the next is ready, and then
// removed. It is safe for concurrent use.
type PracticeGround struct {
	config Config
	size   int
	again  chan wish
	end    context.CancelFunc
	ended  sync.WaitGroup

	changing sync.RWMutex // held while a request finds the layout that serves it
	served   *layout      // guarded by changing
}

// wish is that a layout is replaced by a new one.
type wish struct {
	by     journal.Actor
	number int // of the layout in which they wished it: a later one is what they wanted
}

// layout is one installation of a practice ground, and the requests that it answers.
type layout struct {
	*Node
	number   int
	requests sync.WaitGroup
}

// OpenPractice opens a practice ground with at least so many people in config's folder, and lays it out at the first start.
// It works in the background until it is closed.
func OpenPractice(ctx context.Context, config Config, size int) (*PracticeGround, error) {
	if config.Database != "" {
		return nil, errors.New("a practice ground is wiped at will: it takes no database on a server, only a folder")
	}
	g := &PracticeGround{config: config, size: size, again: make(chan wish, 1)}
	number, err := g.begun()
	if err != nil {
		return nil, err
	}
	if g.served, err = g.open(ctx, number); err != nil {
		return nil, err
	}
	ctx, g.end = context.WithCancel(context.WithoutCancel(ctx))
	if err := g.ready(number); err != nil {
		return nil, errors.Join(err, g.served.Close())
	}
	g.served.Start(ctx)
	g.ended.Go(func() { g.layOut(ctx) })
	return g, nil
}

func (g *PracticeGround) folder(number int) string {
	return filepath.Join(g.config.Folder, strconv.Itoa(number))
}

// readyFile lies in the folder of a layout that was served.
const readyFile = "ready"

func (g *PracticeGround) ready(number int) error {
	return os.WriteFile(filepath.Join(g.folder(number), readyFile), nil, 0o600)
}

// begun returns the layout to serve at a start: the last that was served, or the first. All others are removed: a process
// that ended meanwhile has left them.
func (g *PracticeGround) begun() (last int, err error) {
	entries, err := os.ReadDir(g.config.Folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	var found []int
	last = 1
	for _, entry := range entries {
		number, err := strconv.Atoi(entry.Name())
		if err != nil || !entry.IsDir() {
			continue
		}
		found = append(found, number)
		if exists(filepath.Join(g.folder(number), readyFile)) {
			last = max(last, number)
		}
	}
	for _, number := range found {
		if number != last {
			if err := os.RemoveAll(g.folder(number)); err != nil {
				return 0, err
			}
		}
	}
	return last, nil
}

func (g *PracticeGround) open(ctx context.Context, number int) (*layout, error) {
	config := g.config
	config.Folder = g.folder(number)
	config.Practice = &Practice{Again: func(by journal.Actor) {
		select {
		case g.again <- wish{by, number}:
		default: // somebody else has just wished the same
		}
	}}
	opened, err := openPopulation(ctx, config, g.size, demo.GeneratePractice)
	if err != nil {
		return nil, err
	}
	return &layout{Node: opened, number: number}, nil
}

// layOut lays the ground out anew as often as somebody wants it.
func (g *PracticeGround) layOut(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case wanted := <-g.again:
			if wanted.number != g.current().number {
				continue
			}
			if err := g.next(ctx, wanted.by); err != nil && ctx.Err() == nil {
				g.Node().config.Log.Error("laying the practice ground out anew failed; the earlier one stays", "error", err)
			}
		}
	}
}

// next opens a new layout, records in it who wanted it, and serves it instead of the earlier one, which is removed.
func (g *PracticeGround) next(ctx context.Context, by journal.Actor) error {
	earlier := g.current()
	opened, err := g.open(ctx, earlier.number+1)
	if err != nil {
		return errors.Join(err, os.RemoveAll(g.folder(earlier.number+1)))
	}
	by.Appointment = "" // of the earlier layout; the people are the same in all of them
	err = query.For[journal.Reader, journal.Tx](opened.store).Update(ctx, act.Of(by.Person.Subject()), func(tx journal.Tx) error {
		_, err := journal.Append(tx, nil, journal.Event{Type: "installation.laid-out", Actor: by, Facts: map[string]string{"number": strconv.Itoa(opened.number)}})
		return err
	})
	if err = errors.Join(err, g.ready(opened.number)); err != nil {
		return errors.Join(err, opened.Close(), os.RemoveAll(g.folder(opened.number)))
	}
	opened.Start(ctx)
	g.changing.Lock()
	g.served = opened
	g.changing.Unlock()
	earlier.requests.Wait()
	return errors.Join(earlier.Close(), os.RemoveAll(g.folder(earlier.number)))
}

// current returns the layout that is served.
func (g *PracticeGround) current() *layout {
	g.changing.RLock()
	defer g.changing.RUnlock()
	return g.served
}

// Node returns the installation that is served now.
func (g *PracticeGround) Node() *Node { return g.current().Node }

// ServeHTTP lets the layout answer that is served when the request comes.
func (g *PracticeGround) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.changing.RLock()
	now := g.served
	now.requests.Add(1)
	g.changing.RUnlock()
	defer now.requests.Done()
	now.Handler.ServeHTTP(w, r)
}

// Close ends the work in the background and closes what is served. A layout that is not ready is left out.
func (g *PracticeGround) Close() error {
	g.end()
	g.ended.Wait()
	return g.current().Close()
}
