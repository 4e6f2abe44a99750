package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing/fstest"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/indicator"
	"yagona/kernel/publication"
	"yagona/kernel/register"
	"yagona/kernel/service"
	"yagona/kernel/wording"
	"yagona/pack"
)

// Catalogue is everything that is loaded: the packs in force, and every version of a service that was ever in force. It
// is immutable.
type Catalogue struct {
	Packs      *pack.Catalogue
	Services   *service.Catalogue
	Registers  *register.Catalogue
	Indicators *indicator.Catalogue
	Agencies   map[ident.Agency]pack.Agency
	Funds      map[string]ident.Agency
}

// Agency returns what an agency is called.
func (c *Catalogue) Agency(name ident.Agency) wording.Text { return c.Agencies[name].Title }

// Role returns what an official of the agency in the role is called.
func (c *Catalogue) Role(agency ident.Agency, name ident.Role) wording.Text {
	for _, role := range c.Agencies[agency].Roles {
		if role.Name == name {
			return role.Title
		}
	}
	return nil
}

// Fund returns what a fund is called.
func (c *Catalogue) Fund(name string) wording.Text {
	for _, one := range c.Packs.Packs {
		for _, fund := range one.Funds {
			if fund.Name == name {
				return fund.Title
			}
		}
	}
	return nil
}

// Register returns a register, or fault.NotFound.
func (c *Catalogue) Register(path ident.Register) (*register.Definition, error) {
	return c.Registers.Register(path)
}

// Service returns the newest version of a service, or fault.NotFound.
func (c *Catalogue) Service(path ident.Service) (*service.Definition, error) {
	for _, definition := range c.Packs.Services() {
		if definition.Path == path {
			return definition, nil
		}
	}
	return nil, service.ErrNoService
}

// bundleOf reads a pack's files.
func bundleOf(source pack.Source) (publication.Bundle, error) {
	bundle := publication.Bundle{}
	err := fs.WalkDir(source.FS, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".yaml") {
			return err
		}
		bundle[path], err = fs.ReadFile(source.FS, path)
		return err
	})
	return bundle, err
}

// sourceOf returns a bundle as a pack's folder.
func sourceOf(name string, bundle publication.Bundle) pack.Source {
	files := fstest.MapFS{}
	for path, content := range bundle {
		files[path] = &fstest.MapFile{Data: content}
	}
	return pack.Source{Dir: name, FS: files}
}

// sourcesOf returns bundles as the folders of their packs, in the order of their names.
func sourcesOf(packs map[string]publication.Bundle) (sources []pack.Source) {
	for _, name := range slices.Sorted(maps.Keys(packs)) {
		sources = append(sources, sourceOf(name, packs[name]))
	}
	return sources
}

// compile compiles the packs together.
func compile(packs map[string]publication.Bundle, profile pack.Profile, mode pack.Mode) (*pack.Catalogue, error) {
	compiled, problems := pack.Load(sourcesOf(packs), profile, mode)
	if problems.Failed() {
		return nil, fault.New(fault.Invalid, "pack.problems", "The packs cannot be used: "+problems.Error()).
			With("problems", problems.Error()).Because(problems)
	}
	return compiled, nil
}

// load replays the publications: what is in force now, and every version of a service on the way there. If that is what
// was loaded before, it does nothing.
func (n *Node) load(ctx context.Context) error {
	n.loading.Lock()
	defer n.loading.Unlock()
	all, closed, err := n.Press.All(ctx, false)
	if err != nil {
		return err
	}
	state := stateOf(all, closed)
	if state == n.loaded {
		return nil
	}
	if all, closed, err = n.Press.All(ctx, true); err != nil {
		return err
	}
	state = stateOf(all, closed)
	all = slices.DeleteFunc(all, func(p publication.Publication) bool { return p.State != publication.InForce })
	slices.SortStableFunc(all, func(a, b publication.Publication) int { return a.InForceAt.Compare(b.InForceAt) })
	profile := pack.ProfileOf(n.Profile)
	inForce := map[string]publication.Bundle{}
	var versions []*service.Definition
	var compiled *pack.Catalogue
	var failed error
	for i, one := range all {
		inForce[one.Pack] = one.Files
		if i+1 < len(all) && one.Agency == "" && all[i+1].Agency == "" {
			continue // packs that came together are compiled together
		}
		// A state that this release of the platform no longer understands keeps its applications from being decided, not
		// the node from starting; only the last one must compile.
		compiled, failed = compile(inForce, profile, pack.Drafting)
		if failed != nil {
			n.config.Log.Error("a published state of the packs does not compile", "publication", one.ID, "error", failed)
			continue
		}
		for _, definition := range compiled.Services() {
			// What is published again is as new as what was published last.
			versions = slices.DeleteFunc(versions, func(one *service.Definition) bool { return one.Hash == definition.Hash })
			versions = append(versions, definition)
		}
	}
	if failed != nil {
		return failed
	}
	if compiled == nil {
		return errors.New("there are no packs: name at least one folder")
	}
	loaded := &Catalogue{Packs: compiled, Agencies: map[ident.Agency]pack.Agency{}, Funds: map[string]ident.Agency{}}
	closedVersions := map[string]bool{}
	for _, one := range closed {
		closedVersions[one.Version] = true
	}
	// Of a service that a pack no longer has, old versions are closed.
	current := map[ident.Service]bool{}
	for _, definition := range compiled.Services() {
		current[definition.Path] = true
	}
	for _, definition := range versions {
		if !current[definition.Path] {
			closedVersions[definition.Hash] = true
		}
	}
	loaded.Services = service.NewCatalogue(versions, closedVersions)
	if loaded.Registers, err = register.NewCatalogue(compiled.Registers()); err != nil {
		return err
	}
	if err := loaded.Registers.CheckComplete(); err != nil {
		return err
	}
	loaded.Indicators = indicator.NewCatalogue(compiled.Indicators())
	for _, one := range compiled.Packs {
		for _, agency := range one.Agencies {
			loaded.Agencies[agency.Name] = agency
		}
		for _, fund := range one.Funds {
			if len(one.Agencies) > 0 {
				loaded.Funds[fund.Name] = one.Agencies[0].Name
			}
		}
	}
	if err := n.prepareAgencies(ctx, loaded); err != nil {
		return err
	}
	n.catalogue.Store(loaded)
	n.loaded = state
	return nil
}

// stateOf tells publications and closures apart from others.
func stateOf(all []publication.Publication, closed []publication.Closure) string {
	var state strings.Builder
	for _, one := range all {
		fmt.Fprintf(&state, "%s %s %s\n", one.ID, one.State, one.Digest)
	}
	for _, one := range closed {
		fmt.Fprintln(&state, one.Version)
	}
	return state.String()
}

// speakers returns the agencies for which the pack in force speaks, nil if there is none of the name.
func (n *Node) speakers(name string) []ident.Agency {
	for _, one := range n.Catalogue().Packs.Packs {
		if one.Name == name {
			return one.Speakers()
		}
	}
	return nil
}

// amongOthers returns the packs in force with one in its place.
func (n *Node) amongOthers(ctx context.Context, name string, files publication.Bundle) (map[string]publication.Bundle, error) {
	packs, err := n.Press.Bundles(ctx)
	if err == nil {
		packs[name] = files
	}
	return packs, err
}

// examine looks at a pack that is being written, among those in force.
func (n *Node) examine(ctx context.Context, name string, files publication.Bundle) (pack.Examination, error) {
	packs, err := n.amongOthers(ctx, name, files)
	if err != nil {
		return pack.Examination{}, err
	}
	return pack.Examine(ctx, sourcesOf(packs), name, pack.ProfileOf(n.Profile)), nil
}

// checkPack checks as a release the packs in force with one in its place, runs its examples, and returns the agencies
// that may publish it.
func (n *Node) checkPack(ctx context.Context, name string, files publication.Bundle) ([]ident.Agency, error) {
	packs, err := n.amongOthers(ctx, name, files)
	if err != nil {
		return nil, err
	}
	compiled, err := compile(packs, pack.ProfileOf(n.Profile), pack.Release)
	if err != nil {
		return nil, err
	}
	registers, err := register.NewCatalogue(compiled.Registers())
	if err != nil {
		return nil, err
	}
	if err := registers.CheckComplete(); err != nil {
		return nil, err
	}
	for _, one := range compiled.Packs {
		if one.Name != name {
			continue
		}
		if report := pack.Test(ctx, &pack.Catalogue{Packs: []*pack.Pack{one}}, n.Profile.Currency); !report.Passed() {
			return nil, fault.New(fault.Invalid, "pack.examples", "The pack's examples do not come out as expected:\n"+report.String()).
				With("examples", report.String())
		}
		// Whoever spoke for the pack before must go on to: nobody takes over another agency's pack by renaming it.
		agencies := one.Speakers()
		if slices.ContainsFunc(n.Catalogue().Packs.Packs, func(p *pack.Pack) bool { return p.Name == name }) {
			before := n.speakers(name)
			agencies = slices.DeleteFunc(agencies, func(agency ident.Agency) bool { return !slices.Contains(before, agency) })
		}
		return agencies, nil
	}
	return nil, fault.Newf(fault.Invalid, "publication.name", "The files are not those of a pack named %s.", name).With("name", name)
}

// draft compiles a service's file in the place of the one in force, with the packs in force around it.
func (n *Node) draft(ctx context.Context, of ident.Service, file string) (*service.Definition, error) {
	packs, err := n.Press.Bundles(ctx)
	if err != nil {
		return nil, err
	}
	folder, name, _ := strings.Cut(string(of), "/")
	changed := publication.Bundle{}
	maps.Copy(changed, packs[folder])
	changed["services/"+name+".yaml"] = []byte(file)
	packs[folder] = changed
	compiled, err := compile(packs, pack.ProfileOf(n.Profile), pack.Drafting)
	if err != nil {
		return nil, err
	}
	for _, definition := range compiled.Services() {
		if definition.Path == of {
			return definition, nil
		}
	}
	return nil, service.ErrNoService
}

// install keeps the packs that came with the installation.
func (n *Node) install(ctx context.Context) error {
	for _, source := range n.config.Packs {
		bundle, err := bundleOf(source)
		if err != nil {
			return fmt.Errorf("reading the pack %s: %w", source.Dir, err)
		}
		if _, err := n.Press.Install(ctx, nameOf(source), bundle); err != nil {
			return err
		}
	}
	return nil
}

// nameOf returns the pack's name: its folder's.
func nameOf(source pack.Source) string {
	return source.Dir[strings.LastIndexByte(source.Dir, '/')+1:]
}
