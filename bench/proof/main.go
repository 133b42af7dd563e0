// Proof measures `weir why -proof` of programs with large heaps and many goroutines: how long the program stands
// still, how long the whole command takes, and weir's own memory, beside the runtime's search of Go 1.27 (the
// goroutineleak profile) in the same process. Figures are the least and the median of all rounds.
//
//	/usr/lib/go-1.27/bin/go -C bench/proof run . [-weir FILE] [-rounds 5] [-only 100MB,1GB,4GB] [-bars]
//
// The bars are those of an idle machine with two cores; with -bars the exit code is 1 when the least of one is
// above. Memory is held against what a proof has to look at: the parts of the heap that may hold pointers.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var (
	weir    = flag.String("weir", "../../build/release/bin/weir", "the weir to measure")
	rounds  = flag.Int("rounds", 5, "looks at each program")
	only    = flag.String("only", "", "these sizes only")
	bars    = flag.Bool("bars", false, "exit with 1 when a bar is missed")
	heap    = flag.Int("heap", 0, "be the program with this many bytes of heap")
	waiting = flag.Int("goroutines", 0, "and this many goroutines")
)

// A size is one program, and the bars for it.
type size struct {
	name              string
	bytes, goroutines int
	stop, total       time.Duration
}

var sizes = []size{
	{"100MB", 100 << 20, 10_000, 5 * time.Millisecond, 200 * time.Millisecond},
	{"1GB", 1 << 30, 100_000, 35 * time.Millisecond, time.Second},
	{"4GB", 4 << 30, 100_000, 110 * time.Millisecond, 6 * time.Second},
}

const memoryBar = 1.2 // weir's memory by what it scans

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "proof:", err)
		os.Exit(2)
	}
}

// A target is the program that is looked at.
type target struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
}

func start(s size) *target {
	self, err := os.Executable()
	check(err)
	t := &target{command: exec.Command(self, "-heap", fmt.Sprint(s.bytes), "-goroutines", fmt.Sprint(s.goroutines))}
	t.command.Stderr = os.Stderr
	t.in, err = t.command.StdinPipe()
	check(err)
	out, err := t.command.StdoutPipe()
	check(err)
	check(t.command.Start())
	t.out = bufio.NewScanner(out)
	t.line()
	return t
}

func (t *target) line() string {
	if !t.out.Scan() {
		check(fmt.Errorf("the program ended: %v", t.command.Wait()))
	}
	return t.out.Text()
}

func (t *target) end() {
	check(t.in.Close())
	check(t.command.Wait())
}

// Resident memory in bytes.
func (t *target) resident() float64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", t.command.Process.Pid))
	check(err)
	pages, err := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
	check(err)
	return pages * float64(os.Getpagesize())
}

type report struct {
	Proof struct {
		Refused    string
		StoppedNS  float64 `json:"stopped_ns"`
		Scanned    float64 `json:"scanned_bytes"`
		Goroutines []struct{ Verdict string }
	}
}

type series map[string][]float64

func (s series) add(name string, value float64) { s[name] = append(s[name], value) }

func (s series) least(name string) float64 {
	sort.Float64s(s[name])
	return s[name][0]
}

func (s series) median(name string) float64 {
	sort.Float64s(s[name])
	return s[name][(len(s[name])-1)/2]
}

func (s series) say(name string, unit float64, digits int) string {
	if len(s[name]) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.*f (%.*f)", digits, s.least(name)/unit, digits, s.median(name)/unit)
}

func (s series) look(t *target, goroutines int) {
	command := exec.Command(*weir, "why", "-proof", "-json", "-max-stop", "60s", "-max-mem", "16384",
		fmt.Sprint(t.command.Process.Pid))
	var said bytes.Buffer
	command.Stderr = &said
	begin := time.Now()
	text, err := command.Output() // exit code 1: it found leaks
	took := time.Since(begin)
	var r report
	if json.Unmarshal(text, &r) != nil {
		check(fmt.Errorf("weir: %v: %s", err, said.String()))
	}
	if r.Proof.Refused != "" {
		check(fmt.Errorf("nothing is proved, because %s", r.Proof.Refused))
	}
	proved := 0
	for _, one := range r.Proof.Goroutines {
		if one.Verdict == "proved" {
			proved++
		}
	}
	if proved > goroutines/2 {
		check(fmt.Errorf("%d of %d proved: some are false", proved, goroutines/2))
	}
	usage := command.ProcessState.SysUsage().(*syscall.Rusage)
	s.add("stop", r.Proof.StoppedNS)
	s.add("total", float64(took))
	s.add("cpu", float64(command.ProcessState.UserTime()+command.ProcessState.SystemTime()))
	s.add("memory", float64(usage.Maxrss)*1024)
	s.add("scanned", r.Proof.Scanned)
	s.add("proved", float64(proved)/float64(goroutines/2))
}

func (s series) askRuntime(t *target) {
	_, err := fmt.Fprintln(t.in)
	check(err)
	var took, pause, found float64
	if _, err := fmt.Sscan(t.line(), &took, &pause, &found); err == nil {
		s.add("own", took)
		s.add("pause", pause)
	}
}

// Prints a row; whether all bars were met.
func measure(s size) bool {
	t := start(s)
	defer t.end()
	figures := series{}
	for i := 0; i < *rounds; i++ {
		figures.look(t, s.goroutines)
		figures.askRuntime(t)
	}
	share := figures.least("memory") / figures.least("scanned")
	fmt.Printf("| %s, %d goroutines, %.2f GB resident | %s | %s | %s | %.0f of %.0f MB (%.2f) | %s | %s | %.1f %% |\n",
		s.name, s.goroutines, t.resident()/(1<<30), figures.say("stop", 1e6, 1), figures.say("total", 1e9, 2),
		figures.say("cpu", 1e9, 2), figures.least("memory")/(1<<20), figures.least("scanned")/(1<<20), share,
		figures.say("own", 1e9, 2), figures.say("pause", 1e6, 1), 100*figures.least("proved"))
	return figures.least("stop") <= float64(s.stop) && figures.least("total") <= float64(s.total) && share <= memoryBar
}

func main() {
	flag.Parse()
	if *heap > 0 {
		hold(*heap, *waiting)
		return
	}
	load, err := os.ReadFile("/proc/loadavg")
	check(err)
	fmt.Printf("%s, %d cores, load %s, %d rounds: least (median)\n\n", runtime.Version(), runtime.NumCPU(),
		strings.Fields(string(load))[0], *rounds)
	fmt.Println("| heap | stop, ms | total, s | CPU, s | weir's memory by scanned | runtime's own, s | its pause, ms | proved |")
	fmt.Println("|---|---|---|---|---|---|---|---|")
	met := true
	for _, s := range sizes {
		if *only == "" || strings.Contains(","+*only+",", ","+s.name+",") {
			met = measure(s) && met
		}
	}
	if *bars && !met {
		fmt.Println("\nnot all bars were met")
		os.Exit(1)
	}
}
