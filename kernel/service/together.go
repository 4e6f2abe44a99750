package service

import (
	"context"

	"yagona/kernel/rules"
)

// Together says that a household asks for something together: other adults of it each confirm by themselves.
type Together struct {
	Members *rules.Program // int, over answers and params: how many others
	Within  int            // working days to confirm; then it goes on with those who did
}

// Members computes how many others confirm.
func (d *Definition) Members(ctx context.Context, facts Facts) (int64, error) {
	if d.Together == nil {
		return 0, nil
	}
	result, err := known(ctx, d.Together.Members, d.Values(facts))
	if err != nil {
		return 0, err
	}
	count, _ := result.Value.(int64)
	return count, nil
}
