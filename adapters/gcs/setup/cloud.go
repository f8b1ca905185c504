package setup

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/pubsub/v2"
	apiv1 "cloud.google.com/go/pubsub/v2/apiv1"
	"cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/googleapi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/argo-bridge/argo-bridge/adapters/gcs"
)

// A Cloud is the way to Cloud Storage and Pub/Sub.
type Cloud struct {
	Storage       *storage.Client
	Topics        *apiv1.TopicAdminClient
	Subscriptions *apiv1.SubscriptionAdminClient

	close func() error
}

// Connect makes the clients, with the credentials of a file (a service account's key, or workload identity federation), or
// without one with the environment's own. It reads PUBSUB_EMULATOR_HOST and STORAGE_EMULATOR_HOST as Google's SDKs do.
func Connect(ctx context.Context, credentialsFile string) (*Cloud, error) {
	o, err := gcs.Credentials(credentialsFile, "https://www.googleapis.com/auth/cloud-platform")
	if err != nil {
		return nil, err
	}
	s, err := storage.NewClient(ctx, o...)
	if err != nil {
		return nil, fmt.Errorf("connect to Cloud Storage: %w", err)
	}
	// The clients take full names; the project is that of none of them.
	p, err := pubsub.NewClient(ctx, "none", o...)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("connect to Pub/Sub: %w", err), s.Close())
	}
	return &Cloud{
		Storage: s, Topics: p.TopicAdminClient, Subscriptions: p.SubscriptionAdminClient,
		close: func() error { return errors.Join(p.Close(), s.Close()) },
	}, nil
}

// Close ends the connections.
func (c *Cloud) Close() error {
	if c.close == nil {
		return nil
	}
	return c.close()
}

// policies are the grants on topics or on subscriptions.
type policies interface {
	GetIamPolicy(context.Context, *iampb.GetIamPolicyRequest, ...gax.CallOption) (*iampb.Policy, error)
	SetIamPolicy(context.Context, *iampb.SetIamPolicyRequest, ...gax.CallOption) (*iampb.Policy, error)
	TestIamPermissions(context.Context, *iampb.TestIamPermissionsRequest, ...gax.CallOption) (*iampb.TestIamPermissionsResponse, error)
}

// agents are the accounts by which Google's services act.
type agents struct{ storage, pubsub string }

var agentNumber = regexp.MustCompile(`^service-([0-9]+)@`)

// agents asks Cloud Storage for its agent in the bucket's project, and derives Pub/Sub's from the project's number, which
// is a part of the agent's name in Project: https://cloud.google.com/iam/docs/service-agents
func (c *Cloud) agents(ctx context.Context, w Wanted) (a agents, err error) {
	if a.storage, err = c.Storage.ServiceAccount(ctx, w.BucketProject); err != nil {
		return a, fmt.Errorf("ask for the service agent of Cloud Storage in %s: %w", w.BucketProject, explain(err))
	}
	number := w.ProjectNumber
	if number == "" {
		own := a.storage
		if w.Project != w.BucketProject {
			if own, err = c.Storage.ServiceAccount(ctx, w.Project); err != nil {
				return a, fmt.Errorf("ask for the service agent of Cloud Storage in %s: %w", w.Project, explain(err))
			}
		}
		m := agentNumber.FindStringSubmatch(own)
		if m == nil {
			return a, fmt.Errorf("the number of project %s cannot be told from %s: give --project-number", w.Project, own)
		}
		number = m[1]
	}
	a.pubsub = "service-" + number + "@gcp-sa-pubsub.iam.gserviceaccount.com"
	return a, nil
}

func notFound(err error) bool {
	return status.Code(err) == codes.NotFound || httpStatus(err) == http.StatusNotFound || errors.Is(err, storage.ErrBucketNotExist)
}

func denied(err error) bool {
	return status.Code(err) == codes.PermissionDenied || httpStatus(err) == http.StatusForbidden
}

func httpStatus(err error) int {
	var e *googleapi.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// explain adds to an error what cures it.
func explain(err error) error {
	switch {
	case denied(err):
		return fmt.Errorf("%w (this command's account needs roles/pubsub.admin on the project and roles/storage.admin on the bucket; a grant takes up to a minute)", err)
	case status.Code(err) == codes.Unauthenticated || httpStatus(err) == http.StatusUnauthorized:
		return fmt.Errorf("%w (sign in with `gcloud auth application-default login`, or give --credentials-file)", err)
	}
	return err
}
