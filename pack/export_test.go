package pack

import (
	"slices"
	"strings"

	"yagona/kernel/register"
	"yagona/kernel/service"
)

// LoadWithoutExamples compiles packs whose examples nobody wrote: everything but them is checked.
func LoadWithoutExamples(sources []Source, profile Profile) ([]*service.Definition, []*register.Definition, Problems) {
	c := newCompiler(profile, Drafting)
	c.compileAll(sources)
	c.problems = slices.DeleteFunc(c.problems, func(p Problem) bool { return strings.HasPrefix(p.Message.String(), "no example") })
	if c.problems.Failed() {
		return nil, nil, c.problems
	}
	return c.sources[0].compiled.Services, c.sources[0].compiled.Registers, c.problems
}
