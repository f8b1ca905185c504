package chaos

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// templateEdit changes a template in a way that starts nothing else: editing must not touch what is under way.
type templateEdit struct {
	template string
	note     int
}

func newTemplateEdit(r *rand.Rand) fault {
	names := slices.Sorted(maps.Keys(templates(0)))
	return templateEdit{names[r.IntN(len(names))], r.IntN(1 << 30)}
}

func (f templateEdit) String() string { return "edit the template " + f.template }

func (f templateEdit) strike(w *world) {
	patch := fmt.Sprintf(`{"metadata": {"annotations": {"example.com/note": "%d"}}}`, f.note)
	_, err := w.cluster.dynamic.Resource(templatesGVR).Namespace(w.namespace).
		Patch(w.ctx, f.template, types.MergePatchType, []byte(patch), metav1.PatchOptions{})
	if err != nil {
		say("%s: %v", f, err) // the API server may be away; the next edit counts
	}
}

func (templateEdit) heal(*world) {}
