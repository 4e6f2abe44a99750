//go:build race

package node_test

// raced: the race detector watches. It makes an audit ten times as slow, and what it looks for is the same in each.
const raced = true
