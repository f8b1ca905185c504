// Package message writes what people read in Slack: alerts of runs and of groups of runs, what stands in their threads,
// and requests for approval, in Block Kit with a sentence for where blocks are not shown.
//
// It is pure: the same Alert always makes the same message. All text that comes from runs, events and annotations is
// escaped, so that nothing in it can mention anybody or hide where a link leads, and everything is cut to Block Kit's
// limits; no input makes an error.
package message
