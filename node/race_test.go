//go:build race

package node_test

import "testing"

// alone skips a test under the race detector that does one thing after another: nothing in it could race, and there it
// takes ten times as long.
func alone(t *testing.T) {
	t.Helper()
	t.Skip("it does one thing after another: nothing in it could race")
}
