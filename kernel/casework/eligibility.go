package casework

import (
	"context"

	"yagona/kernel/access"
	"yagona/kernel/ident"
)

// Eligibility tells a person, before they apply, what the rules of a service make of what the registers say about them:
// each requirement is met, not met, or not known, which it is wherever their own answers are needed. The registers are
// asked for the purpose of preview. Nothing is begun and nothing kept but the journal's entries of what was read.
func (c *Casework) Eligibility(ctx context.Context, by access.Actor, path ident.Service, language string) (Preview, error) {
	f, err := c.start(ctx, by, "", path, language)
	if err != nil {
		return Preview{}, err
	}
	f.app.ID = "" // there is no application that an entry of the journal could name
	preview, err := c.preview(ctx, f, by)
	preview.Problems = nil // nothing was asked yet
	return preview, err
}
