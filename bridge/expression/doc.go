// Package expression is expr-lang behind one small door: it compiles, checks and evaluates the
// expressions of the annotations, and no other package imports expr-lang.
//
// # Language
//
// The language is that of Argo's own {{=...}} (https://expr-lang.org/docs/language-definition) with
// Argo's functions: asInt, asFloat, jsonpath, toJson and sprig.*. It differs in what nothing is: a
// member of nothing, or one that is not there, is null and not an error, so that
// github.event.pull_request.number is null for a push. A member of a string or a number is an error.
// sprig.getHostByName is missing (no network from an expression), as are sprig.env and
// sprig.expandenv, which Argo removes as well. The sprig functions that change a dictionary work on
// a copy: a rule cannot change what the next rule sees.
//
// # Concurrency and cost
//
// A [Program] and a [Text] are immutable and safe for concurrent use. The functions are bound when an
// expression is compiled; evaluation uses the caller's map of variables as it is.
package expression
