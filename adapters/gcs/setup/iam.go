package setup

import (
	"context"
	"slices"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const (
	publisher  = "roles/pubsub.publisher"
	subscriber = "roles/pubsub.subscriber"
	// policyVersion lets a policy's conditions pass through: https://cloud.google.com/iam/docs/policies#versions
	policyVersion = 3
	// policyTries is how often a policy is changed that somebody else changes at the same time.
	policyTries = 5
)

// A grant gives a member a role on a topic or subscription.
type grant struct {
	kind, name, role string
	// member is the account; variable how the script of gcloud commands writes it.
	member   func(agents) string
	variable string
}

// grants are what Google's services and the bridge need: https://cloud.google.com/storage/docs/reporting-changes,
// https://cloud.google.com/pubsub/docs/handling-failures#grant_forwarding_permissions
func (w Wanted) grants() []grant {
	storage := func(a agents) string { return a.storage }
	pubsub := func(a agents) string { return a.pubsub }
	all := []grant{
		{"topic", w.topic(), publisher, storage, gcsAgent},
		{"topic", w.deadLetters(), publisher, pubsub, pubsubAgent},
		{"subscription", w.subscription(), subscriber, pubsub, pubsubAgent},
	}
	if w.ServiceAccount != "" && w.Push == nil {
		all = append(all, grant{
			"subscription", w.subscription(), subscriber, func(agents) string { return w.ServiceAccount }, w.ServiceAccount,
		})
	}
	return all
}

func (g grant) subject() string {
	who := g.variable
	switch who {
	case gcsAgent:
		who = "Cloud Storage's service agent"
	case pubsubAgent:
		who = "Pub/Sub's service agent"
	}
	return g.role + " on " + g.kind + " " + g.name + " for " + who
}

func (g grant) step() step {
	return step{
		subject: g.subject(),
		commands: []string{gcloud("pubsub "+g.kind+"s add-iam-policy-binding", word(g.name),
			member(g.variable), flag("role", g.role))},
		ensure: func(ctx context.Context, c *Cloud, a agents) (State, string, error) {
			return ensureBinding(ctx, g.policies(c), g.name, g.role, "serviceAccount:"+g.member(a))
		},
	}
}

func (g grant) policies(c *Cloud) policies {
	if g.kind == "topic" {
		return c.Topics
	}
	return c.Subscriptions
}

// ensureBinding adds the member to the policy, which carries an etag: when somebody else changed it meanwhile, it is
// read again.
func ensureBinding(ctx context.Context, p policies, name, role, member string) (State, string, error) {
	for try := 1; ; try++ {
		policy, err := readPolicy(ctx, p, name)
		if err != nil {
			return "", "", err
		}
		if bound(policy, role, member) {
			return There, "", nil
		}
		policy.Bindings = append(policy.Bindings, &iampb.Binding{Role: role, Members: []string{member}})
		_, err = p.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: name, Policy: policy})
		if code := status.Code(err); (code == codes.Aborted || code == codes.FailedPrecondition) && try < policyTries {
			continue
		}
		return Created, "", err
	}
}

func readPolicy(ctx context.Context, p policies, name string) (*iampb.Policy, error) {
	return p.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{
		Resource: name, Options: &iampb.GetPolicyOptions{RequestedPolicyVersion: policyVersion},
	})
}

// bound says whether the member has the role without a condition.
func bound(policy *iampb.Policy, role, member string) bool {
	return slices.ContainsFunc(policy.GetBindings(), func(b *iampb.Binding) bool {
		return b.Role == role && b.Condition == nil && slices.Contains(b.Members, member)
	})
}
