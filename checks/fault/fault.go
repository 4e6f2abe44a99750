// Package fault checks what an installation promises when the machine fails it: that whatever it acknowledged is still
// there after the process was killed, the disk was full or the clock jumped back, and that nothing happened twice.
//
// It owns nothing but tests. They start the binary as people start it, speak to it over HTTP alone, and believe only
// what was acknowledged: an answer with a status of 2xx.
package fault
