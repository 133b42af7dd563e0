package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// A field is one line of weir/gortime/layout_fields.inc.
type field struct {
	kind   string // FIELD, SIZE, COUNT or CONST
	member string // of weir::gortime::Layout
	types  []string
	paths  []string
}

var fieldLine = regexp.MustCompile(`^WEIR_(FIELD|SIZE|COUNT|CONST)\(([\w.]+), "([^"]*)", "([^"]*)"\)$`)

// readFields parses layout_fields.inc.
func readFields(path string) ([]field, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var fields []field
	for i, line := range strings.Split(string(text), "\n") {
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		m := fieldLine.FindStringSubmatch(line)
		if m == nil {
			return nil, fmt.Errorf("%s:%d: not an entry: %s", path, i+1, line)
		}
		fields = append(fields, field{m[1], m[2], strings.Split(m[3], "|"), strings.Split(m[4], "|")})
	}
	return fields, nil
}
