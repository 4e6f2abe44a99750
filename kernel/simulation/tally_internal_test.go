package simulation

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"yagona/kernel/casework"
	"yagona/kernel/money"
	"yagona/kernel/rules"
)

func groupsOf(counts ...int64) (groups []exact) {
	for _, count := range counts {
		groups = append(groups, exact{people: [columns]int64{entitledAfter: count}})
	}
	return groups
}

func TestACellOfFewIsNotShownNorOneThatWouldTellOfIt(t *testing.T) {
	for name, test := range map[string]struct {
		counts []int64
		shown  []bool
	}{
		"all are of many":                         {[]int64{10, 20, 30}, []bool{true, true, true}},
		"one of few takes the smallest other":     {[]int64{3, 20, 30}, []bool{false, false, true}},
		"two of few with enough together":         {[]int64{3, 4, 30}, []bool{false, false, true}},
		"two of few that are few together, too":   {[]int64{1, 2, 9, 30}, []bool{false, false, false, true}},
		"nobody hides nobody":                     {[]int64{3, 0, 20, 30}, []bool{false, true, false, true}},
		"nobody at all is told":                   {[]int64{0, 0}, []bool{true, true}},
		"of a total of few nothing is told":       {[]int64{2, 2}, []bool{false, false}},
		"one cell that is the total is the total": {[]int64{0, 12}, []bool{true, true}},
		"few beside a single other hides both":    {[]int64{4, 100}, []bool{false, false}},
		"five is not few":                         {[]int64{5, 6}, []bool{true, true}},
	} {
		t.Run(name, func(t *testing.T) {
			groups := groupsOf(test.counts...)
			var total exact
			for _, group := range groups {
				total.add(group)
			}
			for i, cells := range protect(shown(total), groups) {
				if cells[entitledAfter] != test.shown[i] {
					t.Errorf("%d of %v is shown: %t", test.counts[i], test.counts, cells[entitledAfter])
				}
			}
		})
	}
}

// Whatever the counts, taking what is shown from the total leaves nobody alone.
func TestTheComplementOfWhatIsShownIsNeverOfFew(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		groups := groupsOf(rapid.SliceOfN(rapid.Int64Range(0, 30), 1, 15).Draw(t, "counts")...)
		var total exact
		for _, group := range groups {
			total.add(group)
		}
		all := shown(total)
		hidden, people := 0, int64(0)
		for i, cells := range protect(all, groups) {
			count := groups[i].people[entitledAfter]
			if cells[entitledAfter] && 0 < count && count < casework.SmallestCell {
				t.Fatalf("a cell of %d is shown", count)
			}
			if !cells[entitledAfter] {
				hidden++
				people += count
			}
		}
		if all[entitledAfter] && hidden > 0 && (hidden == 1 || people < casework.SmallestCell) {
			t.Fatalf("%d cells of %d people together come out by subtraction", hidden, people)
		}
	})
}

// paying returns the count of a group whose members are entitled to the amounts before.
func paying(amounts ...money.Amount) (e exact) {
	for _, amount := range amounts {
		e.add(verdict{outcome: [2]rules.Outcome{rules.Met, rules.NotMet}, amount: [2]money.Amount{amount}, priced: [2]bool{true}}.exact(1))
	}
	return e
}

func TestACostIsToldToThreeDigitsOfWhatIsPublished(t *testing.T) {
	one := paying(slices.Repeat([]money.Amount{412_345_678}, 7)...)
	if got := one.costs(0, Number{Count: 5}); got != 2_060_000_000 {
		t.Errorf("five people cost %d", got)
	}
	if got := one.costs(0, Number{Hidden: true}); got != 0 {
		t.Errorf("people who are not shown cost %d", got)
	}
	if got := (exact{}).costs(0, Number{}); got != 0 {
		t.Errorf("nobody costs %d", got)
	}
}

// Whoever gives a few people much more or much less than the others learns nothing of them: the costs are the same as if
// those few were like the others.
func TestTheAmountsOfAFewDoNotStandOutOfTheCosts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		many := rapid.IntRange(casework.SmallestCell, 40).Draw(t, "people")
		few := rapid.IntRange(1, min(casework.SmallestCell-1, (many-1)/2)).Draw(t, "few")
		usual := money.Amount(rapid.Int64Range(1, 1_000_000).Draw(t, "usual"))
		amounts := slices.Repeat([]money.Amount{usual}, many)
		like := paying(amounts...)
		for i := range few {
			amounts[i] = money.Amount(rapid.OneOf(rapid.Int64Range(0, 1_000_000_000), rapid.Just(int64(math.MaxInt64/50))).Draw(t, "amount"))
		}
		amounts = rapid.Permutation(amounts).Draw(t, "order")
		half := rapid.IntRange(0, many).Draw(t, "counted by the first")
		unlike := paying(amounts[:half]...)
		unlike.add(paying(amounts[half:]...))
		published := Number{Count: rounded(int64(many))}
		if got, want := unlike.costs(0, published), like.costs(0, published); got != want {
			t.Fatalf("%v cost %d, and not %d as if all were alike", amounts, got, want)
		}
	})
}

func TestWhatDiffersForManyIsCounted(t *testing.T) {
	half := append(slices.Repeat([]money.Amount{100}, 50), slices.Repeat([]money.Amount{300}, 50)...)
	if got := paying(half...).costs(0, Number{Count: 100}); got != 20_000 {
		t.Errorf("a hundred people cost %d", got)
	}
}
