// Package script holds the command line to what is typed: each file in testdata is a story of commands with what they
// print and how they end, played with the binary as it is built.
package script
