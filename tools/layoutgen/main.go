// Layoutgen makes weir/gortime/layout_tables.inc: where the fields of the Go runtime's structs are, for
// each Go release and architecture, taken from the DWARF of programs that real toolchains build.
//
//	layoutgen [flags] [GOROOT ...]     toolchains to look at; default: all of this machine
//	layoutgen -check                   compares them with the table; exit code 1 on any difference
//	layoutgen -fresh                   makes the table from these alone, not adding to what is there
//	layoutgen -download                also what bounds the ranges, from the Go module proxy
//	layoutgen -experiments [-only X]   instead: which GOEXPERIMENTs leave the layout as it is
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type options struct {
	source      string
	check       bool
	fresh       bool
	download    bool
	experiments bool
	only        string
	arches      string
}

func main() {
	var o options
	flag.StringVar(&o.source, "source", "../..", "weir's source tree")
	flag.BoolVar(&o.check, "check", false, "compare, write nothing")
	flag.BoolVar(&o.fresh, "fresh", false, "forget the table that is there")
	flag.BoolVar(&o.download, "download", false, "also fetch releases that bound a range, through the go command")
	flag.BoolVar(&o.experiments, "experiments", false, "try every GOEXPERIMENT of the toolchains")
	flag.StringVar(&o.only, "only", "", "with -experiments: this one")
	flag.StringVar(&o.arches, "arch", "amd64,arm64", "architectures")
	flag.Parse()
	if err := run(o, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "layoutgen:", err)
		os.Exit(1)
	}
}

func run(o options, roots []string) error {
	fields, err := readFields(filepath.Join(o.source, "weir/gortime/layout_fields.inc"))
	if err != nil {
		return err
	}
	toolchains := findToolchains()
	if len(roots) > 0 {
		toolchains = nil
		for _, root := range roots {
			t, err := openToolchain(root)
			if err != nil {
				return err
			}
			toolchains = append(toolchains, t)
		}
	}
	if o.experiments {
		return tryExperiments(o, toolchains, fields)
	}
	g := generator{o, fields, nil, filepath.Join(o.source, "weir/gortime/layout_tables.inc"), 0}
	if g.table, err = g.open(); err != nil {
		return err
	}
	arches := strings.Split(o.arches, ",")
	for _, t := range toolchains {
		if err := g.add(t, arches); err != nil {
			return err
		}
	}
	if o.download {
		if err := download(g.table, arches, g.add); err != nil {
			return err
		}
	}
	if g.different > 0 {
		return fmt.Errorf("%d layouts are not as in the table", g.different)
	}
	return nil
}

type generator struct {
	options
	fields    []field
	table     *table
	path      string
	different int
}

func (g *generator) open() (*table, error) {
	if g.fresh {
		return &table{map[key][]value{}}, nil
	}
	return readTable(g.path, len(g.fields))
}

// add looks at one toolchain: compares it with the table (-check) or puts it there.
func (g *generator) add(t toolchain, arches []string) error {
	for _, arch := range arches {
		row, err := t.layout(filepath.Join(g.source, "tools/layoutgen/probe"), arch, "", g.fields)
		if err != nil {
			return err
		}
		k := key{arch, t.release}
		if !g.check {
			g.table.rows[k] = row
			fmt.Println("added", t.release, arch)
			continue
		}
		g.compare(k, row)
	}
	if g.check {
		return nil
	}
	return g.table.write(g.path, g.fields)
}

func (g *generator) compare(k key, row []value) {
	known, found := g.table.find(k)
	switch {
	case !found:
		fmt.Println("MISSING", k.release, k.arch)
		g.different++
	case join(known) == join(row):
		fmt.Println("equal  ", k.release, k.arch)
	default:
		fmt.Println("DIFFERS", k.release, k.arch)
		for i := range row {
			if row[i] != known[i] {
				fmt.Printf("  %s is %s, table %s\n", g.fields[i].member, row[i], known[i])
			}
		}
		g.different++
	}
}
