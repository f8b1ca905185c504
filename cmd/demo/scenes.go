package main

import (
	"os"
	"path/filepath"
)

// A scene sends one event and says what has to become of it.
type scene struct {
	title string
	send  sender
	// What ends the scene; exactly one of the three.
	filtered string // the filter that leaves the event out
	repeated bool   // the event was there before
	phase    string // the Workflow's last phase
	// told are the messages that follow, "outcome destination"; without any, silence is expected.
	told []string
	// may are messages that may follow: a short run begins and ends between two looks at it.
	may []string
}

// scenes are the story.
func (d *demo) scenes() ([]scene, error) {
	push, err := d.payload("github-push.json")
	if err != nil {
		return nil, err
	}
	docs, err := d.payload("github-push-docs.json")
	if err != nil {
		return nil, err
	}
	pull, err := d.payload("github-pull-request.json")
	if err != nil {
		return nil, err
	}
	delivery := newDelivery()
	return []scene{
		{title: "Somebody makes a folder in the bucket", filtered: "folders",
			send: d.google.upload("exports/orders/", "text/plain", "")},
		{title: "A file arrives", phase: "Succeeded",
			send: d.google.upload("exports/orders/2026-11-23.json", "application/json", `{"id": 1, "price": 980}`)},
		{title: "A file arrives that cannot be loaded", phase: "Failed", told: []string{"failed slack:#data-alerts"},
			send: d.google.upload("exports/orders/"+badFile+".json", "application/json", `{"id": 2}`)},
		{title: "The next file is sound again", phase: "Succeeded", told: []string{"recovered slack:#data-alerts"},
			send: d.google.upload("exports/orders/2026-11-24.json", "application/json", `{"id": 2, "price": 1200}`)},
		{title: "GitHub: a push that changes documentation only", filtered: "paths-ignore",
			send: d.bridge.github("push", newDelivery(), docs)},
		{title: "GitHub: a push to main", phase: "Succeeded",
			send: d.bridge.github("push", delivery, push)},
		{title: "GitHub delivers the same push once more", repeated: true,
			send: d.bridge.github("push", delivery, push)},
		{title: "GitHub: a pull request, which gets a check", phase: "Succeeded",
			told: []string{"completed github:check"}, may: []string{"queued github:check", "started github:check"},
			send: d.bridge.github("pull_request", newDelivery(), pull)},
		{title: "Slack: a command", phase: "Succeeded", told: []string{"succeeded slack:reply"},
			may:  []string{"started slack:progress", "succeeded slack:progress"},
			send: d.bridge.command(d.slack.releases, "staging v1.4.0", d.slack.server.ResponseURL("deploy"))},
	}, nil
}

func (d *demo) payload(name string) ([]byte, error) {
	return os.ReadFile(filepath.Join(d.settings.root, "workflowtemplates", "examples", "payloads", name))
}
