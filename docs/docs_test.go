// Package docs holds the pages to what they point at: files, headings, commands and flags that exist.
package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// pages returns the text of every page of the repository by its path from the root.
func pages(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules" || d.Name() == ".git"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel("..", path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) < 20 {
		t.Fatalf("only %d pages were found", len(found))
	}
	return found
}

var (
	fence = regexp.MustCompile("(?ms)^```([^\n]*)\n(.*?)^```")
	span  = regexp.MustCompile("`[^`\n]*`")
	link  = regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"`)
)

func TestLinksLeadSomewhere(t *testing.T) {
	all := pages(t)
	count := 0
	for name, text := range all {
		prose := span.ReplaceAllString(fence.ReplaceAllString(text, ""), "")
		for _, found := range link.FindAllStringSubmatch(prose, -1) {
			target := found[1] + found[2]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			count++
			file, heading, _ := strings.Cut(target, "#")
			path := name
			if file != "" {
				path = filepath.Join(filepath.Dir(name), file)
			}
			if _, err := os.Stat(filepath.Join("..", path)); err != nil {
				t.Errorf("%s: the link %s leads nowhere", name, target)
				continue
			}
			if heading != "" && !headings(all[path])[heading] {
				t.Errorf("%s: the page of the link %s has no such heading", name, target)
			}
		}
	}
	if count < 50 {
		t.Errorf("only %d links were found: the test reads them wrongly", count)
	}
}

func TestNoPageIsForgotten(t *testing.T) {
	all := pages(t)
	reached, next := map[string]bool{"README.md": true}, []string{"README.md"}
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		for _, found := range link.FindAllStringSubmatch(all[name], -1) {
			file, _, _ := strings.Cut(found[1], "#")
			path := filepath.Join(filepath.Dir(name), file)
			if _, known := all[path]; known && !reached[path] {
				reached[path] = true
				next = append(next, path)
			}
		}
	}
	for name := range all {
		if strings.HasPrefix(name, "docs"+string(filepath.Separator)) && !reached[name] {
			t.Errorf("%s is reached by no link from the README", name)
		}
	}
}

// TestArchitectureHasTheKernelsOrder holds the list of the kernel's packages to the one that the test of the direction
// of imports reads, as far as they are built.
func TestArchitectureHasTheKernelsOrder(t *testing.T) {
	source, err := os.ReadFile("../checks/direction/check.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(source), "var Kernel = []string{")
	list, _, found := strings.Cut(rest, "}")
	var want []string
	for _, quoted := range regexp.MustCompile(`"([a-z]+)"`).FindAllStringSubmatch(list, -1) {
		if _, err := os.Stat(filepath.Join("../kernel", quoted[1])); err == nil {
			want = append(want, quoted[1])
		}
	}
	if !found || len(want) < 20 {
		t.Fatalf("the kernel's order was not found in checks/direction: %v", want)
	}
	var got []string
	for _, block := range fence.FindAllStringSubmatch(pages(t)[filepath.Join("docs", "ARCHITECTURE.md")], -1) {
		if strings.HasPrefix(block[2], want[0]+" ") {
			got = strings.Fields(block[2])
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("ARCHITECTURE.md has the order\n%v\ninstead of\n%v", got, want)
	}
}

// headings returns the anchors of a page as the usual renderers of Markdown make them.
func headings(text string) map[string]bool {
	found := map[string]bool{}
	for line := range strings.Lines(fence.ReplaceAllString(text, "")) {
		title := strings.TrimLeft(line, "#")
		if title == line || !strings.HasPrefix(title, " ") {
			continue
		}
		found[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, strings.TrimSpace(title))] = true
	}
	return found
}

// command is a command of the binary: its flags and its own commands.
type command struct {
	flags    map[string]bool
	commands map[string]*command
}

// TestCommandsInPagesExist holds every line of a shell block that calls the program or the test command to the commands
// and flags that cmd/yagona declares.
func TestCommandsInPagesExist(t *testing.T) {
	root := commandLine(t)
	if len(root.commands) == 0 {
		t.Fatal("the test finds no commands in cmd/yagona: does the struct commandLine still declare them?")
	}
	count := 0
	for name, text := range pages(t) {
		for _, block := range fence.FindAllStringSubmatch(text, -1) {
			if language, _, _ := strings.Cut(block[1], " "); language != "sh" {
				continue
			}
			for line := range strings.Lines(strings.ReplaceAll(block[2], "\\\n", " ")) {
				line, _, _ = strings.Cut(line, " #")
				words := strings.Fields(strings.Replace(line, "go run ./cmd/yagona", "yagona", 1))
				if len(words) == 0 {
					continue
				}
				switch {
				case words[0] == "yagona":
					count++
					if problem := root.check(words[1:]); problem != "" {
						t.Errorf("%s: %s: %s", name, strings.Join(words, " "), problem)
					}
				case words[0] == "./test":
					count++
					if info, err := os.Stat("../test"); err != nil || info.Mode()&0o100 == 0 {
						t.Errorf("%s: ./test cannot be run", name)
					}
				case name == "README.md":
					t.Errorf("%s: %s is no command that this test can check", name, words[0])
				}
			}
		}
	}
	if count < 10 {
		t.Errorf("only %d commands were found: the test reads the pages wrongly", count)
	}
}

// check follows the words through the commands; it returns what is wrong, or "".
func (c *command) check(words []string) string {
	for _, word := range words {
		name, flag := strings.CutPrefix(word, "--")
		name, _, _ = strings.Cut(name, "=")
		switch next := c.commands[word]; {
		case flag && !c.flags[name] && name != "help":
			return "there is no flag " + word
		case flag || len(c.commands) == 0:
		case next == nil:
			return "there is no command " + word
		default:
			c = next
		}
	}
	if len(c.commands) > 0 {
		return "a command is missing"
	}
	return ""
}

// commandLine reads the commands that the structs of cmd/yagona declare in the tags of alecthomas/kong.
func commandLine(t *testing.T) *command {
	t.Helper()
	structs := map[string]*ast.StructType{}
	files, err := filepath.Glob("../cmd/yagona/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("cmd/yagona has no source", err)
	}
	for _, file := range files {
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if declared, ok := node.(*ast.TypeSpec); ok {
				if fields, ok := declared.Type.(*ast.StructType); ok {
					structs[declared.Name.Name] = fields
				}
			}
			return true
		})
	}
	var read func(fields *ast.StructType, into *command)
	read = func(fields *ast.StructType, into *command) {
		for _, field := range fields.Fields.List {
			typed, _ := field.Type.(*ast.Ident)
			if len(field.Names) == 0 {
				if typed != nil && structs[typed.Name] != nil {
					read(structs[typed.Name], into)
				}
				continue
			}
			tag := tagOf(field)
			name := tag.Get("name")
			if name == "" {
				name = kebab(field.Names[0].Name)
			}
			if _, is := tag.Lookup("cmd"); is && typed != nil && structs[typed.Name] != nil {
				sub := &command{map[string]bool{}, map[string]*command{}}
				read(structs[typed.Name], sub)
				into.commands[name] = sub
			} else if _, is := tag.Lookup("arg"); !is {
				into.flags[name] = true
				into.flags["no-"+name] = true
			}
		}
	}
	root := &command{map[string]bool{}, map[string]*command{}}
	if fields, ok := structs["commandLine"]; ok {
		read(fields, root)
	}
	return root
}

func tagOf(field *ast.Field) reflect.StructTag {
	if field.Tag == nil {
		return ""
	}
	text, _ := strconv.Unquote(field.Tag.Value)
	return reflect.StructTag(text)
}

// kebab returns a field's name as a flag: NewKey becomes new-key.
func kebab(name string) string {
	var out strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) && i > 0 {
			out.WriteByte('-')
		}
		out.WriteRune(unicode.ToLower(r))
	}
	return out.String()
}
