// The tool that makes the module above buildable has to be a module of its own:
// until it has run, that one lacks a folder which its go.mod points to.
module github.com/argo-bridge/argo-bridge/deploy/local/tool

go 1.24
