package pack

import "context"

// Examination is what there is to say of one pack while it is being written, looked at together with all others.
type Examination struct {
	Problems Problems // of all packs: a change can be wrong for another one
	// Pack is there as soon as everything compiles: to be shown, not to be used. It may lack examples.
	Pack   *Pack
	Report Report // of its examples, once it is there
}

// Ready reports whether the pack can be published: nothing is missing, not even a translation, and all examples pass.
func (e Examination) Ready() bool {
	return e.Pack != nil && len(e.Problems) == 0 && e.Report.Passed()
}

// Examine looks at the pack of a name among the sources. A translation that is missing is a warning, as while drafting;
// examples are run even where some are missing.
func Examine(ctx context.Context, sources []Source, name string, profile Profile) Examination {
	c := newCompiler(profile, Drafting)
	c.compileAll(sources)
	var found Examination
	if !c.problems.Failed() {
		catalogue := &Catalogue{}
		for _, s := range c.sources {
			catalogue.Packs = append(catalogue.Packs, s.compiled)
			if s.compiled.Name == name {
				found.Pack = s.compiled
			}
		}
		if found.Pack != nil {
			found.Report = Test(ctx, &Catalogue{Packs: []*Pack{found.Pack}}, profile.Currency)
		}
		c.cover(ctx, catalogue)
	}
	found.Problems = c.sorted()
	return found
}
