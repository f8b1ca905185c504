// Package e2e holds the end-to-end tests: the real program against a real Kubernetes API with the real
// Argo controller, real Pub/Sub and Slack protocols on loopback, and kill -9.
package e2e
