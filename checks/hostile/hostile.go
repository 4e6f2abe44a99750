// Package hostile attacks an installation over HTTP: as everyone who may not, with everything that is no request, and at
// once from two sides.
//
// It owns nothing but tests. The table of routes comes from the router, so that a new route without a row in
// identity_test.go fails.
package hostile
