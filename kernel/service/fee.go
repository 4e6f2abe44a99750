package service

import (
	"context"

	"yagona/kernel/money"
	"yagona/kernel/rules"
)

// Fee is what an applicant pays before officials begin (CPSV-AP cost).
type Fee struct {
	Amount *rules.Program // money, over answers and params
	Fund   string
	Within int // working days to pay it
	// When it is given back, besides a withdrawal before an official began: if a step is late, if the application is refused.
	IfLate, IfRefused bool
}

// Charge computes the fee over the facts, with the params that it was computed with. Zero: nothing has to be paid.
func (d *Definition) Charge(ctx context.Context, facts Facts) (amount money.Amount, params map[string]ParamValue, err error) {
	if d.Fee == nil {
		return 0, nil, nil
	}
	params = map[string]ParamValue{}
	result, err := known(ctx, d.Fee.Amount, d.Values(facts))
	if err != nil {
		return 0, nil, err
	}
	d.used(params, result.Read, facts.Decided)
	amount, _ = result.Value.(money.Amount)
	if amount < 0 {
		return 0, nil, errAmount
	}
	return amount, params, nil
}
