//go:build tool

// This file names the server, so that its version is pinned beside that of the worker.
package main

import _ "github.com/temporalio/cli/cmd/temporal"
