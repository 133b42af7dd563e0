// Proof-recall counts how many of the leaked goroutines of tests/programs/leakcases `weir why -proof` proves, and
// whether it ever calls one leaked that is not, beside Go's own goroutineleak profile in the same process, where
// there is one.
//
//	tools/go-matrix --list >versions
//	go -C bench/proof-recall run . [-weir FILE] [-runs 20] [-cgo] [-only 1.22,1.27] <versions
//
// Of the input the lines "VERSION GOROOT" count.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
)

var (
	weir = flag.String("weir", "../../build/release/bin/weir", "the weir to try")
	runs = flag.Int("runs", 20, "runs of each version")
	cgo  = flag.Bool("cgo", false, "build with cgo")
	only = flag.String("only", "", "these Go versions only")
)

type report struct {
	Goroutines []struct {
		ID      uint64
		Created struct{ Function string }
	}
	Proof struct {
		Refused    string
		Goroutines []struct {
			Goroutine uint64
			Verdict   string
			Path      []string
		}
	}
}

// A tally is of all runs of one version.
type tally struct {
	leaked, proved, wrong int // by weir
	has                   bool
	found, foundWrong     int // by the built-in profile
	perfect, refused      int // runs
	missed, builtinMissed map[string]int
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof-recall:", err)
		os.Exit(1)
	}
}

func build(folder, root, minor string) string {
	program := filepath.Join(folder, "leakcases-"+minor)
	command := exec.Command(filepath.Join(root, "bin/go"), "build", "-o", program, "./leakcases")
	command.Dir = "../../tests/programs"
	enabled := "CGO_ENABLED=0"
	if *cgo {
		enabled = "CGO_ENABLED=1"
	}
	command.Env = append(os.Environ(), "GOTOOLCHAIN=local", enabled)
	out, err := command.CombinedOutput()
	if err != nil {
		check(fmt.Errorf("%v: %s", err, out))
	}
	return program
}

var creator = regexp.MustCompile(`(?m)^created by (main\.\S+)`)

// Goroutines that Go's own profile calls leaked, by the function that started them.
func builtin(text string, t *tally) map[string]int {
	found := map[string]int{}
	for _, one := range strings.Split(text, "\n\n") {
		header, _, _ := strings.Cut(one, "\n")
		if !strings.Contains(header, "(leaked)") {
			continue
		}
		t.has = true
		name := "main.main"
		if match := creator.FindStringSubmatch(one); match != nil {
			name = match[1]
		}
		found[name]++
		if strings.HasPrefix(name, "main.leaked.") {
			t.found++
		} else {
			t.foundWrong++
			fmt.Fprintln(os.Stderr, "the built-in profile calls", name, "leaked")
		}
	}
	return found
}

func (t *tally) take(r report) map[string]int {
	created := map[uint64]string{}
	for _, g := range r.Goroutines {
		created[g.ID] = g.Created.Function
	}
	all := map[string]int{}
	missed := 0
	for _, g := range r.Proof.Goroutines {
		name := created[g.Goroutine]
		leaked, proved := strings.HasPrefix(name, "main.leaked."), g.Verdict == "proved"
		if leaked {
			t.leaked++
			all[name]++
		}
		switch {
		case leaked && proved:
			t.proved++
		case leaked:
			missed++
			root := g.Verdict
			if len(g.Path) > 0 {
				root = regexp.MustCompile(`0x[0-9a-f]+|[0-9]{2,}|/\S*/`).ReplaceAllString(g.Path[0], "…")
			}
			t.missed[name+" by "+root]++
		case proved:
			t.wrong++
			fmt.Fprintln(os.Stderr, "FALSE:", name)
		}
	}
	if missed == 0 {
		t.perfect++
	}
	return all
}

func (t *tally) run(program string) {
	child := exec.Command(program, "-profile")
	in, err := child.StdinPipe()
	check(err)
	pipe, err := child.StdoutPipe()
	check(err)
	check(child.Start())
	out := bufio.NewReader(pipe)
	for line := ""; line != "ready\n"; {
		line, err = out.ReadString('\n')
		check(err)
	}
	// Exit code 1: it found leaks.
	text, err := exec.Command(*weir, "why", "-proof", "-json", "-max-stop", "10s", fmt.Sprint(child.Process.Pid)).Output()
	var r report
	if json.Unmarshal(text, &r) != nil {
		check(fmt.Errorf("weir: %v: %s", err, text))
	}
	if r.Proof.Refused != "" {
		t.refused++
		fmt.Fprintln(os.Stderr, "refused:", r.Proof.Refused)
	}
	all := t.take(r)
	fmt.Fprintln(in)
	rest, err := io.ReadAll(out)
	check(err)
	check(child.Wait())
	had := t.has
	found := builtin(string(rest), t)
	if !t.has && !had {
		return
	}
	for name, count := range all {
		if found[name] < count {
			t.builtinMissed[name] += count - found[name]
		}
	}
}

func list(counts map[string]int) string {
	var words []string
	for name, count := range counts {
		words = append(words, fmt.Sprintf("%d× %s", count, strings.TrimPrefix(name, "main.leaked.")))
	}
	sort.Strings(words)
	return strings.Join(words, ", ")
}

func main() {
	flag.Parse()
	path, err := filepath.Abs(*weir)
	check(err)
	*weir = path
	folder, err := os.MkdirTemp("", "proof-recall")
	check(err)
	defer os.RemoveAll(folder)
	fmt.Println("| Go | leaked | proved | recall | runs with all | false | built-in: found | false | weir missed | built-in missed |")
	fmt.Println("|---|---|---|---|---|---|---|---|---|---|")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) != 2 || !filepath.IsAbs(words[1]) {
			continue
		}
		minor := strings.Join(strings.Split(words[0], ".")[:2], ".")
		if *only != "" && !strings.Contains(","+*only+",", ","+minor+",") {
			continue
		}
		program := build(folder, words[1], minor)
		t := tally{missed: map[string]int{}, builtinMissed: map[string]int{}}
		for i := 0; i < *runs; i++ {
			t.run(program)
		}
		own, ownWrong := "none", ""
		if t.has {
			own, ownWrong = fmt.Sprint(t.found), fmt.Sprint(t.foundWrong)
		}
		fmt.Printf("| %s | %d | %d | %.2f %% | %d of %d | %d | %s | %s | %s | %s |\n", words[0], t.leaked, t.proved,
			100*float64(t.proved)/float64(t.leaked), t.perfect, *runs-t.refused, t.wrong, own, ownWrong,
			list(t.missed), list(t.builtinMissed))
	}
}
