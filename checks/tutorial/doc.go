// Package tutorial follows the tutorials as their readers do: it writes their files into a folder of its own, runs their
// commands with the program as it is built, compares what it says, and then uses the service that came out. It has tests
// only.
package tutorial
