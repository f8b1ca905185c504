package github

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/argo-bridge/argo-bridge/bridge"
)

// pushOf is a push of about n bytes whose commits list many files.
func pushOf(n int) []byte {
	var b bytes.Buffer
	b.WriteString(`{"ref":"refs/heads/main","after":"1111111111111111111111111111111111111111","repository":{"full_name":"acme/app","url":"https://github.com/acme/app"},"sender":{"login":"mona"},"commits":[`)
	for c := 0; b.Len() < n; c++ {
		if c > 0 {
			b.WriteByte(',')
		}
		var files strings.Builder
		for i := range 250 {
			fmt.Fprintf(&files, `"services/billing/internal/module_%d/file_%d_%d.go",`, c%37, c, i)
		}
		fmt.Fprintf(&b, `{"id":"%040x","message":"move files","author":{"name":"Mona","email":"mona@example.com"},"added":[],"removed":[],"modified":[%s]}`,
			c, strings.TrimSuffix(files.String(), ","))
	}
	b.WriteString("]}")
	return b.Bytes()
}

func heap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func BenchmarkLargePush(b *testing.B) {
	e := bridge.Event{ID: "1", Type: "com.github.push", Data: pushOf(25 << 20)}
	b.ReportAllocs()
	b.SetBytes(int64(len(e.Data)))
	for b.Loop() {
		before := heap()
		f, _, err := FactFinder{}.Facts(e)
		if err != nil {
			b.Fatal(err)
		}
		facts := heap()
		v, err := f.Variables()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(facts-before)/1e6, "MB-facts")
		b.ReportMetric(float64(heap()-facts)/1e6, "MB-variables")
		runtime.KeepAlive(v)
		runtime.KeepAlive(f)
	}
}
