package setup

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	gh "github.com/google/go-github/v60/github"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

// perPage is GitHub's greatest page.
const perPage = 100

// An installation is the part of one that counts.
type installation struct {
	ID          int64                  `json:"id"`
	Page        string                 `json:"html_url"`
	Suspended   *gh.Timestamp          `json:"suspended_at"`
	Account     struct{ Login string } `json:"account"`
	Permissions map[string]string      `json:"permissions"`
	Events      []string               `json:"events"`
}

func (k *checker) installations(ctx context.Context) error {
	for page := 1; page != 0; {
		var list []installation
		answer, err := k.get(ctx, fmt.Sprintf("app/installations?per_page=%d&page=%d", perPage, page), &list)
		if err != nil {
			return fmt.Errorf("list the App's installations: %w", github.Classify(err))
		}
		for _, i := range list {
			k.installation(i)
		}
		page = answer.NextPage
	}
	if len(k.answer.Installations) == 0 {
		k.find("App "+k.answer.App, "install it: "+k.page+"/installations/new", "it is installed nowhere")
	}
	return nil
}

func (k *checker) installation(i installation) {
	k.answer.Installations = append(k.answer.Installations, i.Account.Login)
	subject := "installation " + i.Account.Login
	if i.Suspended != nil {
		k.find(subject, "let it work again: "+i.Page, "it is suspended since %s", i.Suspended.UTC().Format("2006-01-02"))
		return
	}
	if names := lacking(k.Needs.permissions, i.Permissions); len(names) > 0 {
		k.find(subject, "once the App has them, an owner accepts them: "+i.Page, "it has not granted %s", k.levels(names))
	}
	var missing []string
	for _, event := range k.Needs.Events() {
		if i.Events != nil && !slices.Contains(i.Events, event) {
			missing = append(missing, event)
		}
	}
	if len(missing) > 0 {
		k.find(subject, "once the App is subscribed, an owner accepts that: "+i.Page, "it is not sent %s", strings.Join(missing, ", "))
	}
}

func (k *checker) levels(names []string) string {
	var all []string
	for _, name := range names {
		all = append(all, name+": "+k.Needs.permissions[name].level)
	}
	return strings.Join(all, ", ")
}

// repositories asks of each one that a rule names whether an installation covers it.
func (k *checker) repositories(ctx context.Context) error {
	for _, full := range slices.Sorted(maps.Keys(k.Needs.Repositories)) {
		owner, name, ok := strings.Cut(full, "/")
		if !ok {
			continue
		}
		k.answer.Repositories = append(k.answer.Repositories, full)
		_, _, err := k.Client.Apps.FindRepositoryInstallation(ctx, owner, name)
		switch {
		case isMissing(err):
			k.find("repository "+full, "install the App on it, or add it to the installation: "+k.page+"/installations/new",
				"no installation covers it, for %s", k.Needs.Repositories[full])
		case err != nil:
			return fmt.Errorf("repository %s: %w", full, github.Classify(err))
		}
	}
	return nil
}

// deliveries looks at the newest: what fails now is a matter of the address, the secret or the bridge.
func (k *checker) deliveries(ctx context.Context) error {
	list, _, err := k.Client.Apps.ListHookDeliveries(ctx, &gh.ListCursorOptions{PerPage: perPage})
	if err != nil {
		return fmt.Errorf("list the deliveries of the App's webhook: %w", github.Classify(err))
	}
	arrived, failed := map[string]bool{}, map[string]*gh.HookDelivery{}
	var newest *gh.HookDelivery
	for _, d := range list {
		guid := d.GetGUID()
		if d.GetStatusCode() >= 200 && d.GetStatusCode() < 300 {
			arrived[guid] = true
			delete(failed, guid)
			continue
		}
		if arrived[guid] || failed[guid] != nil {
			continue
		}
		failed[guid] = d
		if newest == nil {
			newest = d
		}
	}
	if len(failed) > 0 {
		k.find("deliveries", remedyOf(newest.GetStatusCode())+": "+k.settings+"/advanced", "%d of the last %d did not arrive; the newest of them, %s at %s: %d %s",
			len(failed), len(list), newest.GetEvent(), newest.GetDeliveredAt().UTC().Format("2006-01-02 15:04"), newest.GetStatusCode(), newest.GetStatus())
	}
	return nil
}

func remedyOf(status int) string {
	switch status {
	case 401:
		return "the App's secret is not one of github.webhookSecretFiles"
	case 403, 404, 405:
		return "the address, or the ingress, leads elsewhere"
	case 400, 413, 415, 422:
		return "the bridge cannot take it: look at the answer"
	}
	return "the bridge asks for them again while it runs and stores events: look at it and its bus"
}
