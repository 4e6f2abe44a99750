// Package browser tells the whole story in a real browser, as people do who have no scripts: a resident applies, officials
// decide, the money is paid, the resident sees who read what. Every kind of page is held to the rules of accessibility in
// every language in which it is told. It has tests only.
//
// YAGONA_TEST_AXE names the file of axe-core, YAGONA_TEST_SCREENSHOTS a folder for pictures of the pages (none if empty).
//
// The pictures in docs/images are made by the same story:
//
//	YAGONA_TEST_AXE=…/axe.min.js YAGONA_TEST_IMAGES=$PWD/docs/images go test ./checks/browser -run 'Story|Maps|Forms|WhatStays|Simulated|FromPaper|Director' -timeout 40m
//
// With YAGONA_TEST_SCREENSHOTS=FOLDER instead, every page is kept at each width, to be looked at.
package browser
