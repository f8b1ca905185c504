package gcstest

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"cloud.google.com/go/iam/apiv1/iampb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// IAM holds the grants on topics and subscriptions, by https://cloud.google.com/pubsub/docs/reference/rpc/google.iam.v1
type IAM struct {
	iampb.UnimplementedIAMPolicyServer
	exists func(string) bool

	mu       sync.Mutex
	policies map[string]*iampb.Policy
	changes  int
	denied   bool
	stale    int
	may      []string
}

func newIAM() *IAM { return &IAM{policies: map[string]*iampb.Policy{}} }

// Deny refuses everybody from now on.
func (i *IAM) Deny() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.denied = true
}

// Interfere lets somebody else change a policy before each of the next n changes.
func (i *IAM) Interfere(n int) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.stale = n
}

// Allow gives the caller permissions on everything.
func (i *IAM) Allow(permissions ...string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.may = permissions
}

// Members are those that have a role on a topic or subscription.
func (i *IAM) Members(resource, role string) []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	var all []string
	for _, b := range i.policies[resource].GetBindings() {
		if b.Role == role {
			all = append(all, b.Members...)
		}
	}
	return all
}

// Changes is how often a policy was written.
func (i *IAM) Changes() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.changes
}

func (i *IAM) refuses(resource string) error {
	if i.denied {
		return status.Errorf(codes.PermissionDenied, "User not authorized to perform this action on %s.", resource)
	}
	if !i.exists(resource) {
		return status.Errorf(codes.NotFound, "Resource not found (resource=%s).", resource)
	}
	return nil
}

// GetIamPolicy returns the policy with its etag.
func (i *IAM) GetIamPolicy(_ context.Context, r *iampb.GetIamPolicyRequest) (*iampb.Policy, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.refuses(r.Resource); err != nil {
		return nil, err
	}
	p := i.policies[r.Resource]
	if p == nil {
		p = &iampb.Policy{Version: 1, Etag: []byte("0")}
		i.policies[r.Resource] = p
	}
	return proto.Clone(p).(*iampb.Policy), nil
}

// SetIamPolicy replaces the policy that the etag names.
func (i *IAM) SetIamPolicy(_ context.Context, r *iampb.SetIamPolicyRequest) (*iampb.Policy, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if err := i.refuses(r.Resource); err != nil {
		return nil, err
	}
	if i.stale > 0 {
		i.stale--
		return nil, status.Error(codes.Aborted, "There were concurrent policy changes.")
	}
	if string(i.policies[r.Resource].GetEtag()) != string(r.Policy.Etag) {
		return nil, status.Error(codes.Aborted, "There were concurrent policy changes.")
	}
	i.changes++
	p := proto.Clone(r.Policy).(*iampb.Policy)
	p.Etag = fmt.Append(nil, i.changes)
	i.policies[r.Resource] = p
	return proto.Clone(p).(*iampb.Policy), nil
}

// TestIamPermissions returns those of the permissions that the caller has.
func (i *IAM) TestIamPermissions(_ context.Context, r *iampb.TestIamPermissionsRequest) (*iampb.TestIamPermissionsResponse, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if !i.exists(r.Resource) {
		return nil, status.Errorf(codes.NotFound, "Resource not found (resource=%s).", r.Resource)
	}
	var has []string
	for _, p := range r.Permissions {
		if slices.Contains(i.may, p) {
			has = append(has, p)
		}
	}
	return &iampb.TestIamPermissionsResponse{Permissions: has}, nil
}
