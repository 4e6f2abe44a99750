//go:build !race

package node_test

import "testing"

func alone(*testing.T) {}
