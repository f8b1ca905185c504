package layout

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	typed "k8s.io/client-go/kubernetes/typed/core/v1"
)

const (
	// freshFor is how long a layout is used before it is read again, and a fault before it is looked for again.
	freshFor = 30 * time.Second
	// within bounds one reading: who is told of a failure waits for it.
	within = 5 * time.Second
	// maxKept bounds how many are kept.
	maxKept = 500
)

// ConfigMaps reads layouts. It needs the right to get configmaps where the runs are. Safe for concurrent use.
type ConfigMaps struct {
	Client typed.ConfigMapsGetter
	Now    func() time.Time

	mu   sync.Mutex
	kept map[string]kept
}

type kept struct {
	layout *Layout
	err    error
	at     time.Time
}

// Blocks renders the layout that from names, NAME/KEY of a ConfigMap in the namespace, with the variables. It takes five
// seconds at most. The error is for the template's author: it says what is missing or wrong.
func (c *ConfigMaps) Blocks(ctx context.Context, namespace, from string, variables map[string]any) (string, error) {
	l, err := c.layout(ctx, namespace, from)
	if err != nil {
		return "", err
	}
	blocks, err := l.Render(variables)
	if err != nil {
		return "", fmt.Errorf("ConfigMap %s: %w", from, err)
	}
	return blocks, nil
}

func (c *ConfigMaps) layout(ctx context.Context, namespace, from string) (*Layout, error) {
	key := namespace + " " + from
	c.mu.Lock()
	known, ok := c.kept[key]
	c.mu.Unlock()
	if age := c.Now().Sub(known.at); ok && age >= 0 && age < freshFor {
		return known.layout, known.err
	}
	l, err := c.read(ctx, namespace, from)
	if err != nil && ctx.Err() != nil {
		return nil, err // it says nothing about the layout
	}
	c.keep(key, kept{l, err, c.Now()})
	return l, err
}

func (c *ConfigMaps) keep(key string, k kept) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil || len(c.kept) >= maxKept {
		c.kept = map[string]kept{}
	}
	c.kept[key] = k
}

func (c *ConfigMaps) read(ctx context.Context, namespace, from string) (*Layout, error) {
	name, key, found := strings.Cut(from, "/")
	if !found || namespace == "" {
		return nil, fmt.Errorf("%q names no key of a ConfigMap in the run's namespace: NAME/KEY", from)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	m, err := c.Client.ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("there is no ConfigMap %s in the namespace %s", name, namespace)
	case apierrors.IsForbidden(err):
		return nil, fmt.Errorf("the bridge may not read ConfigMap %s: give its service account the right to get configmaps in the namespace %s", name, namespace)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("read ConfigMap %s: the API server has not answered within %s", name, within)
	case err != nil:
		return nil, fmt.Errorf("read ConfigMap %s: %w", name, err)
	}
	text, ok := m.Data[key]
	if !ok {
		return nil, fmt.Errorf("ConfigMap %s has no key %s", name, key)
	}
	l, err := Compile([]byte(text))
	if err != nil {
		return nil, fmt.Errorf("ConfigMap %s: %w", from, err)
	}
	return l, nil
}
