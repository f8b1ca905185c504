// Package workflowtemplates is the annotation language and the live catalog of the templates that
// speak it.
//
// # Language
//
// [Parse] turns the annotations of one WorkflowTemplate into rules and routes, and reports all faults
// at once, each with key, line and a suggestion. keys.go lists the keys. A rule with an error is not
// started; the other rules of its template are, unless the fault cannot be told to belong to one rule.
// A fault in notify or message stops no rule: work goes on, and nobody is told where nobody could be.
//
// [Lint] does the same for files, with the lines of the files, and sees the whole template: it warns
// where text that an outsider controls reaches a shell.
//
// # Catalog
//
// A [Catalog] follows the WorkflowTemplates of a cluster, compiles those that change, and swaps one
// immutable [View]. It reads templates and writes none.
package workflowtemplates
