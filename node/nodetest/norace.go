//go:build !race

package nodetest

import "testing"

// Alone does nothing without the race detector.
func Alone(testing.TB) {}
