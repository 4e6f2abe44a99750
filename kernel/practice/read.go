package practice

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"yagona/kernel/ident"
	"yagona/kernel/wording"
	"yagona/locale"
)

// lessonFile is a lesson as it is written.
type lessonFile struct {
	Order    int            `yaml:"order"`
	Title    wording.Text   `yaml:"title"`
	About    wording.Text   `yaml:"about"`
	Steps    []wording.Text `yaml:"steps"`
	Resident Resident       `yaml:"resident"`
	Prepared bool           `yaml:"prepared"`
	LastDay  bool           `yaml:"last-day"`
	Cases    []struct {
		Agency  ident.Agency   `yaml:"agency"`
		Role    ident.Role     `yaml:"role"`
		Service ident.Service  `yaml:"service"`
		Answers map[string]any `yaml:"answers"`
	} `yaml:"cases"`
	Done []struct {
		Did     []Learned `yaml:"did"`
		Offline bool      `yaml:"offline"`
		Because string    `yaml:"because"`
	} `yaml:"done"`
	Never []Learned `yaml:"never"`
}

// Load reads the lessons of a folder, one to a file NAME.yaml, in their order. Each text is written in all languages but
// those that are derived from another. The error joins all that is wrong, each with its file.
func Load(files fs.FS, languages []string) ([]*Lesson, error) {
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, errors.New("there is no lesson: write one as NAME.yaml")
	}
	var lessons []*Lesson
	var problems []error
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		var written lessonFile
		if err := yaml.NewDecoder(bytes.NewReader(data), yaml.Strict()).Decode(&written); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
			continue
		}
		lesson, wrong := written.lesson(strings.TrimSuffix(path.Base(name), ".yaml"), languages)
		for _, one := range wrong {
			problems = append(problems, fmt.Errorf("%s: %s", name, one))
		}
		lessons = append(lessons, lesson)
	}
	slices.SortFunc(lessons, func(a, b *Lesson) int { return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Name, b.Name)) })
	return lessons, errors.Join(problems...)
}

// lesson checks what is written.
func (f lessonFile) lesson(name string, languages []string) (lesson *Lesson, wrong []string) {
	say := func(format string, values ...any) { wrong = append(wrong, fmt.Sprintf(format, values...)) }
	lesson = &Lesson{
		Name: name, Order: f.Order, Title: f.Title, About: f.About, Steps: f.Steps, Resident: f.Resident, Prepared: f.Prepared,
		LastDay: f.LastDay, Never: f.Never,
	}
	texts := append([]wording.Text{f.Title, f.About}, f.Steps...)
	for _, text := range texts {
		for _, problem := range complete(text, languages) {
			say("%s", problem)
		}
	}
	if len(f.Steps) == 0 || len(f.Cases) == 0 || len(f.Done) == 0 {
		say("a lesson says its steps, its cases and when it is done: write them")
	}
	if f.Resident != Neighbour && f.Resident != Relative {
		say("%q is no resident: write neighbour or relative", f.Resident)
	}
	if f.Prepared && f.Resident == Relative {
		say("an application of a relative goes to somebody else at once: let the learner write it down")
	}
	if !f.Prepared && (f.LastDay || len(f.Never) > 0) {
		say("last-day and never are about a prepared case: write prepared: true")
	}
	for _, one := range f.Cases {
		if one.Agency == "" || one.Role == "" || one.Service == "" {
			say("a case says agency, role and service")
		}
		if !f.Prepared && len(one.Answers) > 0 {
			say("the case of %s has answers, but the learner writes them down: take them out", one.Role)
		}
		lesson.Cases = append(lesson.Cases, Case(one))
	}
	visible := func(learned []Learned) {
		for _, what := range learned {
			if seen[what] == "" {
				say("%q cannot be seen: write one of read, ask, recommend, approve, refuse, write-down, sent, take-along, refused", what)
			}
		}
	}
	visible(f.Never)
	for _, one := range f.Done {
		visible(one.Did)
		if len(one.Did) == 0 {
			say("a deed says what was done")
		}
		if (one.Because != "") != slices.Equal(one.Did, []Learned{Refused}) {
			say("because goes with refused, and refused with because")
		}
		lesson.Done = append(lesson.Done, Deed(one))
	}
	return lesson, wrong
}

// complete writes the derived languages of a text, and says which others it lacks or should not have.
func complete(text wording.Text, languages []string) (wrong []string) {
	for tag := range text {
		if !slices.Contains(languages, tag) {
			wrong = append(wrong, fmt.Sprintf("the language %s is not spoken: take its text out", tag))
		}
	}
	for _, tag := range languages {
		if from, derived := locale.Tag(tag).DerivedFrom(); derived {
			if written := text[string(from)]; text[tag] == "" && written != "" {
				text[tag] = locale.ToCyrillic(from, written)
			}
		} else if text[tag] == "" {
			wrong = append(wrong, fmt.Sprintf("a text lacks %s (%q): write it", tag, text.In(languages...)))
		}
	}
	return wrong
}
