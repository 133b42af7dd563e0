// Kernels-explore lets `weir explore` look for the bugs of the leak kernels that ship with the Go
// toolchain (src/runtime/testdata/testgoroutineleakprofile, Go ≥ 1.26), and prints, for each kernel,
// in which plain run it leaked first, in which of weir's schedules the leak was found, and how often
// what was found replays:
//
//	go run . -weir ../../build/release/bin/weir [-go GO] [-only REGEXP] [-n 1000] [-for 60s]
//
// The kernels are programs; weir explores tests. So they are copied to a temporary folder and get a
// test each. Two things are changed in the copies, for plain runs and for weir alike:
//
//   - the leak profile, which they print, would collect garbage: it is replaced by another one;
//   - many repeat themselves 50 to 10000 times to make a rare leak likely: one time is left, or two where the
//     rounds differ, since they use the loop's variable.
//
// A plain run is the test's body in a process that has done the ones before, with 2 processors, and leaks
// when the number of goroutines is not back within -settle. That is what goleak sees.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"time"
)

var (
	weir    = flag.String("weir", "../../build/release/bin/weir", "the weir to test")
	goes    = flag.String("go", "go", "the Go toolchain whose kernels are run, 1.26 or later")
	only    = flag.String("only", "", "only kernels whose name matches")
	n       = flag.Int("n", 1000, "schedules for each kernel, at most")
	limit   = flag.String("for", "60s", "time for each kernel, at most")
	plain   = flag.Int("plain", 1000, "plain runs of each kernel, at most; 0: none")
	settle  = flag.Duration("settle", 500*time.Millisecond, "how long goroutines may take to end in a plain run")
	replays = flag.Int("replays", 100, "replays of what was found")
	keep    = flag.String("keep", "", "keep the test binaries and schedule files in this folder")
)

const repetitions = 50 // a loop of at least so many rounds in a kernel's own function repeats the kernel

func fatal(what string, err error) {
	fmt.Fprintf(os.Stderr, "kernels-explore: %s: %v\n", what, err)
	os.Exit(2)
}

// uses tells whether the name occurs in the block.
func uses(block *ast.BlockStmt, name string) bool {
	found := false
	ast.Inspect(block, func(node ast.Node) bool {
		identifier, ok := node.(*ast.Ident)
		found = found || ok && identifier.Name == name
		return !found
	})
	return found
}

// once leaves one round of a loop that repeats the kernel, or two of one whose rounds differ.
func once(function *ast.FuncDecl) {
	for _, statement := range function.Body.List {
		loop, ok := statement.(*ast.ForStmt)
		if !ok {
			continue
		}
		condition, ok := loop.Cond.(*ast.BinaryExpr)
		if !ok || condition.Op != token.LSS && condition.Op != token.LEQ {
			continue
		}
		bound, ok := condition.Y.(*ast.BasicLit)
		if !ok {
			continue
		}
		if rounds, err := strconv.Atoi(bound.Value); err == nil && rounds >= repetitions {
			left := 1
			if variable, ok := condition.X.(*ast.Ident); ok && uses(loop.Body, variable.Name) {
				left = 2
			}
			if condition.Op == token.LEQ {
				left--
			}
			bound.Value = strconv.Itoa(left)
		}
	}
}

// copyKernels writes the changed sources of one folder, and gives the kernels' names.
func copyKernels(from, to string) []string {
	files, err := filepath.Glob(filepath.Join(from, "*.go"))
	if err != nil || len(files) == 0 {
		fatal("kernels in "+from, err)
	}
	registration := regexp.MustCompile(`register\("(\w+)", (\w+)\)`)
	var names []string
	for _, path := range files {
		text, err := os.ReadFile(path)
		if err != nil {
			fatal(path, err)
		}
		text = bytes.ReplaceAll(text, []byte(`pprof.Lookup("goroutineleak")`), []byte(`pprof.Lookup("threadcreate")`))
		kernels := map[string]bool{}
		for _, match := range registration.FindAllStringSubmatch(string(text), -1) {
			names = append(names, match[1])
			kernels[match[2]] = true
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, text, parser.ParseComments)
		if err != nil {
			fatal(path, err)
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && kernels[function.Name.Name] {
				once(function)
			}
		}
		var out bytes.Buffer
		if err := format.Node(&out, set, file); err != nil {
			fatal(path, err)
		}
		write(filepath.Join(to, filepath.Base(path)), out.String())
	}
	return names
}

func write(path, text string) {
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		fatal(path, err)
	}
}

const plainTest = `
// TestPlain runs the kernel PLAIN_KERNEL again and again, and prints the first run that leaks.
func TestPlain(t *testing.T) {
	name, limit := os.Getenv("PLAIN_KERNEL"), 0
	var settle time.Duration
	fmt.Sscan(os.Getenv("PLAIN_RUNS"), &limit)
	settle, _ = time.ParseDuration(os.Getenv("PLAIN_SETTLE"))
	for run := 1; run <= limit; run++ {
		before := runtime.NumGoroutine()
		done := make(chan bool)
		go func() { defer close(done); cmds[name]() }()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			fmt.Fprintln(os.Stderr, "PLAIN", run)
			return
		}
		for end := time.Now().Add(settle); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				fmt.Fprintln(os.Stderr, "PLAIN", run)
				return
			}
		}
		fmt.Fprintln(os.Stderr, "RUNS", run)
	}
}
`

// build makes a test binary of the kernels in one folder.
func build(root, part, to string) (string, []string) {
	folder := filepath.Join(to, filepath.Base(part))
	if err := os.MkdirAll(folder, 0o777); err != nil {
		fatal(folder, err)
	}
	names := copyKernels(filepath.Join(root, "src/runtime/testdata", part), folder)
	var test strings.Builder
	test.WriteString("package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n\t\"runtime\"\n\t\"testing\"\n\t\"time\"\n)\n")
	for _, name := range names {
		fmt.Fprintf(&test, "\nfunc Test%s(t *testing.T) { cmds[%q]() }\n", name, name)
	}
	test.WriteString(plainTest)
	write(filepath.Join(folder, "all_test.go"), test.String())
	write(filepath.Join(folder, "go.mod"), "module kernels\n\ngo 1.26\n")
	binary := filepath.Join(folder, "kernels.test")
	command := exec.Command(*goes, "test", "-c", "-vet=off", "-o", binary, ".")
	command.Dir = folder
	command.Env = append(os.Environ(), "GOTOOLCHAIN=local", "GOFLAGS=", "GOWORK=off")
	if out, err := command.CombinedOutput(); err != nil {
		fatal(string(out), err)
	}
	return binary, names
}

// A result is what `weir explore -json` says of one kernel.
type result struct {
	Test, Control, Why string
	Schedules          int
	Unknown            []struct{ Reason string }
	Unconfirmed        int
	Clamped            int
	Finding            *struct {
		Outcome, Message, Strategy, File string
		Found                            int `json:"found_in"`
	}
	seconds float64
}

func explore(binary, name, folder string) result {
	start := time.Now()
	out, err := exec.Command(*weir, "explore", "-json", "-n", fmt.Sprint(*n), "-for", *limit, "-o", folder,
		"-run", "^Test"+name+"$", binary).Output()
	var document struct{ Tests []result }
	if json.Unmarshal(out, &document) != nil || len(document.Tests) != 1 {
		return result{Control: "failed", Why: fmt.Sprint(err)}
	}
	document.Tests[0].seconds = time.Since(start).Seconds()
	return document.Tests[0]
}

func replay(binary string, r result) string {
	if r.Finding == nil {
		return ""
	}
	if err := exec.Command(*weir, "replay", "-n", fmt.Sprint(*replays), r.Finding.File, binary).Run(); err != nil {
		return "no"
	}
	return fmt.Sprintf("%d/%d", *replays, *replays)
}

// runPlain gives the first plain run that leaked, 0 if none did, and how many there were. What cannot go
// on in one process, since a run took it down, counts as a find.
func runPlain(binary, name string) (first, runs int) {
	command := exec.Command(binary, "-test.run=^TestPlain$", "-test.timeout=60s")
	command.Env = append(os.Environ(), "PLAIN_KERNEL="+name, fmt.Sprintf("PLAIN_RUNS=%d", *plain),
		"PLAIN_SETTLE="+settle.String(), "GOMAXPROCS=2")
	var output bytes.Buffer
	command.Stderr = &output
	err := command.Run()
	for _, line := range strings.Split(output.String(), "\n") {
		fmt.Sscanf(line, "RUNS %d", &runs)
		fmt.Sscanf(line, "PLAIN %d", &first)
	}
	// No find when it was the time that ended.
	if first == 0 && err != nil && !strings.Contains(output.String(), "test timed out") {
		first = runs + 1
	}
	return first, runs
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
	root := strings.TrimSpace(string(out))
	folder := *keep
	if folder == "" {
		if folder, err = os.MkdirTemp("", "weir-kernels"); err != nil {
			fatal("temporary folder", err)
		}
		defer os.RemoveAll(folder)
	}
	wanted := regexp.MustCompile(*only)
	fmt.Println("| kernel | plain: leaks in run | weir: outcome | in schedule | by | seconds, self-test and replays included | replayed |")
	fmt.Println("|---|---|---|---|---|---|---|")
	var plainFirsts, weirFirsts []int
	kernels := 0
	for _, part := range []string{"testgoroutineleakprofile", "testgoroutineleakprofile/goker"} {
		binary, names := build(root, part, folder)
		sort.Strings(names)
		for _, name := range names {
			if !wanted.MatchString(name) {
				continue
			}
			kernels++
			plainText := ""
			if *plain > 0 {
				first, runs := runPlain(binary, name)
				plainText = fmt.Sprintf("none in %d", runs)
				if first > 0 {
					plainText = fmt.Sprint(first)
					plainFirsts = append(plainFirsts, first)
				}
			}
			r := explore(binary, name, folder)
			if r.Finding == nil {
				why := r.Control
				if r.Why != "" {
					why += ": " + r.Why
				}
				fmt.Printf("| %s | %s | %s | none in %d | | %.1f | |\n", name, plainText, why, r.Schedules, r.seconds)
				continue
			}
			weirFirsts = append(weirFirsts, r.Finding.Found)
			fmt.Printf("| %s | %s | %s (%s) | %d | %s | %.1f | %s |\n", name, plainText, r.Finding.Outcome, r.Control,
				r.Finding.Found, r.Finding.Strategy, r.seconds, replay(binary, r))
		}
	}
	fmt.Printf("\n| found within | plain runs | weir's schedules |\n|---|---|---|\n")
	for _, most := range []int{1, 10, 100, 1000} {
		fmt.Printf("| %d | %d of %d | %d of %d |\n", most, within(plainFirsts, most), kernels, within(weirFirsts, most), kernels)
	}
}

func within(firsts []int, most int) (count int) {
	for _, first := range firsts {
		if first <= most {
			count++
		}
	}
	return count
}
