package gcs

import (
	"encoding/json"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/argo-bridge/argo-bridge/bridge"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

// attributes are those of a notification, with changes: pairs of a name and a value, "" to leave out.
func attributes(eventType string, changes ...string) map[string]string {
	a := map[string]string{
		"notificationConfig": "projects/_/buckets/landing-prod/notificationConfigs/3", "eventType": eventType,
		"payloadFormat": "JSON_API_V1", "bucketId": "landing-prod", "objectId": "exports/2026/a b#1.json",
		"objectGeneration": "1571760649468000", "eventTime": "2026-01-02T03:04:05.678901Z",
	}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			delete(a, changes[i])
			continue
		}
		a[changes[i]] = changes[i+1]
	}
	return a
}

const object = `{
 "kind": "storage#object", "id": "landing-prod/exports/2026/a b#1.json/1571760649468000",
 "name": "exports/2026/a b#1.json", "bucket": "landing-prod", "generation": "1571760649468000", "metageneration": "2",
 "contentType": "application/json", "timeCreated": "2026-01-02T03:04:05.678Z", "updated": "2026-01-02T03:04:05.678Z",
 "storageClass": "STANDARD", "size": "9007199254740993", "md5Hash": "x", "metadata": {"team": "data", "a": "b=c"}
}`

func TestEveryNotificationHasItsEventAndFacts(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attributes map[string]string
		data       string
	}{
		"finalized":            {attributes("OBJECT_FINALIZE", "overwroteGeneration", "1571760000000000", "team", "data"), object},
		"deleted-by-overwrite": {attributes("OBJECT_DELETE", "overwrittenByGeneration", "1571760700000000"), object},
		"archived":             {attributes("OBJECT_ARCHIVE"), object},
		"metadata-updated":     {attributes("OBJECT_METADATA_UPDATE"), object},
		"initialized":          {attributes("OBJECT_INITIALIZE"), object},
		"no-payload":           {attributes("OBJECT_FINALIZE", "payloadFormat", "NONE"), ""},
		"no-payload-metadata":  {attributes("OBJECT_METADATA_UPDATE", "payloadFormat", "NONE"), ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e, err := Translate(tt.attributes, []byte(tt.data), time.Now())
			if err != nil {
				t.Fatal(err)
			}
			f, ok, err := FactFinder{}.Facts(e)
			if !ok || err != nil {
				t.Fatalf("facts: %v, %v", ok, err)
			}
			v, err := f.Variables()
			if err != nil {
				t.Fatal(err)
			}
			known := Dialect().Variables(f.Name)["gcs"].Fields
			for k := range v["gcs"].(map[string]any) {
				if _, ok := known[k]; !ok {
					t.Errorf("gcs.%s is not in the dialect", k)
				}
			}
			out, err := json.MarshalIndent(map[string]any{
				"id": e.ID, "source": e.Source, "type": e.Type, "subject": e.Subject, "time": e.Time, "extensions": e.Extensions,
				"name": f.Name, "values": f.Values, "missing": f.Missing, "gcs": v["gcs"], "url": f.URL, "title": f.Title,
				"object": f.Object, "version": f.Version,
			}, "", "  ")
			if err != nil {
				t.Fatal(err)
			}
			path := "testdata/facts/" + name + ".json"
			if *update {
				if err := os.WriteFile(path, append(out, '\n'), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(out)+"\n"); diff != "" {
				t.Errorf("run with -update when it should change:\n%s", diff)
			}
		})
	}
}

func TestForeignMessagesMakeNoEvent(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		attributes map[string]string
		data       string
	}{
		"no attributes":              {nil, object},
		"no bucket":                  {attributes("OBJECT_FINALIZE", "bucketId", ""), object},
		"no object":                  {attributes("OBJECT_FINALIZE", "objectId", ""), object},
		"no generation":              {attributes("OBJECT_FINALIZE", "objectGeneration", ""), object},
		"a generation of letters":    {attributes("OBJECT_FINALIZE", "objectGeneration", "x"), object},
		"an unknown event":           {attributes("OBJECT_NEW"), object},
		"an unknown payload":         {attributes("OBJECT_FINALIZE", "payloadFormat", "XML"), object},
		"a payload that is no JSON":  {attributes("OBJECT_FINALIZE"), "{"},
		"a payload that is a list":   {attributes("OBJECT_FINALIZE"), "[]"},
		"no payload":                 {attributes("OBJECT_FINALIZE"), ""},
		"an attribute in no charset": {attributes("OBJECT_FINALIZE", "objectId", "\xff"), object},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if e, err := Translate(tt.attributes, []byte(tt.data), time.Now()); err == nil {
				t.Errorf("got %+v, want an error", e)
			}
		})
	}
}

func TestTheIDTellsOccurrencesApart(t *testing.T) {
	t.Parallel()
	id := func(a map[string]string, data string) string {
		t.Helper()
		e, err := Translate(a, []byte(data), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return e.ID
	}
	first := id(attributes("OBJECT_FINALIZE"), object)
	if again := id(attributes("OBJECT_FINALIZE", "notificationConfig", "other"), object); again != first {
		t.Errorf("one occurrence has two ids: %q, %q", first, again)
	}
	seen := map[string]bool{first: true}
	for _, other := range []string{
		id(attributes("OBJECT_FINALIZE", "objectGeneration", "2"), object),
		id(attributes("OBJECT_DELETE"), object),
		id(attributes("OBJECT_METADATA_UPDATE"), object),
		id(attributes("OBJECT_METADATA_UPDATE"), strings.Replace(object, `"metageneration": "2"`, `"metageneration": 3`, 1)),
		id(attributes("OBJECT_METADATA_UPDATE", "payloadFormat", "NONE"), ""),
	} {
		if seen[other] {
			t.Errorf("two occurrences have the id %q", other)
		}
		seen[other] = true
	}
}

func TestALaterStateOfAnObjectHasTheGreaterVersion(t *testing.T) {
	t.Parallel()
	last := ""
	for _, state := range [][2]string{{"9", "1"}, {"9", "10"}, {"10", "1"}, {"1571760649468000", "2"}, {"1571760649468001", "1"}, {"9223372036854775807", "1"}} {
		data := strings.Replace(object, `"1571760649468000", "metageneration": "2"`, `"`+state[0]+`", "metageneration": "`+state[1]+`"`, 1)
		e, err := Translate(attributes("OBJECT_METADATA_UPDATE", "objectGeneration", state[0]), []byte(data), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		f, _, err := FactFinder{}.Facts(e)
		if err != nil || f.Version <= last || f.Object != "exports/2026/a b#1.json" {
			t.Errorf("%v: version %q after %q, object %q, %v", state, f.Version, last, f.Object, err)
		}
		last = f.Version
	}
}

func TestFactsOfOthersEvents(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"com.github.push", typePrefix + "unknown"} {
		if _, ok, _ := (FactFinder{}).Facts(bridge.Event{Type: typ}); ok {
			t.Errorf("took %s for GCS'", typ)
		}
	}
	for _, data := range []string{"", "[]", "{", "{}", `{"bucket":"b","name":"n","size":"x"}`} {
		if _, ok, err := (FactFinder{}).Facts(bridge.Event{Type: typePrefix + "finalized", Data: json.RawMessage(data)}); !ok || err == nil {
			t.Errorf("%q: got %v, %v; want an error", data, ok, err)
		}
	}
}

func TestValidateNamesEveryBadField(t *testing.T) {
	t.Parallel()
	good := "projects/acme/subscriptions/argo-bridge"
	err := Config{Subscriptions: []string{"argo-bridge", good, good}, MaxMessages: -1, MaxBytes: -1}.Validate()
	for _, want := range []string{"subscriptions[0]", "subscriptions[2]", "maxMessages", "maxBytes"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
	if err := (Config{}).Validate(); err == nil {
		t.Error("no subscription is valid")
	}
	if err := (Config{Subscriptions: []string{good}}).Validate(); err != nil {
		t.Error(err)
	}
	if _, err := (Config{CredentialsFile: "testdata/none.json"}).Load(); err == nil || !strings.Contains(err.Error(), "credentialsFile") {
		t.Errorf("got %v", err)
	}
}

func FuzzTranslate(f *testing.F) {
	f.Add("OBJECT_FINALIZE", "b", "a/b", "1", "JSON_API_V1", object)
	f.Add("OBJECT_METADATA_UPDATE", "b", "o", "1", "NONE", "")
	f.Add("OBJECT_DELETE", "b", "../o\n", "1", "JSON_API_V1", `{"size":1,"metadata":[]}`)
	f.Fuzz(func(t *testing.T, eventType, bucket, name, generation, format, data string) {
		a := map[string]string{"eventType": eventType, "bucketId": bucket, "objectId": name, "objectGeneration": generation, "payloadFormat": format}
		e, err := Translate(a, []byte(data), time.Unix(0, 0))
		if err != nil {
			return
		}
		if e.ID == "" || e.Source == sourcePrefix || !json.Valid(e.Data) || !json.Valid([]byte(e.Extensions[extAttributes])) {
			t.Errorf("not a valid event: %+v", e)
		}
		if facts, ok, err := (FactFinder{}).Facts(e); !ok {
			t.Error("no facts of an event that was translated")
		} else if err == nil {
			if _, err := facts.Variables(); err != nil {
				t.Errorf("no variables: %v", err)
			}
		}
	})
}
