// Package flow holds `concurrency` to its promises under schedules that nobody has thought of.
//
// # The world
//
// Two or three bridges, each a process of its own, share a JetStream server of the test and a real Kubernetes API. Argo's
// controller does not run: the test ends the runs itself, when the schedule says so, or when a bridge has stopped one. Now and then a
// bridge is stopped or killed (kill -9), and started again.
//
// # The schedules
//
// Each is one template of its own, with a policy, a limit of 1 to 3, and up to three groups. It is made of a seed, before anything
// starts, from these steps: events of a group are sent, a run ends, is started by hand or deleted, a bridge is restarted; and
// now and then the schedule waits until no bridge has anything to do for it. Many are played side by side. At the end of
// each all its runs are ended until nothing waits.
//
// # The promises
//
// A recorder watches every Workflow from its first to its last state, in the order of the API server. The judge lists all breaches; see
// judge_test.go for what it asks of each policy.
//
// What a bridge knows of the cluster, it knows by a watch, some moments later. Of its own Workflows and those of its peers nothing is
// forgiven; a run that was started by hand counts once everybody has had the time to see it.
package flow
