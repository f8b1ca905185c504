// Package e2e tests the built program as its users run it.
package e2e
