// Inputs and peers of bench/dumps.
//
//	dumps make N >FILE     a goroutine dump (debug=2, Go 1.27) of N goroutines in 50 call chains
//	dumps regexp FILE      groups it with regular expressions, a line at a time, as most scripts do
//	dumps careful FILE     groups it as a careful Go program does: no regexp, no copies, one hash
//
//	dumps run SECONDS OUT COMMAND…   runs it for so long at most, its output into OUT; prints elapsed
//	                                 and CPU seconds and the peak of its memory in MiB
//
// Both peers group by state, functions and lines, which are the groups of `weir top` here, and print
// the number of goroutines and groups and the five largest.
package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

var states = []string{"chan receive", "select", "chan send", "sync.Mutex.Lock", "IO wait", "sync.WaitGroup.Wait", "sleep"}

var packages = []string{"example.com/shop/internal/orders", "example.com/shop/internal/stock", "google.golang.org/grpc",
	"net/http", "database/sql", "example.com/shop/pkg/queue", "github.com/segmentio/kafka-go"}

// chain is the text of one call chain below its header, of 8 to 25 frames.
func chain(number int) string {
	var text strings.Builder
	depth := 8 + number*7%18
	for frame := 0; frame < depth; frame++ {
		name := packages[(number+frame)%len(packages)]
		last := name[strings.LastIndex(name, "/")+1:]
		fmt.Fprintf(&text, "%s.(*Handler%d).step%d(0xc%09x, {0x%x, 0x%x}, 0x%x)\n", name, number%9, frame,
			number*4096+frame*64, number, frame, number+frame)
		fmt.Fprintf(&text, "\t/src/%s/%s_%d.go:%d +0x%x\n", name, last, frame%5, 20+number*3+frame, 16+frame*8)
	}
	fmt.Fprintf(&text, "created by %s.Start in goroutine %d\n\t/src/%s/start.go:%d +0x5a\n\n",
		packages[number%len(packages)], 1+number, packages[number%len(packages)], 10+number)
	return text.String()
}

func generate(count int) {
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	defer out.Flush()
	chains := make([]string, 50)
	for i := range chains {
		chains[i] = chain(i)
	}
	for g := 1; g <= count; g++ {
		number := g * 31 % 50
		state := states[(number+g/50%2)%len(states)] // a chain waits in one of two states
		out.WriteString("goroutine ")
		out.WriteString(strconv.Itoa(g))
		out.WriteString(" [")
		out.WriteString(state)
		if minutes := g % 97; minutes > 0 {
			fmt.Fprintf(out, ", %d minutes", minutes)
		}
		out.WriteString("]:\n")
		out.WriteString(chains[number])
	}
}

type group struct {
	state, stack string
	count        int
	minutes      int
}

func (g *group) add(minutes int) {
	g.count++
	g.minutes = max(g.minutes, minutes)
}

func report(groups []*group) {
	sort.Slice(groups, func(i, j int) bool { return groups[i].count > groups[j].count })
	total := 0
	for _, one := range groups {
		total += one.count
	}
	fmt.Println(total, "goroutines in", len(groups), "groups")
	for _, one := range groups[:min(5, len(groups))] {
		fmt.Println(one.count, one.state, one.minutes, "minutes:", strings.SplitN(one.stack, "\n", 2)[0])
	}
}

var (
	headerLine = regexp.MustCompile(`^goroutine (\d+) \[([^,\]]+)(?:, (\d+) minutes)?[^\]]*\]:$`)
	callLine   = regexp.MustCompile(`^(.+)\((.*)\)$`)
	placeLine  = regexp.MustCompile(`^\t(.+):(\d+)(?: \+0x([0-9a-f]+))?$`)
	madeLine   = regexp.MustCompile(`^created by (.+?)(?: in goroutine (\d+))?$`)
)

func withRegexp(input io.Reader) {
	byKey := map[string]*group{}
	var state string
	var minutes int
	var stack []string
	end := func() {
		if state == "" {
			return
		}
		key := state + "\n" + strings.Join(stack, "\n")
		one := byKey[key]
		if one == nil {
			one = &group{state: state, stack: strings.Join(stack, "\n")}
			byKey[key] = one
		}
		one.add(minutes)
		state, stack = "", stack[:0]
	}
	lines := bufio.NewScanner(input)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if match := headerLine.FindStringSubmatch(line); match != nil {
			end()
			state = match[2]
			minutes, _ = strconv.Atoi(match[3])
		} else if match := placeLine.FindStringSubmatch(line); match != nil {
			stack = append(stack, match[1]+":"+match[2])
		} else if match := madeLine.FindStringSubmatch(line); match != nil {
			stack = append(stack, "created by "+match[1])
		} else if match := callLine.FindStringSubmatch(line); match != nil {
			stack = append(stack, match[1])
		}
	}
	end()
	groups := make([]*group, 0, len(byKey))
	for _, one := range byKey {
		groups = append(groups, one)
	}
	report(groups)
}

const (
	offset64 = 14695981039346656037
	prime64  = 1099511628211
)

// hash is FNV-1a over eight bytes at a time, which no library has.
func hash(sum uint64, text []byte) uint64 {
	for len(text) >= 8 {
		word := uint64(text[0]) | uint64(text[1])<<8 | uint64(text[2])<<16 | uint64(text[3])<<24 |
			uint64(text[4])<<32 | uint64(text[5])<<40 | uint64(text[6])<<48 | uint64(text[7])<<56
		sum = (sum ^ word) * prime64
		sum ^= sum >> 29
		text = text[8:]
	}
	for _, one := range text {
		sum = (sum ^ uint64(one)) * prime64
	}
	return (sum ^ uint64(len(text))) * prime64
}

type current struct {
	open    bool
	state   []byte
	minutes int
	sum     uint64
	first   []byte
}

func (c *current) header(line []byte) bool {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok || !bytes.HasSuffix(rest, []byte("]:")) {
		return false
	}
	_, rest, ok = bytes.Cut(rest[:len(rest)-2], []byte(" ["))
	if !ok {
		return false
	}
	state, rest, _ := bytes.Cut(rest, []byte(", "))
	c.open, c.minutes = true, 0
	c.state = append(c.state[:0], state...)
	c.first = c.first[:0]
	if number, ok := bytes.CutSuffix(rest, []byte(" minutes")); ok {
		for _, digit := range number {
			c.minutes = c.minutes*10 + int(digit-'0')
		}
	}
	c.sum = hash(offset64, c.state)
	return true
}

func (c *current) line(line []byte) {
	switch {
	case len(line) == 0:
	case line[0] == '\t':
		if at := bytes.LastIndex(line, []byte(" +0x")); at > 0 {
			line = line[:at]
		}
		c.sum = hash(c.sum, line)
	case bytes.HasPrefix(line, []byte("created by ")):
		if at := bytes.LastIndex(line, []byte(" in goroutine ")); at > 0 {
			line = line[:at]
		}
		c.sum = hash(c.sum, line)
	default:
		if at := bytes.LastIndexByte(line, '('); at > 0 {
			line = line[:at]
		}
		if len(c.first) == 0 {
			c.first = append(c.first, line...)
		}
		c.sum = hash(c.sum, line)
	}
}

func careful(input io.Reader) {
	bySum := map[uint64]*group{}
	var now current
	end := func() {
		if !now.open {
			return
		}
		one := bySum[now.sum]
		if one == nil {
			one = &group{state: string(now.state), stack: string(now.first)}
			bySum[now.sum] = one
		}
		one.add(now.minutes)
		now.open = false
	}
	lines := bufio.NewReaderSize(input, 256<<10)
	for {
		line, err := lines.ReadSlice('\n')
		line = bytes.TrimSuffix(line, []byte("\n"))
		if len(line) > 0 && line[0] == 'g' && bytes.HasPrefix(line, []byte("goroutine ")) {
			end()
			now.header(line)
		} else if now.open {
			now.line(line)
		}
		if err != nil {
			break
		}
	}
	end()
	groups := make([]*group, 0, len(bySum))
	for _, one := range bySum {
		groups = append(groups, one)
	}
	report(groups)
}

// run measures a command. Its peak memory is never below this program's own at the fork, 5 MiB or so.
func run(seconds, out string, words []string) error {
	limit, err := time.ParseDuration(seconds + "s")
	if err != nil {
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer file.Close()
	context, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	command := exec.CommandContext(context, words[0], words[1:]...)
	command.Stdout, command.Stderr = file, os.Stderr
	begun := time.Now()
	if err := command.Run(); err != nil {
		return err
	}
	usage := command.ProcessState.SysUsage().(*syscall.Rusage)
	cpu := command.ProcessState.UserTime() + command.ProcessState.SystemTime()
	fmt.Printf("%.3f %.3f %.1f\n", time.Since(begun).Seconds(), cpu.Seconds(), float64(usage.Maxrss)/1024)
	return nil
}

func main() {
	usage := func() {
		fmt.Fprintln(os.Stderr, "usage: dumps make N | regexp FILE | careful FILE | run SECONDS OUT COMMAND…")
		os.Exit(2)
	}
	if len(os.Args) > 4 && os.Args[1] == "run" {
		if err := run(os.Args[2], os.Args[3], os.Args[4:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) != 3 {
		usage()
	}
	if os.Args[1] == "make" {
		count, err := strconv.Atoi(os.Args[2])
		if err != nil {
			usage()
		}
		generate(count)
		return
	}
	file, err := os.Open(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	switch os.Args[1] {
	case "regexp":
		withRegexp(file)
	case "careful":
		careful(file)
	default:
		usage()
	}
}
