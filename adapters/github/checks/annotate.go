package checks

import (
	"context"
	"strconv"

	"github.com/google/go-github/v60/github"
)

// annotate adds the annotations to a check run. Each request appends its own, and none can be taken back, so that one
// delivery adds them, and, where an earlier one has left it in doubt how many there are, asks GitHub first.
func (c *check) annotate(ctx context.Context, at place, id int64, r report) error {
	mine, doubt := false, false
	err := c.change(ctx, c.entry, func(e *entry) bool {
		mine = e.Notes == nil || !e.Notes.Done && !e.Notes.held(c.Now())
		if mine {
			doubt = e.Notes != nil
			e.Notes = &claim{At: c.Now()}
		}
		return mine
	})
	if err != nil || !mine {
		return err
	}
	failed := c.addAnnotations(ctx, at, id, r, doubt)
	err = c.change(context.WithoutCancel(ctx), c.entry, func(e *entry) bool {
		e.Notes = &claim{At: c.Now(), Doubt: failed != nil, Done: failed == nil}
		return true
	})
	if failed != nil {
		return failed
	}
	return err
}

func (c *check) addAnnotations(ctx context.Context, at place, id int64, r report, doubt bool) error {
	there := 0
	if doubt {
		run, _, err := at.client.Checks.GetCheckRun(ctx, at.owner, at.repo, id)
		if err != nil {
			return err
		}
		there = run.GetOutput().GetAnnotationsCount()
	}
	for there < len(r.Annotations) {
		if err := c.throttle.take(at.address.Installation, c.Now()); err != nil {
			return err
		}
		next := r.Annotations[there:min(len(r.Annotations), there+maxPerRequest)]
		output := &github.CheckRunOutput{Title: &r.Title, Summary: &r.Summary, Annotations: documents(next)}
		if _, err := send(ctx, at, "PATCH", "check-runs/"+strconv.FormatInt(id, 10), checkRequest{Output: output}); err != nil {
			return err
		}
		there += len(next)
	}
	return nil
}

// documents are annotations as GitHub takes them; a column it takes with a single line only.
func documents(all []annotation) (documents []*github.CheckRunAnnotation) {
	for _, a := range all {
		d := &github.CheckRunAnnotation{
			Path: &a.Path, StartLine: &a.Line, EndLine: &a.Line, AnnotationLevel: &a.Level, Message: &a.Message,
		}
		if a.Column > 0 {
			d.StartColumn, d.EndColumn = &a.Column, &a.Column
		}
		documents = append(documents, d)
	}
	return documents
}
