// Std-explore runs `weir explore` on the tests of packages of the Go standard library, as docs/explore.md tells of:
//
//	go run . -weir ../../build/release/bin/weir [-go GO] [-n 1000] [-for 5s] [-keep FOLDER] [packages...]
//
// Each test gets -n random walks, and at most -for. One row for each package: how well weir controls its tests, how
// many schedules ran, in how many the Go runtime itself broke (that would be weir's fault), and how many tests have
// a finding. Below, one line each: the findings, and why a test is not controlled. Each test has a process of weir
// of its own, so that what ends one does not end the others; one that takes longer than -limit is ended, and counts
// as failed.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

var (
	weir  = flag.String("weir", "../../build/release/bin/weir", "the weir to test")
	goes  = flag.String("go", "go", "the Go toolchain whose standard library is run")
	n     = flag.Int("n", 1000, "schedules of each test, at most")
	limit = flag.Duration("limit", 5*time.Minute, "time for a process of weir")
	walk  = flag.String("for", "5s", "time for each test, at most")
	only  = flag.String("run", "", "only tests whose name matches")
	keep  = flag.String("keep", "", "keep the test binaries and schedule files in this folder")
)

var packages = []string{"sync", "context", "io", "net/http/httptest", "database/sql", "time", "os/signal", "testing",
	"sync/atomic", "bufio", "container/heap", "container/list", "container/ring", "errors", "sort", "log", "net/textproto",
	"net/url", "path/filepath", "strings", "text/template", "encoding/json"}

func fatal(what string, err error) {
	fmt.Fprintf(os.Stderr, "std-explore: %s: %v\n", what, err)
	os.Exit(2)
}

// A result is what `weir explore -json` says of one test.
type result struct {
	Test, Control, Why string
	Schedules          int
	Clamped            int
	Unconfirmed        int
	Unknown            []struct {
		Reason string
		Count  int `json:"schedules"`
	}
	Finding *struct {
		Outcome, Message, File string
		Found                  int `json:"found_in"`
	}
}

func testsOf(binary, folder string) []string {
	command := exec.Command(binary, "-test.list", ".")
	command.Dir = folder
	out, err := command.Output()
	if err != nil {
		fatal(binary, err)
	}
	var tests []string
	wanted := regexp.MustCompile(*only)
	for _, name := range strings.Fields(string(out)) {
		if strings.HasPrefix(name, "Test") && wanted.MatchString(name) {
			tests = append(tests, name)
		}
	}
	return tests
}

func explore(binary, folder, test, schedules string) (result, error) {
	ctx, cancel := context.WithTimeout(context.Background(), *limit)
	defer cancel()
	command := exec.CommandContext(ctx, *weir, "explore", "-json", "-strategy", "random", "-n", fmt.Sprint(*n), "-for", *walk,
		"-o", schedules, "-run", "^"+test+"$", binary)
	command.Dir = folder
	var complaint strings.Builder
	command.Stderr = &complaint
	out, err := command.Output()
	var document struct{ Tests []result }
	if json.Unmarshal(out, &document) == nil && len(document.Tests) == 1 {
		return document.Tests[0], nil
	}
	if ctx.Err() != nil {
		return result{}, errors.New("it took longer than " + limit.String())
	}
	return result{}, fmt.Errorf("%v %s", err, strings.TrimSpace(complaint.String()))
}

func main() {
	flag.Parse()
	var err error
	if *weir, err = filepath.Abs(*weir); err != nil {
		fatal("weir", err)
	}
	out, err := exec.Command(*goes, "env", "GOROOT").Output()
	if err != nil {
		fatal("go env GOROOT", err)
	}
	source := filepath.Join(strings.TrimSpace(string(out)), "src")
	to := *keep
	if to == "" {
		if to, err = os.MkdirTemp("", "weir-std"); err != nil {
			fatal("temporary folder", err)
		}
		defer os.RemoveAll(to)
	}
	if to, err = filepath.Abs(to); err != nil {
		fatal("folder", err)
	}
	if flag.NArg() > 0 {
		packages = flag.Args()
	}
	var notes []string
	fmt.Println("| package | tests | controlled | observed | not controlled | failed | schedules | runtime crashes | findings |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|")
	for _, name := range packages {
		folder := filepath.Join(source, name)
		schedules := filepath.Join(to, strings.ReplaceAll(name, "/", "-"))
		binary := schedules + ".test"
		build := exec.Command(*goes, "test", "-c", "-o", binary, ".")
		build.Dir = folder
		if text, err := build.CombinedOutput(); err != nil {
			fatal(string(text), err)
		}
		control := map[string]int{}
		tests, total, crashes, findings, failed := 0, 0, 0, 0, 0
		for _, test := range testsOf(binary, folder) {
			tests++
			r, err := explore(binary, folder, test, schedules)
			where := name + " " + test
			if err != nil {
				failed++
				notes = append(notes, where+": failed: "+err.Error())
				continue
			}
			control[r.Control]++
			total += r.Schedules
			crashed := strings.HasPrefix(r.Why, "crashed")
			for _, unknown := range r.Unknown {
				crashed = crashed || strings.HasPrefix(unknown.Reason, "crashed")
				notes = append(notes, fmt.Sprintf("%s: in %d schedules %s", where, unknown.Count, unknown.Reason))
			}
			if crashed {
				crashes++
			}
			if r.Control == "not controlled" {
				notes = append(notes, where+": not controlled: "+r.Why)
			}
			if r.Finding != nil {
				findings++
				notes = append(notes, fmt.Sprintf("%s: FOUND in schedule %d, %s, clamped %d: %s: %s", where, r.Finding.Found,
					r.Control, r.Clamped, r.Finding.Outcome, r.Finding.Message))
			}
		}
		fmt.Printf("| %s | %d | %d | %d | %d | %d | %d | %d | %d |\n", name, tests, control["controlled"],
			control["observed"], control["not controlled"], failed, total, crashes, findings)
	}
	fmt.Println()
	for _, note := range notes {
		fmt.Println(strings.ReplaceAll(note, "\n", " "))
	}
}
