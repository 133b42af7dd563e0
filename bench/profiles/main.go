// Profiles makes profiles of any size, and measures the programs that read them.
//
//	profiles make [-samples N] [-functions N] [-depth N] [-kind cpu|heap] [-seed N] FILE
//	profiles measure [-until URL] PROGRAM [ARGS…]
//
// The stacks are random: almost none is there twice, which is the hard case for a reader. Of two
// seeds the functions are the same and the stacks are not.
//
// measure prints "CPU-SECONDS WALL-SECONDS PEAK-MB BYTES": the program's own, with what it wrote to
// standard output. With -until it is a server: it ends when URL has been answered, and the answer is
// what counts.
package main

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

type message struct{ bytes.Buffer }

func (m *message) varint(v uint64) {
	var b [binary.MaxVarintLen64]byte
	m.Write(b[:binary.PutUvarint(b[:], v)])
}
func (m *message) number(field int, v int64) {
	if v != 0 {
		m.varint(uint64(field) << 3)
		m.varint(uint64(v))
	}
}
func (m *message) raw(field int, b []byte) {
	m.varint(uint64(field)<<3 | 2)
	m.varint(uint64(len(b)))
	m.Write(b)
}

type table struct {
	ids   map[string]int64
	names []string
}

func (t *table) id(s string) int64 {
	if _, ok := t.ids[s]; !ok {
		t.ids[s] = int64(len(t.names))
		t.names = append(t.names, s)
	}
	return t.ids[s]
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiles:", err)
		os.Exit(1)
	}
}

func valueType(out *message, field int, t *table, name, unit string) {
	var m message
	m.number(1, t.id(name))
	m.number(2, t.id(unit))
	out.raw(field, m.Bytes())
}

func makeProfile(args []string) {
	flags := flag.NewFlagSet("make", flag.ExitOnError)
	samples := flags.Int("samples", 100000, "")
	functions := flags.Int("functions", 20000, "")
	depth := flags.Int("depth", 40, "mean depth of a stack")
	kind := flags.String("kind", "cpu", "")
	seed := flags.Int64("seed", 1, "")
	check(flags.Parse(args))
	file, err := os.Create(flags.Arg(0))
	check(err)
	zip, err := gzip.NewWriterLevel(file, gzip.BestSpeed)
	check(err)
	t := &table{ids: map[string]int64{}}
	t.id("")
	var out message
	flush := func() {
		_, err := out.WriteTo(zip)
		check(err)
	}
	if *kind == "heap" {
		for _, v := range []string{"alloc_objects", "alloc_space", "inuse_objects", "inuse_space"} {
			unit := "count"
			if strings.HasSuffix(v, "space") {
				unit = "bytes"
			}
			valueType(&out, 1, t, v, unit)
		}
	} else {
		valueType(&out, 1, t, "samples", "count")
		valueType(&out, 1, t, "cpu", "nanoseconds")
	}
	random := rand.New(rand.NewSource(*seed))
	for i := 0; i < *samples; i++ {
		var sample, ids, values message
		for d := *depth/2 + random.Intn(*depth); d > 0; d-- {
			ids.varint(uint64(1 + random.Intn(*functions)))
		}
		sample.raw(1, ids.Bytes())
		n := int64(1 + random.Intn(9))
		if *kind == "heap" {
			for _, v := range []int64{n, n * 512, n / 2, n / 2 * 512} {
				values.varint(uint64(v))
			}
		} else {
			values.varint(uint64(n))
			values.varint(uint64(n * 10e6))
		}
		sample.raw(2, values.Bytes())
		var label message
		if *kind == "heap" {
			label.number(1, t.id("bytes"))
			label.number(3, 512)
			label.number(4, t.id("bytes"))
		} else {
			label.number(1, t.id("handler"))
			label.number(2, t.id(fmt.Sprintf("/api/v1/endpoint%d", i%50)))
		}
		sample.raw(3, label.Bytes())
		out.raw(2, sample.Bytes())
		if out.Len() > 1<<20 {
			flush()
		}
	}
	var mapping message
	mapping.number(1, 1)
	mapping.number(2, 0x400000)
	mapping.number(3, 0x4000000)
	mapping.number(5, t.id("/usr/bin/service"))
	mapping.number(7, 1)
	mapping.number(8, 1)
	mapping.number(9, 1)
	mapping.number(10, 1)
	out.raw(3, mapping.Bytes())
	for i := 1; i <= *functions; i++ {
		var line, location, function message
		line.number(1, int64(i))
		line.number(2, int64(10+i%900))
		location.number(1, int64(i))
		location.number(2, 1)
		location.number(3, int64(0x400000+i*64))
		location.raw(4, line.Bytes())
		out.raw(4, location.Bytes())
		name := t.id(fmt.Sprintf("example.com/service/part%d.(*Server).call%d", i%200, i))
		function.number(1, int64(i))
		function.number(2, name)
		function.number(3, name)
		function.number(4, t.id(fmt.Sprintf("/src/example.com/service/part%d/server.go", i%200)))
		out.raw(5, function.Bytes())
	}
	period := t.id("cpu")
	var periodType message
	periodType.number(1, period)
	periodType.number(2, t.id("nanoseconds"))
	for _, name := range t.names {
		out.raw(6, []byte(name))
	}
	out.number(9, 1700000000e9)
	out.number(10, 30e9)
	out.raw(11, periodType.Bytes())
	out.number(12, 10e6)
	flush()
	check(zip.Close())
	check(file.Close())
}

type counter int64

func (c *counter) Write(b []byte) (int, error) { *c += counter(len(b)); return len(b), nil }

func measure(args []string) {
	flags := flag.NewFlagSet("measure", flag.ExitOnError)
	until := flags.String("until", "", "")
	check(flags.Parse(args))
	var size counter
	command := exec.Command(flags.Arg(0), flags.Args()[1:]...)
	command.Stdout = &size
	var words bytes.Buffer
	command.Stderr = &words
	began := time.Now()
	check(command.Start())
	if *until != "" {
		for {
			answer, err := http.Get(*until)
			if err != nil {
				time.Sleep(5 * time.Millisecond)
				continue
			}
			_, err = io.Copy(&size, answer.Body)
			check(err)
			break
		}
		check(command.Process.Signal(syscall.SIGTERM)) // SIGINT may be ignored in the background
	}
	if err := command.Wait(); err != nil && *until == "" {
		fmt.Fprintln(os.Stderr, "profiles:", command, err, words.String())
		os.Exit(1)
	}
	usage := command.ProcessState.SysUsage().(*syscall.Rusage)
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	fmt.Printf("%.4f %.4f %.1f %d\n", seconds(usage.Utime)+seconds(usage.Stime),
		time.Since(began).Seconds(), float64(usage.Maxrss)/1024, int64(size))
}

func main() {
	if len(os.Args) > 2 && os.Args[1] == "make" {
		makeProfile(os.Args[2:])
	} else if len(os.Args) > 2 && os.Args[1] == "measure" {
		measure(os.Args[2:])
	} else {
		fmt.Fprintln(os.Stderr, "usage: profiles make [flags] FILE | profiles measure PROGRAM [ARGS…]")
		os.Exit(2)
	}
}
