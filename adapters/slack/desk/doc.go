// Package desk answers the bridge's own slash command where that only shows something: which templates there are, how runs
// stand, what their steps wrote, which alerts are silent. It opens the form of a template that is to be run, and finds the
// templates and runs that people name.
//
// Nothing of it changes anything: what acts is an event, which is stored before it is carried out. A channel sees the
// templates and runs of the namespaces that the access section lets its events start something in, and of those what its
// user has the right to view; that there are others it does not tell.
package desk
