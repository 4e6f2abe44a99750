package node

import (
	"context"
	"slices"
	"strings"

	"yagona/kernel/ident"
	"yagona/kernel/wording"
	"yagona/packs/demo"
	"yagona/web/page"
	"yagona/web/provider"
	"yagona/web/route"
)

// visitors are the people whom the demonstration's sign-in offers: those of the story first, then officials, then all.
// What is said about them is written when they are shown: a population may be large.
type visitors struct {
	population *demo.Population
	order      []int          // of population.People
	byNumber   map[string]int // of population.People
	persona    map[ident.Person]demo.Persona
	posts      map[ident.Person][]demo.Official
	readers    []page.Reader // one for each language of the country
	unemployed string        // the word for it in each language
}

// introduce takes the words of an installation, in which the people are described.
func (v *visitors) introduce(n *Node) {
	shared := &page.Shared{Words: n.Words, Names: func() page.Names { return n.Catalogue() }}
	for _, language := range n.Profile.Languages {
		reader := shared.For(route.Visitor{Language: language})
		v.readers = append(v.readers, reader)
		v.unemployed += strings.ToLower(reader.Say("demonstration.unemployed")) + "\n"
	}
	v.persona, v.posts = map[ident.Person]demo.Persona{}, map[ident.Person][]demo.Official{}
	for name, id := range v.population.Personas {
		v.persona[id] = name
	}
	for _, official := range v.population.Officials {
		v.posts[official.Person] = append(v.posts[official.Person], official)
	}
	v.byNumber = make(map[string]int, len(v.population.People))
	var officials, others []int
	for i := range v.population.People {
		one := &v.population.People[i]
		v.byNumber[one.Number] = i
		switch {
		case v.persona[one.ID] != "":
			v.order = append(v.order, i)
		case len(v.posts[one.ID]) > 0:
			officials = append(officials, i)
		default:
			others = append(others, i)
		}
	}
	v.order = slices.Concat(v.order, officials, others)
}

// about says in each language who somebody is.
func (v *visitors) about(one *demo.Person) wording.Text {
	text := wording.Text{}
	for _, r := range v.readers {
		parts := []string{r.Say("demonstration.age", "count", one.Age(v.population.Today))}
		if name := v.persona[one.ID]; name != "" {
			parts = append(parts, r.Say("demonstration."+string(name)))
		} else if one.Employment.Status == demo.Unemployed {
			parts = append(parts, r.Say("demonstration.unemployed"))
		}
		for _, post := range v.posts[one.ID] {
			parts = append(parts, r.Role(post.Agency, post.Role), r.Agency(post.Agency), r.Place(post.Territory))
		}
		text[r.Language] = strings.Join(parts, " · ")
	}
	return text
}

// fits reports whether the small letters of the text stand in what is known of somebody: name, number, post, and what is
// said about them in any language.
func (v *visitors) fits(one *demo.Person, text string) bool {
	known := []string{one.Name(), one.Number, string(v.persona[one.ID])}
	for _, post := range v.posts[one.ID] {
		known = append(known, string(post.Role), string(post.Agency), string(post.Territory))
	}
	if strings.Contains(strings.ToLower(strings.Join(known, " · ")), text) {
		return true
	}
	if v.persona[one.ID] == "" && len(v.posts[one.ID]) == 0 {
		return one.Employment.Status == demo.Unemployed && strings.Contains(v.unemployed, text)
	}
	for _, said := range v.about(one) {
		if strings.Contains(strings.ToLower(said), text) {
			return true
		}
	}
	return false
}

func (v *visitors) person(one *demo.Person) provider.Person {
	return provider.Person{Number: one.Number, Name: one.Name(), About: v.about(one)}
}

// Search implements provider.People.
func (v *visitors) Search(_ context.Context, text string, limit int) (found []provider.Person, err error) {
	text = strings.ToLower(text)
	for _, i := range v.order {
		if len(found) == limit {
			break
		}
		if one := &v.population.People[i]; v.fits(one, text) {
			found = append(found, v.person(one))
		}
	}
	return found, nil
}

// ByNumber implements provider.People.
func (v *visitors) ByNumber(_ context.Context, number string) (provider.Person, bool, error) {
	at, ok := v.byNumber[number]
	if !ok {
		return provider.Person{}, false, nil
	}
	return v.person(&v.population.People[at]), true, nil
}

// Visitors returns the people whom a demonstration's sign-in offers, nil outside of one.
func (n *Node) Visitors() provider.People { return n.config.People }
