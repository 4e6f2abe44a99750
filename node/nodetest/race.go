//go:build race

package nodetest

import "testing"

// Alone skips a test under the race detector that does one thing after another: nothing in it could race, and there it
// takes ten times as long.
func Alone(t testing.TB) {
	t.Helper()
	t.Skip("it does one thing after another: nothing in it could race")
}
