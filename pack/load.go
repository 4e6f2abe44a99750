package pack

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/money"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/locale"
)

// Source is the folder of one pack. Dir is how its files are named in problems: "packs/youth"; it may be empty.
type Source struct {
	Dir string
	FS  fs.FS
}

// Profile is what the language asks of the country profile.
type Profile struct {
	Currency  money.Currency
	Languages []string              // the tags of the languages in which every text exists
	Derived   map[string]Derivation // of those, the ones that follow from another by rules
	Levels    []string              // of territories, as packs name them
	Scheme    field.Scheme
}

// Derivation says how a language follows from another: Uzbek Cyrillic from Uzbek Latin.
type Derivation struct {
	From string
	With func(text string) string
}

// Mode says how strict the checker is.
type Mode uint8

// The modes.
const (
	Drafting Mode = iota // a missing or stale translation is a warning
	Release              // it is an error
)

// Catalogue is all packs of a country, checked together and compiled.
type Catalogue struct {
	Packs []*Pack // by name
}

// Pack is one pack, compiled.
type Pack struct {
	Name       string
	Title      wording.Text
	Agencies   []Agency
	Funds      []Fund
	Params     []service.Param
	Services   []*service.Definition
	Registers  []*register.Definition
	Indicators []*indicator.Definition
	Texts      []Text // every text for people, in the order of the files: what is to be translated
	// Revision is the SHA-256 of all files: it changes with every wording, a version's hash does not.
	Revision string

	examples map[ident.Service][]*compiledExample
}

// Agency is an agency that a pack speaks for.
type Agency struct {
	Name  ident.Agency
	Title wording.Text
	Roles []Role
}

// Role is what an official of an agency can be.
type Role struct {
	Name  ident.Role
	Title wording.Text
}

// Fund is a fund from which services pay.
type Fund struct {
	Name  string
	Title wording.Text
}

// Speakers returns the agencies that may publish the pack: those that it speaks for.
func (p *Pack) Speakers() (agencies []ident.Agency) {
	for _, one := range p.Agencies {
		agencies = append(agencies, one.Name)
	}
	return agencies
}

// Services returns the services of all packs.
func (c *Catalogue) Services() []*service.Definition {
	var all []*service.Definition
	for _, p := range c.Packs {
		all = append(all, p.Services...)
	}
	return all
}

// Registers returns the registers of all packs.
func (c *Catalogue) Registers() []*register.Definition {
	var all []*register.Definition
	for _, p := range c.Packs {
		all = append(all, p.Registers...)
	}
	return all
}

// Indicators returns the indicators of all packs.
func (c *Catalogue) Indicators() []*indicator.Definition {
	var all []*indicator.Definition
	for _, p := range c.Packs {
		all = append(all, p.Indicators...)
	}
	return all
}

// source is one pack while it is compiled.
type source struct {
	name       string
	file       packFile
	services   []*sourceOf[serviceFile]
	registers  []*sourceOf[registerFile]
	indicators []*sourceOf[indicatorFile]
	locales    map[string]*sourceOf[localeFile]
	texts      *texts
	revision   string
	compiled   *Pack
}

type sourceOf[T any] struct {
	at  place // of the file's first key
	doc T
}

// compiler compiles the packs of a catalogue together.
type compiler struct {
	*collector
	platform  *locale.Catalogue // the platform's own words
	profile   Profile
	mode      Mode
	sources   []*source
	agencies  map[string]*agency
	registers map[ident.Register]*register.Definition
	evidence  map[ident.Evidence]*evidenceSource
	relations map[string]register.Relation
	countable map[ident.Register][]ident.Indicator // which indicators of other agencies a register lets count its records
	services  map[ident.Service]bool               // those that have a file, compiled or not
	applicant ident.Subject                        // of the examples of the service that is compiled
}

// platformWords are the platform's own words; they are embedded, and read once.
var platformWords = sync.OnceValues(locale.Platform)

// Load reads the packs, checks them together and compiles them. The catalogue is nil if a problem is more than a
// warning.
func Load(sources []Source, profile Profile, mode Mode) (*Catalogue, Problems) {
	c := newCompiler(profile, mode)
	c.compileAll(sources)
	catalogue := &Catalogue{}
	for _, s := range c.sources {
		catalogue.Packs = append(catalogue.Packs, s.compiled)
	}
	slices.SortFunc(catalogue.Packs, func(a, b *Pack) int { return strings.Compare(a.Name, b.Name) })
	if !c.problems.Failed() {
		c.cover(context.Background(), catalogue)
	}
	problems := c.sorted()
	if problems.Failed() {
		return nil, problems
	}
	return catalogue, problems
}

func newCompiler(profile Profile, mode Mode) *compiler {
	platform, err := platformWords()
	if err != nil {
		panic(err) // what is embedded is broken, and every test would say so
	}
	return &compiler{
		platform:  platform,
		collector: &collector{seen: map[string]bool{}}, profile: profile, mode: mode,
		agencies: map[string]*agency{}, registers: map[ident.Register]*register.Definition{},
		evidence: map[ident.Evidence]*evidenceSource{}, relations: map[string]register.Relation{},
		countable: map[ident.Register][]ident.Indicator{},
		services:  map[ident.Service]bool{},
	}
}

// compileAll reads and compiles the packs. What is wrong is collected.
func (c *compiler) compileAll(sources []Source) {
	for _, s := range sources {
		c.read(s)
	}
	c.declare()
	for _, s := range c.sources {
		c.current = s.file.place()
		c.compilePack(s)
		for _, r := range s.registers {
			c.current = r.at
			c.compileRegister(s, r)
		}
	}
	for _, s := range c.sources {
		for _, one := range s.services {
			c.current = one.at
			c.compileService(s, one)
		}
		for _, one := range s.indicators {
			c.current = one.at
			c.compileIndicator(s, one)
		}
		c.current = s.file.place()
		c.finishTexts(s)
	}
}

// fileLimit is how many files a pack may have.
const fileLimit = 500

// read reads all files of a pack.
func (c *compiler) read(from Source) {
	named := func(name string) place { return place{&file{name: path.Join(from.Dir, name)}, 1, 1} }
	s := &source{locales: map[string]*sourceOf[localeFile]{}}
	c.current = named("pack.yaml")
	s.file.markAt(&node{at: c.current, kind: broken}) // should it be no YAML
	var names []string
	err := fs.WalkDir(from.FS, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			// A link leads out of the pack, and a pipe never ends.
			if !entry.Type().IsRegular() {
				c.fail(named(name), "put a plain file there", "this is a link or a device, not a file of the pack")
				return nil
			}
			if names = append(names, name); len(names) > fileLimit {
				return fs.SkipAll
			}
		}
		return err
	})
	if err != nil || len(names) > fileLimit {
		c.fail(named("pack.yaml"), "check the folder: it holds pack.yaml, services/, registers/, indicators/ and locale/",
			"the folder cannot be read")
		return
	}
	if !slices.Contains(names, "pack.yaml") {
		c.fail(named("pack.yaml"), "add pack.yaml, or name the folder of a pack", "there is no such file")
		return
	}
	sum := newDigest()
	for _, name := range names {
		folder, base := path.Split(name)
		if strings.HasPrefix(base, ".") || !strings.HasSuffix(base, ".yaml") && folder == "" {
			continue // a README, an editor's file
		}
		if !strings.HasSuffix(base, ".yaml") || !slices.Contains([]string{"", "services/", "registers/", "indicators/", "locale/"},
			folder) || folder == "" && base != "pack.yaml" {
			c.fail(named(name), "move it to services/, registers/, indicators/ or locale/ and let it end in .yaml, or remove it",
				"the language knows no such file")
			continue
		}
		data, err := readFile(from.FS, name)
		if err != nil {
			c.fail(named(name), "check the file and its rights", "the file cannot be read")
			continue
		}
		sum.add(name, data)
		c.readOne(s, path.Join(from.Dir, name), folder, data)
	}
	s.revision = sum.hex()
	s.name = s.file.Pack.text
	c.sources = append(c.sources, s)
}

func readFile(from fs.FS, name string) ([]byte, error) {
	f, err := from.Open(name)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, sizeLimit+1))
	return data, errors.Join(err, f.Close())
}

func (c *compiler) readOne(s *source, name, folder string, data []byte) {
	root := parse(name, data, c.collector)
	if root == nil {
		return
	}
	switch folder {
	case "":
		decode(c, root, &s.file)
	case "services/":
		one := &sourceOf[serviceFile]{at: root.at}
		decode(c, root, &one.doc)
		s.services = append(s.services, one)
	case "registers/":
		one := &sourceOf[registerFile]{at: root.at}
		decode(c, root, &one.doc)
		s.registers = append(s.registers, one)
	case "indicators/":
		one := &sourceOf[indicatorFile]{at: root.at}
		decode(c, root, &one.doc)
		s.indicators = append(s.indicators, one)
	case "locale/":
		one := &sourceOf[localeFile]{at: root.at}
		decode(c, root, &one.doc)
		tag := one.doc.Language.text
		if tag == "" {
			return
		}
		if base := path.Base(name); base != tag+".yaml" {
			c.refuse(one.doc.Language.place(), phrase("rename the file to %s.yaml, or correct the tag", tag), "the file is called %s",
				base)
			return
		}
		s.locales[tag] = one
	}
}

// declare collects the names that packs may use of each other.
func (c *compiler) declare() {
	packs := map[string]bool{}
	for _, s := range c.sources {
		if s.name != "" && packs[s.name] {
			c.fail(s.file.Pack.place(), "give each pack a name of its own", "another pack is called %s too", s.name)
		}
		packs[s.name] = true
		for i := range s.file.Agencies.list {
			one := &s.file.Agencies.list[i]
			c.checkName(one.key, one.at)
			if c.agencies[one.key] != nil {
				c.fail(one.at, "declare each agency in one pack", "another pack speaks for %s too", one.key)
			}
			c.agencies[one.key] = &one.value
		}
		for _, one := range s.services {
			if one.doc.Service.text == "" {
				continue // reported as missing
			}
			name := ident.Service(s.name + "/" + one.doc.Service.text)
			if c.services[name] {
				c.fail(one.doc.Service.place(), "give each service a name of its own", "another file is the service %s too", name)
			}
			c.services[name] = true
		}
	}
}

// checkName checks a name that stands before a colon.
func (c *compiler) checkName(text string, at place) {
	if !ident.IsName(text) {
		c.fail(at, "write lower-case Latin letters and digits, words joined by hyphens", "%q is no name", shorten(text))
	}
}

func (c *compiler) compilePack(s *source) {
	s.texts = newTexts(c, s)
	p := &Pack{Name: s.name, Revision: s.revision, examples: map[ident.Service][]*compiledExample{}}
	p.Title = s.texts.say("pack.title", s.file.Title)
	for _, one := range s.file.Agencies.list {
		key := "agencies." + one.key
		a := Agency{Name: ident.Agency(one.key), Title: s.texts.say(key+".title", one.value.Title)}
		for _, r := range one.value.Roles.list {
			c.checkName(r.key, r.at)
			a.Roles = append(a.Roles, Role{ident.Role(r.key), s.texts.say(key+".roles."+r.key, r.value.Title)})
		}
		p.Agencies = append(p.Agencies, a)
	}
	for _, one := range s.file.Funds.list {
		c.checkName(one.key, one.at)
		p.Funds = append(p.Funds, Fund{one.key, s.texts.say("funds."+one.key, one.value.Title)})
	}
	for _, one := range s.file.Params.list {
		p.Params = append(p.Params, c.compileParam(one))
	}
	s.compiled = p
}
