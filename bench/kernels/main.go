// Kernels runs the leak kernels that ship with the Go toolchain
// (src/runtime/testdata/testgoroutineleakprofile, Go ≥ 1.26) under `weir exec` and prints, for each
// kernel, how often a leak manifested, how often weir reported it, and how often the runtime's own
// goroutine leak profile did, all on the same runs:
//
//	go run . -weir ../../build/release/bin/weir [-go GO] [-runs 5] [-only REGEXP]
//
// Which goroutines a kernel leaks is taken from the toolchain's own test
// (src/runtime/goroutineleakprofile_test.go): "function [state]" patterns. Manifested means that at
// the end of the run a goroutine that fits one is there, marked as leaked or not: the kernels print
// their whole goroutine text with the marks of the profile.
//
// Exit code 1 when weir missed a leak that manifested.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var (
	weir = flag.String("weir", "../../build/release/bin/weir", "the weir to test")
	goes = flag.String("go", "go", "the Go toolchain whose kernels are run, 1.26 or later")
	runs = flag.Int("runs", 5, "runs of each kernel")
	only = flag.String("only", "", "only kernels whose name matches")
)

// A kernel is one subcommand of a test program.
type kernel struct {
	name   string
	simple bool // runs with GOMAXPROCS=1, as in the toolchain's test
	leaks  []*regexp.Regexp
}

// A tally counts, over the runs of a kernel, the leak patterns seen.
type tally struct{ manifested, weir, profile, missed, failed int }

func fatal(what string, err error) {
	fmt.Fprintf(os.Stderr, "kernels: %s: %v\n", what, err)
	os.Exit(2)
}

func goroot() string {
	out, err := exec.Command(*goes, "env", "GOROOT").Output()
	if err != nil {
		fatal("go env GOROOT", err)
	}
	return strings.TrimSpace(string(out))
}

// readKernels takes names and patterns from the calls of makeTest and makeFlakyTest.
func readKernels(root string) map[string]kernel {
	path := filepath.Join(root, "src/runtime/goroutineleakprofile_test.go")
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
	if err != nil {
		fatal("the toolchain's test", err)
	}
	kernels := map[string]kernel{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		maker, ok := call.Fun.(*ast.Ident)
		if !ok || maker.Name != "makeTest" && maker.Name != "makeFlakyTest" {
			return true
		}
		var words []string
		for _, argument := range call.Args {
			literal, ok := argument.(*ast.BasicLit)
			if !ok {
				return true
			}
			word, err := strconv.Unquote(literal.Value)
			if err != nil {
				return true
			}
			words = append(words, word)
		}
		k := kernel{name: words[0], simple: maker.Name == "makeTest"}
		for _, pattern := range words[1:] {
			k.leaks = append(k.leaks, regexp.MustCompile(pattern))
		}
		kernels[k.name] = k
		return true
	})
	return kernels
}

// build compiles one folder of kernels and gives the names of its subcommands.
func build(root, folder, to string) (string, []string) {
	source := filepath.Join(root, "src/runtime/testdata", folder)
	files, err := filepath.Glob(filepath.Join(source, "*.go"))
	if err != nil || len(files) == 0 {
		fatal("kernels in "+source, err)
	}
	var names []string
	registration := regexp.MustCompile(`register\("(\w+)"`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			fatal(file, err)
		}
		for _, match := range registration.FindAllSubmatch(text, -1) {
			names = append(names, string(match[1]))
		}
	}
	program := filepath.Join(to, strings.ReplaceAll(folder, "/", "-"))
	// Go 1.26 has the profile as an experiment; later ones have it always, and no such experiment.
	for _, experiment := range []string{"goroutineleakprofile", ""} {
		command := exec.Command(*goes, append([]string{"build", "-o", program}, files...)...)
		command.Dir = to
		command.Env = append(os.Environ(), "GOEXPERIMENT="+experiment, "GOTOOLCHAIN=local",
			"GOFLAGS=", "GOWORK=off")
		out, err := command.CombinedOutput()
		if err == nil {
			break
		}
		if experiment == "" || !strings.Contains(string(out), "unknown GOEXPERIMENT") {
			fatal(string(out), err)
		}
	}
	return program, names
}

// A leak is one goroutine as the toolchain's test writes it: "Kernel.func1() [chan receive]:".
type leak struct {
	text   string
	marked bool // by the profile
}

// readProfile takes the goroutines that have a creator out of a kernel's output.
func readProfile(output string) []leak {
	header := regexp.MustCompile(`(?m)^goroutine \d+ \[`)
	var leaks []leak
	for _, stack := range strings.Split(output, "\n\n") {
		lines := strings.Split(strings.TrimSpace(stack), "\n")
		if !header.MatchString(lines[0]) {
			continue
		}
		for i := len(lines) - 1; i >= 2; i-- {
			if strings.HasPrefix(lines[i], "created by ") {
				state := header.ReplaceAllString(lines[0], "[")
				marked := strings.Contains(state, " (leaked)")
				state = strings.Replace(state, " (leaked)", "", 1)
				leaks = append(leaks, leak{strings.TrimPrefix(lines[i-2], "main.") + " " + state, marked})
				break
			}
		}
	}
	return leaks
}

// document is what of schema weir.test/1 is needed here: one program.
type document struct {
	Programs []report
}

type report struct {
	NotChecked string `json:"not_checked"`
	Findings   []struct {
		State       string
		Stack       []place
		OtherStacks []struct{ Stack []place } `json:"other_stacks"`
	}
}

type place struct{ Function string }

func (r report) leaks() []leak {
	var leaks []leak
	for _, finding := range r.Findings {
		stacks := [][]place{finding.Stack}
		for _, other := range finding.OtherStacks {
			stacks = append(stacks, other.Stack)
		}
		for _, stack := range stacks {
			for i := len(stack) - 1; i >= 0; i-- {
				function := stack[i].Function
				if strings.HasPrefix(function, "main.") {
					text := fmt.Sprintf("%s() [%s]:", strings.TrimPrefix(function, "main."), finding.State)
					leaks = append(leaks, leak{text, true})
					break
				}
			}
		}
	}
	return leaks
}

// fits tells which of the kernel's patterns some leak fits.
func (k kernel) fits(leaks []leak, markedOnly bool) []bool {
	fit := make([]bool, len(k.leaks))
	for i, pattern := range k.leaks {
		for _, l := range leaks {
			fit[i] = fit[i] || (l.marked || !markedOnly) && pattern.MatchString(l.text)
		}
	}
	return fit
}

// runOnce runs a kernel under weir and counts the patterns that fit.
func runOnce(program string, k kernel, folder string, t *tally) {
	path := filepath.Join(folder, "report.json")
	os.Remove(path)
	command := exec.Command(*weir, "exec", "-json="+path, "--", program, k.name)
	command.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1")
	if k.simple {
		command.Env = append(command.Env, "GOMAXPROCS=1")
	}
	var output strings.Builder
	command.Stdout = &output
	timer := time.AfterFunc(2*time.Minute, func() { command.Process.Kill() })
	command.Run() // findings make it 1; a kernel that fails shows in the report
	timer.Stop()
	var all document
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	var found report
	if len(all.Programs) == 1 {
		found = all.Programs[0]
	} else if err == nil {
		err = fmt.Errorf("%d programs", len(all.Programs))
	}
	if err != nil || found.NotChecked != "" {
		fmt.Fprintf(os.Stderr, "kernels: %s: no report: %v %s\n", k.name, err, found.NotChecked)
		t.failed++
		return
	}
	goroutines := readProfile(output.String())
	byProfile, byWeir := k.fits(goroutines, true), k.fits(found.leaks(), true)
	for i, there := range k.fits(goroutines, false) {
		if !there {
			continue
		}
		t.manifested++
		if byProfile[i] {
			t.profile++
		}
		if byWeir[i] {
			t.weir++
		} else {
			t.missed++
			fmt.Fprintf(os.Stderr, "kernels: %s: weir missed %v; it has %v\n", k.name, k.leaks[i], found.leaks())
		}
	}
}

func main() {
	flag.Parse()
	var err error
	if *weir, err = filepath.Abs(*weir); err != nil {
		fatal("weir", err)
	}
	wanted := regexp.MustCompile(*only)
	root := goroot()
	kernels := readKernels(root)
	folder, err := os.MkdirTemp("", "weir-kernels")
	if err != nil {
		fatal("temporary folder", err)
	}
	defer os.RemoveAll(folder)
	var sum tally
	count, unpatterned := 0, 0
	fmt.Printf("%-30s %5s %11s %6s %8s %7s %7s\n", "kernel", "runs", "manifested", "weir", "profile", "missed", "failed")
	for _, part := range []string{"testgoroutineleakprofile", "testgoroutineleakprofile/goker"} {
		program, names := build(root, part, folder)
		for _, name := range names {
			k, known := kernels[name]
			if !known {
				unpatterned++ // the toolchain's test leaves it out: what it leaks is not written down
				continue
			}
			if !wanted.MatchString(name) {
				continue
			}
			var t tally
			for i := 0; i < *runs; i++ {
				runOnce(program, k, folder, &t)
			}
			fmt.Printf("%-30s %5d %11d %6d %8d %7d %7d\n", name, *runs, t.manifested, t.weir, t.profile, t.missed, t.failed)
			count++
			sum.manifested += t.manifested
			sum.weir += t.weir
			sum.profile += t.profile
			sum.missed += t.missed
			sum.failed += t.failed
		}
	}
	fmt.Printf("%-30s %5s %11d %6d %8d %7d %7d\n", fmt.Sprintf("sum of %d", count), "", sum.manifested, sum.weir, sum.profile, sum.missed, sum.failed)
	fmt.Printf("%d kernels without patterns in the toolchain's test were not run\n", unpatterned)
	if sum.missed > 0 || sum.failed > 0 {
		os.Exit(1)
	}
}
