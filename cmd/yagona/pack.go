package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/goccy/go-yaml"

	"yagona/kernel/country"
	"yagona/kernel/register"
	"yagona/pack"
	"yagona/packs"
)

// packCommand is what a pack's author does.
type packCommand struct {
	Check   packCheckCommand   `cmd:"" help:"Check packs; every problem is file:line:column: what is wrong: what to do."`
	Test    packTestCommand    `cmd:"" help:"Run the examples of packs and show how they cover the rules."`
	New     packNewCommand     `cmd:"" help:"Write the folder of a new pack that passes check and test."`
	Schema  packSchemaCommand  `cmd:"" help:"Print the JSON Schema of the files of a pack, for editors."`
	Keygen  packKeygenCommand  `cmd:"" help:"Make a publisher's signing key."`
	Publish packPublishCommand `cmd:"" help:"Propose a pack to a running node, signed."`
	Approve packApproveCommand `cmd:"" help:"Approve a proposed pack as its second person, signed."`
	Reject  packRejectCommand  `cmd:"" help:"Reject a proposed pack as its second person, signed."`
	Close   packCloseCommand   `cmd:"" help:"Close a faulty version of a service to new applications, signed."`
}

// packFolders are the packs to look at and what they are checked against.
type packFolders struct {
	Folders []string `arg:"" name:"dir" help:"Folders of packs."`
	Profile string   `type:"existingdir" placeholder:"DIR" help:"Country profile; the shipped one if none is named."`
	Alone   bool     `help:"Check without the packs that are shipped."`
}

// load loads the named packs together with the shipped ones; a named pack takes the place of a shipped one of its name.
// It returns the names of the named packs and, of the problems, those in them: the shipped ones are not their author's.
func (f packFolders) load(mode pack.Mode) (*pack.Catalogue, *country.Profile, pack.Problems, error) {
	profile, err := loadProfile(f.Profile)
	if err != nil {
		return nil, nil, nil, err
	}
	var sources []pack.Source
	named := map[string]bool{}
	for _, folder := range f.Folders {
		source, err := packSource(folder)
		if err != nil {
			return nil, nil, nil, err
		}
		sources = append(sources, source)
		named[packName(source)] = true
	}
	if !f.Alone {
		for _, shipped := range packs.All() {
			if !named[packName(shipped)] {
				sources = append(sources, shipped)
			}
		}
	}
	catalogue, problems := pack.Load(sources, pack.ProfileOf(profile), mode)
	if catalogue != nil && !f.Alone { // what is alone is a part of an installation
		registers, err := register.NewCatalogue(catalogue.Registers())
		if err == nil {
			err = registers.CheckComplete()
		}
		if err != nil {
			return nil, nil, nil, err
		}
	}
	return catalogue, profile, problems, nil
}

// tested returns the named packs of a catalogue.
func (f packFolders) tested(catalogue *pack.Catalogue) *pack.Catalogue {
	var names []string
	for _, folder := range f.Folders {
		if source, err := packSource(folder); err == nil {
			names = append(names, packName(source))
		}
	}
	only := &pack.Catalogue{}
	for _, one := range catalogue.Packs {
		if slices.Contains(names, one.Name) {
			only.Packs = append(only.Packs, one)
		}
	}
	return only
}

// loadProfile loads a country profile from a folder, or the shipped one.
func loadProfile(folder string) (*country.Profile, error) {
	if folder == "" {
		return packs.Profile()
	}
	profile, err := country.Load(os.DirFS(folder))
	if err != nil {
		return nil, fmt.Errorf("the country profile %s:\n%w", folder, err)
	}
	return profile, nil
}

// packSource returns a folder on the disk as a pack.
func packSource(folder string) (pack.Source, error) {
	files := os.DirFS(folder)
	if _, err := fs.Stat(files, "pack.yaml"); err != nil {
		return pack.Source{}, usageError{fmt.Errorf("%s is not a pack: it has no pack.yaml; name the folder of a pack, or make one with yagona pack new", folder)}
	}
	source := pack.Source{Dir: filepath.ToSlash(filepath.Clean(folder)), FS: files}
	named, err := os.ReadFile(filepath.Join(folder, "pack.yaml"))
	if err != nil {
		return pack.Source{}, err
	}
	// A pack is found by its folder's name: where pack.yaml says another, it would go unchecked.
	var head struct {
		Pack string `yaml:"pack"`
	}
	if err := yaml.Unmarshal(named, &head); err == nil && head.Pack != "" && head.Pack != packName(source) {
		return pack.Source{}, usageError{fmt.Errorf("%s/pack.yaml:1:1: the pack is named %s, its folder %s: give both the same name", source.Dir, head.Pack, packName(source))}
	}
	return source, nil
}

// packName returns the name of a pack: its folder's.
func packName(source pack.Source) string {
	whole, err := filepath.Abs(source.Dir)
	if err != nil {
		whole = source.Dir
	}
	return filepath.Base(whole)
}

type packCheckCommand struct {
	packFolders
	Release bool `help:"As for a release: a missing or stale translation is an error."`
}

// Run checks the packs.
func (c packCheckCommand) Run(terminal terminal) error {
	mode := pack.Drafting
	if c.Release {
		mode = pack.Release
	}
	catalogue, _, problems, err := c.load(mode)
	if err != nil {
		return err
	}
	for _, problem := range problems {
		fmt.Fprintln(terminal.Err, problem)
	}
	if problems.Failed() {
		return errSaid
	}
	for _, one := range c.tested(catalogue).Packs {
		fmt.Fprintf(terminal.Out, "%s: %d services, %d registers: correct\n", one.Name, len(one.Services), len(one.Registers))
	}
	return nil
}

type packTestCommand struct{ packFolders }

// Run runs the examples of the packs.
func (c packTestCommand) Run(ctx context.Context, terminal terminal) error {
	catalogue, profile, problems, err := c.load(pack.Drafting)
	if err != nil {
		return err
	}
	if problems.Failed() {
		for _, problem := range problems {
			if !problem.Warning {
				fmt.Fprintln(terminal.Err, problem)
			}
		}
		return errSaid
	}
	report := pack.Test(ctx, c.tested(catalogue), profile.Currency)
	fmt.Fprint(terminal.Out, report)
	if !report.Passed() {
		return errSaid
	}
	return nil
}

type packNewCommand struct {
	Name     string `arg:"" help:"The pack's name: lower-case Latin words joined by hyphens."`
	In       string `default:"." placeholder:"DIR" help:"The folder in which the pack's own folder is made."`
	Language string `default:"en" help:"The language in which you write: a tag of the country's languages."`
}

// Run writes the files of a new pack.
func (c packNewCommand) Run(terminal terminal) error {
	files, err := pack.New(c.Name, c.Language, "")
	if err != nil {
		return usageError{err}
	}
	folder := filepath.Join(c.In, c.Name)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return fmt.Errorf("the pack is not written over what is there: %w", err)
	}
	for path, content := range files {
		path = filepath.Join(folder, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			return err
		}
	}
	fmt.Fprintf(terminal.Out, "%s is written. Next: yagona pack check %s\n", folder, folder)
	return nil
}

type packSchemaCommand struct{}

// Run prints the schema.
func (packSchemaCommand) Run(terminal terminal) error {
	_, err := terminal.Out.Write(pack.Schema())
	return err
}
