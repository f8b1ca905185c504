package operate

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/argoproj/argo-workflows/v3/pkg/apis/workflow"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/argo-bridge/argo-bridge/bridge/submit"
	"github.com/argo-bridge/argo-bridge/bridge/watch"
)

const (
	// metadataOnly asks the API server for the metadata of objects: a Workflow may be a megabyte.
	metadataOnly = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
	// pageSize is how many are listed at once, maxRead how many runs are read at most for one list.
	pageSize = 500
	maxRead  = 100
)

// Find returns a run as it is now; when there is none, the error is Permanent.
func (o *Operator) Find(ctx context.Context, namespace, name string) (bridge.Run, error) {
	d, err := o.get(ctx, bridge.RunID{Namespace: namespace, Name: name})
	if err != nil {
		return bridge.Run{}, err
	}
	run, err := watch.Read(d.raw)
	if err != nil {
		return run, bridge.Permanent(err)
	}
	return run, nil
}

// List returns at most limit runs of a template, by its name in the namespace or the cluster, or, where it is empty, of the
// namespace: the newest first. It looks at the newest hundred runs that may be of the template.
func (o *Operator) List(ctx context.Context, namespace, template string, limit int) (runs []bridge.Run, err error) {
	all, err := o.metadata(ctx, namespace, template)
	if err != nil {
		return nil, err
	}
	for i := 0; i < min(len(all), maxRead) && len(runs) < limit; i++ {
		run, err := o.Find(ctx, namespace, all[i].Name)
		switch {
		case bridge.IsPermanent(err):
			continue // gone meanwhile
		case err != nil:
			return nil, err
		case template == "" || run.Template.Name == template:
			runs = append(runs, run)
		}
	}
	return runs, nil
}

// metadata lists those Workflows that may be of the template, the newest first. A schedule's run does not say so in its
// labels.
func (o *Operator) metadata(ctx context.Context, namespace, template string) (all []metav1.ObjectMeta, err error) {
	for next := ""; ; {
		page, err := o.page(ctx, namespace, next)
		if err != nil {
			return nil, err
		}
		for _, item := range page.Items {
			of := item.Labels[submit.LabelTemplate] + item.Labels[submit.LabelClusterTemplate]
			if template == "" || of == "" || of == template {
				all = append(all, metav1.ObjectMeta{Name: item.Name, CreationTimestamp: item.CreationTimestamp})
			}
		}
		if next = page.Continue; next == "" {
			break
		}
	}
	slices.SortFunc(all, func(a, b metav1.ObjectMeta) int {
		if c := b.CreationTimestamp.Compare(a.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return all, nil
}

func (o *Operator) page(ctx context.Context, namespace, next string) (page metav1.PartialObjectMetadataList, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request := o.workflows.Get().Namespace(namespace).Resource(workflow.WorkflowPlural).SetHeader("Accept", metadataOnly).
		Param("limit", fmt.Sprint(pageSize))
	if next != "" {
		request = request.Param("continue", next)
	}
	result := request.Do(ctx)
	if err = result.Error(); err == nil {
		raw, _ := result.Raw()
		err = json.Unmarshal(raw, &page)
	}
	if err != nil {
		return page, classify(bridge.RunID{}, fmt.Errorf("list the runs of %s: %w", namespace, err))
	}
	return page, nil
}
