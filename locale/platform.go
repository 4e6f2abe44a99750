package locale

import (
	"embed"
	"io/fs"
)

//go:embed messages
var messageFiles embed.FS

// PlatformLanguages is what the texts of the platform are written in. An installation declares its own Languages, in
// its own order, from among them.
func PlatformLanguages() Languages {
	return Languages{
		Tags: []Tag{UzbekLatin, UzbekCyrillic, Karakalpak, Russian, English},
		Fallback: map[Tag][]Tag{
			UzbekCyrillic: {UzbekLatin},
			Karakalpak:    {UzbekLatin, Russian},
			Russian:       {English},
		},
	}
}

// Platform returns the catalogue of the platform's own texts, from the folder messages. Each call reads it anew: call
// it once, at start. An error is a defect of the build.
func Platform() (*Catalogue, error) {
	files, err := fs.Sub(messageFiles, "messages")
	if err != nil {
		return nil, err
	}
	return Load(files, PlatformLanguages())
}

// Days writes a number of calendar days: "3 days". The words are the catalogue's "duration.days".
func (c *Catalogue) Days(tag Tag, n int) string {
	return c.Text(tag, "duration.days", Args{"count": n})
}

// WorkingDays writes a number of working days: "3 working days". The words are the catalogue's "duration.working-days".
func (c *Catalogue) WorkingDays(tag Tag, n int) string {
	return c.Text(tag, "duration.working-days", Args{"count": n})
}
