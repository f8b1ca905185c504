package docs_test

import (
	"os"
	"regexp"
	"strings"
	"testing"
)

// A page is a Markdown file with annotation sets and, below each, tables of what they make of events.
type page struct {
	lines    []string
	examples []example
	filters  []filterTable
}

// An example is one block of annotations with the rows of its tables.
type example struct {
	line int // of the block, from 1
	yaml string
	rows []row
}

// A row is one line of a table with two columns; the second is what the test computes.
type row struct {
	kind  string // the table's header
	line  int    // index into lines
	cells []string
}

// A filterTable is a table of filters of some events, each with an example of its value.
type filterTable struct {
	events []string
	rows   []row
}

const (
	eventTable   = "| an event | makes |"
	batchTable   = "| events | make |"
	outcomeTable = "| outcome | is told to |"
	messageTable = "| a run that fails after three minutes | its text |"
	filterHeader = "| filter | tests | example |"
)

var filtersOf = regexp.MustCompile(`^<!-- filters of: (.*) -->$`)

func readPage(t *testing.T, path string) *page {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &page{lines: strings.Split(string(data), "\n")}
	events := ""
	for i := 0; i < len(p.lines); i++ {
		line := p.lines[i]
		if m := filtersOf.FindStringSubmatch(line); m != nil {
			events = m[1]
		}
		switch line {
		case "```yaml":
			i = p.block(i)
		case filterHeader:
			p.filters = append(p.filters, filterTable{strings.Fields(events), p.rows(i)})
		case eventTable, batchTable, outcomeTable, messageTable:
			if len(p.examples) == 0 {
				t.Fatalf("line %d: a table without an example above it", i+1)
			}
			last := &p.examples[len(p.examples)-1]
			last.rows = append(last.rows, p.rows(i)...)
		}
	}
	return p
}

// block reads the block that begins at a line, and returns where it ends.
func (p *page) block(at int) int {
	end := at + 1
	for p.lines[end] != "```" {
		end++
	}
	p.examples = append(p.examples, example{line: at + 1, yaml: strings.Join(p.lines[at+1:end], "\n") + "\n"})
	return end
}

// rows reads the rows of the table whose header stands at a line.
func (p *page) rows(header int) []row {
	var rows []row
	for i := header + 2; i < len(p.lines) && strings.HasPrefix(p.lines[i], "|"); i++ {
		cells := strings.Split(strings.Trim(p.lines[i], "|"), "|")
		for j := range cells {
			cells[j] = strings.TrimSpace(cells[j])
		}
		rows = append(rows, row{p.lines[header], i, cells})
	}
	return rows
}

// set writes the second cell of a row.
func (p *page) set(r row, text string) {
	p.lines[r.line] = "| " + r.cells[0] + " | " + text + " |"
}

func (p *page) write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(strings.Join(p.lines, "\n")), 0o644); err != nil {
		t.Fatal(err)
	}
}
