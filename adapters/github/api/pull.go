package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	gh "github.com/google/go-github/v60/github"
)

// pinned is what Facts.Pinned holds.
type pinned struct {
	PullRequest *pullRequest `json:"pull_request,omitempty"`
}

// A pullRequest is one as it was when it was asked for, in GitHub's own words: what the rest of the bridge reads of it.
type pullRequest struct {
	Number int64  `json:"number"`
	State  string `json:"state"`
	Draft  bool   `json:"draft"`
	Merged bool   `json:"merged"`
	URL    string `json:"html_url"`
	User   struct {
		Login string `json:"login"`
	} `json:"user"`
	Head side `json:"head"`
	Base side `json:"base"`
}

// A side is the head or base of a pull request; Repo is nil where the fork is gone.
type side struct {
	Ref  string `json:"ref"`
	SHA  string `json:"sha"`
	Repo *repo  `json:"repo"`
}

type repo struct {
	FullName string `json:"full_name"`
}

// pullRequest tells of the pull request that a comment stands under. It is asked for once: whoever comes later goes on
// with the first answer, so that a push in between changes nothing.
func (a *Answers) pullRequest(ctx context.Context, _ bridge.Event, f *bridge.Facts) error {
	known, err := pinnedPull(*f)
	if err != nil {
		return err
	}
	if known == nil {
		if known, err = a.askPull(ctx, f); err != nil {
			return err
		}
		text, err := json.Marshal(pinned{known})
		if err != nil {
			return bridge.Permanent(fmt.Errorf("write down the pull request: %w", err))
		}
		f.Pinned = string(text)
	}
	return known.tell(f)
}

// pinnedPull is the pull request that was asked for before, nil if none was.
func pinnedPull(f bridge.Facts) (*pullRequest, error) {
	if f.Pinned == "" {
		return nil, nil
	}
	var p pinned
	if err := json.Unmarshal([]byte(f.Pinned), &p); err != nil {
		return nil, bridge.Permanent(fmt.Errorf("read what was answered before: %w", err))
	}
	return p.PullRequest, nil
}

func (a *Answers) askPull(ctx context.Context, f *bridge.Facts) (*pullRequest, error) {
	r, err := a.at(ctx, f)
	if err != nil {
		return nil, err
	}
	if r.address.Number == 0 {
		return nil, bridge.Permanent(errors.New("the event is about no pull request"))
	}
	got, _, err := r.PullRequests.Get(ctx, r.owner, r.name, r.address.Number)
	if err != nil {
		return nil, github.Classify(err)
	}
	p := &pullRequest{
		Number: int64(got.GetNumber()), State: got.GetState(), Draft: got.GetDraft(), Merged: got.GetMerged(), URL: got.GetHTMLURL(),
		Head: sideOf(got.Head), Base: sideOf(got.Base),
	}
	p.User.Login = got.GetUser().GetLogin()
	return p, nil
}

func sideOf(b *gh.PullRequestBranch) side {
	s := side{Ref: b.GetRef(), SHA: b.GetSHA()}
	if name := b.GetRepo().GetFullName(); name != "" {
		s.Repo = &repo{name}
	}
	return s
}

// foreign says that the commits are those of a fork, to which others may push. What was merged is the repository's own.
func (p *pullRequest) foreign() bool {
	return !p.Merged && (p.Head.Repo == nil || p.Base.Repo == nil || p.Head.Repo.FullName != p.Base.Repo.FullName)
}

// tell writes what it knows into the facts: where GitHub is answered, who must be trusted, what filters and expressions
// see.
func (p *pullRequest) tell(f *bridge.Facts) error {
	address, err := github.ParseAddress(f.ReplyTo)
	if err != nil {
		return bridge.Permanent(err)
	}
	address.Commit = p.Head.SHA
	f.ReplyTo, f.Commit = address.String(), p.Head.SHA
	f.Values["branches"], f.Values["draft"] = []string{p.Base.Ref}, []string{strconv.FormatBool(p.Draft)}
	delete(f.Missing, "branches")
	delete(f.Missing, "draft")
	if p.foreign() && !slices.Contains(f.Vouch, p.User.Login) {
		f.Vouch = append(f.Vouch, p.User.Login)
	}
	short := strconv.FormatInt(p.Number, 10) + "/head"
	f.Variables = with(f.Variables, map[string]any{
		"sha": p.Head.SHA, "ref": "refs/pull/" + short, "ref_name": short, "ref_type": "branch",
		"base_ref": p.Base.Ref, "head_ref": p.Head.Ref, "pull_request": p.object(),
	})
	return nil
}

// object is the pull request as an expression sees it.
func (p *pullRequest) object() map[string]any {
	return map[string]any{
		"number": p.Number, "state": p.State, "draft": p.Draft, "merged": p.Merged, "html_url": p.URL,
		"user": map[string]any{"login": p.User.Login}, "head": p.Head.object(), "base": p.Base.object(),
	}
}

func (s side) object() map[string]any {
	v := map[string]any{"ref": s.Ref, "sha": s.SHA, "repo": nil}
	if s.Repo != nil {
		v["repo"] = map[string]any{"full_name": s.Repo.FullName}
	}
	return v
}
