package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/argo-bridge/argo-bridge/adapters/github"
	"github.com/argo-bridge/argo-bridge/bridge"
	gh "github.com/google/go-github/v60/github"
	"go.uber.org/zap"
)

// How many files GitHub tells of at most: of a comparison
// (https://docs.github.com/en/rest/commits/commits#compare-two-commits) and of a pull request
// (https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files).
const (
	maxCompared = 300
	maxListed   = 3000
)

// changes are the files that an event changes. Beyond says that GitHub does not tell them all.
type changes struct {
	paths  []string
	beyond bool
}

// add adds the paths of files; a renamed file has two.
func (c *changes) add(files []*gh.CommitFile) {
	for _, f := range files {
		c.paths = append(c.paths, f.GetFilename())
		if f.GetPreviousFilename() != "" {
			c.paths = append(c.paths, f.GetPreviousFilename())
		}
	}
}

// sorted has each path once.
func (c changes) sorted() changes {
	slices.Sort(c.paths)
	c.paths = slices.Compact(c.paths)
	return c
}

// files tells the paths of the changed files, as values of the filter and as the variable github.files. Between commits
// they are the same whenever GitHub is asked.
func (a *Answers) files(ctx context.Context, e bridge.Event, f *bridge.Facts) error {
	paths, known := f.Values["paths"]
	if !known {
		c, err := a.changes.recall(ctx, e.Hash(), func(ctx context.Context) (changes, error) { return a.askFiles(ctx, e, f) })
		if err != nil {
			return err
		}
		if c.beyond {
			f.Beyond["paths"] = a.options.RunBeyond
		}
		paths = c.paths
		f.Values["paths"] = append([]string{}, paths...)
		delete(f.Missing, "paths")
	}
	list := make([]any, len(paths))
	for i, p := range paths {
		list[i] = p
	}
	f.Variables = with(f.Variables, map[string]any{"files": list})
	return nil
}

func (a *Answers) askFiles(ctx context.Context, e bridge.Event, f *bridge.Facts) (changes, error) {
	s, err := spanOf(e, *f)
	if err != nil {
		return changes{}, err
	}
	r, err := a.at(ctx, f)
	if err != nil {
		return changes{}, err
	}
	c, err := r.between(ctx, s)
	if err != nil {
		return changes{}, github.Classify(err)
	}
	c = c.sorted()
	if c.beyond {
		a.options.Observer.BeyondLimits()
		a.options.Log.Warn("GitHub does not tell all changed files; beyondLimits says whether one of the others fits",
			zap.String(bridge.LogEventID, e.ID), zap.String(bridge.LogEventType, e.Type), zap.String(bridge.LogSubject, r.String()),
			zap.Int(bridge.LogDetail, len(c.paths)), zap.Bool(bridge.LogOutcome, a.options.RunBeyond))
	}
	return c, nil
}

// between finds the files of a span.
func (r repository) between(ctx context.Context, s span) (changes, error) {
	c := changes{paths: s.told, beyond: s.cut}
	if s.base == "" {
		return c, nil
	}
	comparison, err := r.compare(ctx, s.base, s.head)
	switch {
	case s.number > 0 && (notFound(err) || err == nil && len(comparison.Files) >= maxCompared):
		listed, same, listErr := r.list(ctx, s)
		if listErr != nil || same {
			return listed, listErr
		}
	case notFound(err) && s.push:
		c.beyond = true // the commit that the branch was at is gone: what the payload tells is all there is
		return c, nil
	}
	if err != nil {
		return c, err
	}
	c.add(comparison.Files)
	c.beyond = len(comparison.Files) >= maxCompared || s.cut && comparison.GetAheadBy() == 0
	if !s.push || s.created || comparison.GetBehindBy() == 0 {
		return c, nil
	}
	// A forced push has taken commits off the branch: what they had changed is changed back.
	back, err := r.compare(ctx, s.head, s.base)
	if err != nil {
		return c, err
	}
	c.add(back.Files)
	c.beyond = c.beyond || len(back.Files) >= maxCompared
	return c, nil
}

// compare compares two commits; the files stand on the first page, however few commits it has.
func (r repository) compare(ctx context.Context, base, head string) (*gh.CommitsComparison, error) {
	c, _, err := r.Repositories.CompareCommits(ctx, r.owner, r.name, base, head, &gh.ListOptions{PerPage: 1})
	if err != nil {
		return nil, fmt.Errorf("compare %s with %s: %w", base, head, err)
	}
	return c, nil
}

// list reads the files of the pull request as it is now. They are those of the event only if its head was the same before
// and after.
func (r repository) list(ctx context.Context, s span) (c changes, same bool, err error) {
	if same, err = r.headIs(ctx, s); err != nil || !same {
		return c, false, err
	}
	n := 0
	for page := 1; page > 0; {
		files, response, err := r.PullRequests.ListFiles(ctx, r.owner, r.name, s.number, &gh.ListOptions{Page: page, PerPage: 100})
		if err != nil {
			return c, false, fmt.Errorf("list the files of %s#%d: %w", r, s.number, err)
		}
		c.add(files)
		n += len(files)
		page = response.NextPage
	}
	c.beyond = n >= maxListed
	same, err = r.headIs(ctx, s)
	return c, same, err
}

func (r repository) headIs(ctx context.Context, s span) (bool, error) {
	p, _, err := r.PullRequests.Get(ctx, r.owner, r.name, s.number)
	if err != nil {
		return false, fmt.Errorf("get %s#%d: %w", r, s.number, err)
	}
	return strings.EqualFold(p.GetHead().GetSHA(), s.head), nil
}

func notFound(err error) bool {
	var e *gh.ErrorResponse
	return errors.As(err, &e) && e.Response.StatusCode == http.StatusNotFound
}
