package e2e

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/adapters/github"
)

const (
	largeBodies = 20
	largeBody   = 25 << 20 // GitHub's largest
)

// ordinary is a commit of a push as GitHub writes it, with many files.
func ordinary(id, n int) string {
	var files strings.Builder
	for i := range 250 {
		fmt.Fprintf(&files, `"services/billing/internal/module_%d/file_%d_%d.go",`, n%37, id, i*n)
	}
	list := strings.TrimSuffix(files.String(), ",")
	return fmt.Sprintf(`{"id":"%040x","tree_id":"%040x","distinct":true,"message":"move the files of module %d","timestamp":"2026-01-02T03:04:05Z",`+
		`"url":"https://github.com/acme/app/commit/%040x","author":{"name":"Mona","email":"mona@example.com","username":"mona"},`+
		`"committer":{"name":"Mona","email":"mona@example.com","username":"mona"},"added":[],"removed":[],"modified":[%s]},`, n*id, n, n, n*id, list)
}

// random is a commit whose message no compression makes smaller.
func random(id, n int) string {
	raw := make([]byte, 12<<10)
	rand.New(rand.NewSource(int64(id)<<20 | int64(n))).Read(raw)
	return fmt.Sprintf(`{"id":"%040x","message":"%s","added":["src/%d.go"],"removed":[],"modified":[]},`, n, base64.StdEncoding.EncodeToString(raw), n)
}

// objects is a commit with many small objects, which take the most memory when they are decoded: those of an
// installation's repositories.
func objects(id, n int) string {
	var list strings.Builder
	for i := range 100 {
		fmt.Fprintf(&list, `{"id":%d,"node_id":"R_kgDO%08d","name":"app-%d","full_name":"acme/app-%d","private":true},`, n*100+i, i*id, i, i)
	}
	return fmt.Sprintf(`{"id":"%040x","message":"m","added":["src/%d.go"],"removed":[],"modified":[],"repositories":[%s]},`, n, n, strings.TrimSuffix(list.String(), ","))
}

// largePush is a push of just under 25 MB.
func largePush(t testing.TB, id int, commit func(id, n int) string) []byte {
	var b bytes.Buffer
	b.Grow(largeBody)
	head, tail, _ := bytes.Cut(push(t, id, 0), []byte(`"commits":[`))
	b.Write(head)
	b.WriteString(`"commits":[`)
	for n := 1; ; n++ {
		c := commit(id, n)
		if b.Len()+len(c)+len(tail) > largeBody {
			break
		}
		b.WriteString(c)
	}
	b.Write(tail)
	return b.Bytes()
}

// deliver sends a body until it is accepted, as somebody who redelivers what GitHub lists as failed; each
// attempt has GitHub's ten seconds. It returns how often it was refused.
func (x *bench) deliver(client *http.Client, delivery string, body []byte) (refused int) {
	for ; ; refused++ {
		request, err := http.NewRequest(http.MethodPost, "http://"+x.p.address+"/webhooks/github", bytes.NewReader(body))
		if err != nil {
			x.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("X-GitHub-Event", "push")
		request.Header.Set("X-GitHub-Delivery", delivery)
		request.Header.Set("X-Hub-Signature-256", github.Sign(githubSecret, body))
		response, err := client.Do(request)
		if err == nil {
			_, _ = io.Copy(io.Discard, response.Body)
			response.Body.Close()
			if response.StatusCode == http.StatusAccepted {
				return refused
			}
		}
		if refused > 100 {
			x.Errorf("%s was refused a hundred times: %v", delivery, err)
			return refused
		}
		time.Sleep(500 * time.Millisecond)
	}
}

// status is a line of the bridge's memory in MiB: VmHWM is the most that was resident so far, RssFile what
// of it is the program's own file, which the kernel can drop.
func (x *bench) status(name string) float64 {
	for line := range strings.Lines(readFile(x, fmt.Sprintf("/proc/%d/status", x.p.cmd.Process.Pid))) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib / 1024
		}
	}
	return 0
}

// BenchmarkLargePayloads sends 20 pushes of 25 MB at once to a bridge with the memory that the manifests give
// it, and waits for their Workflows.
func BenchmarkLargePayloads(b *testing.B) {
	for name, commit := range map[string]func(id, n int) string{"ordinary": ordinary, "random": random, "objects": objects} {
		b.Run(name, func(b *testing.B) {
			x := newBench(b, 1)
			x.p.kill()
			x.p.env = append(x.p.env, "GOMEMLIMIT=307MiB")
			x.p.startReady()
			for range b.N {
				x.sendLarge(commit)
			}
		})
	}
}

func (x *bench) sendLarge(commit func(id, n int) string) {
	bodies := make([][]byte, largeBodies)
	for i := range bodies {
		bodies[i] = largePush(x, i+1, commit)
	}
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	x.ReportMetric(x.status("VmHWM"), "MiB-before")
	before, began := x.submitted(), time.Now()
	refused := make([]int, largeBodies)
	var senders sync.WaitGroup
	for i, body := range bodies {
		senders.Go(func() { refused[i] = x.deliver(client, fmt.Sprintf("large-%d-%d", x.next.Add(1), i), body) })
	}
	senders.Wait()
	accepted := time.Since(began)
	eventually(x, "all are submitted", func() error {
		if got := x.submitted() - before; got < largeBodies {
			return fmt.Errorf("%d of %d", got, largeBodies)
		}
		return nil
	})
	total := 0
	for _, n := range refused {
		total += n
	}
	x.ReportMetric(accepted.Seconds(), "s-accepted")
	x.ReportMetric(time.Since(began).Seconds(), "s-submitted")
	x.ReportMetric(float64(total), "refusals")
	x.ReportMetric(x.status("VmHWM"), "MiB-highest")
	x.ReportMetric(x.status("RssFile"), "MiB-file")
	x.ReportMetric(0, "ns/op")
}
