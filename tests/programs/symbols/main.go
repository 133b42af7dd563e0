// Prints what the runtime says about its own pcs: the oracle of weir's symbol table.
//
//	symbols START END STEP MAIN   link addresses in hex; MAIN is that of main.main
//
// For each pc whose frames differ from those of the pc before: "pc TAB entry TAB name|file:line|start
// TAB …", innermost first. Then "type ADDRESS NAME" lines and "ready"; ends when stdin does.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"strings"
	"unsafe"
)

//go:linkname expand runtime/pprof.runtime_expandFinalInlineFrame
func expand(stack []uintptr) []uintptr

type box[T any] struct{ v T }

func (b *box[T]) get() T { return b.v }

//go:noinline
func generic[T any](v T) T { return (&box[T]{v}).get() }

func number(s string) uintptr {
	n, err := strconv.ParseUint(s, 16, 64)
	if err != nil {
		panic(err)
	}
	return uintptr(n)
}

func frames(pc uintptr) (string, bool) {
	if runtime.FuncForPC(pc) == nil {
		return "", false
	}
	var out strings.Builder
	for _, p := range expand([]uintptr{pc + 1}) {
		f, _ := runtime.CallersFrames([]uintptr{p}).Next()
		fmt.Fprintf(&out, "\t%s|%s:%d|%d", f.Function, f.File, f.Line, startLine(&f))
	}
	return out.String(), true
}

func printType(w io.Writer, v any) {
	fmt.Fprintf(w, "type %x %s\n", *(*uintptr)(unsafe.Pointer(&v)), reflect.TypeOf(v))
}

func main() {
	start, end, step := number(os.Args[1]), number(os.Args[2]), number(os.Args[3])
	bias := reflect.ValueOf(main).Pointer() - number(os.Args[4])
	w := bufio.NewWriter(os.Stdout)
	last := ""
	for pc := start; pc < end; pc += step {
		if entry(pc+bias+1, bias) == pc+1 {
			continue // CallersFrames cannot be asked about a function's last byte
		}
		text, ok := frames(pc + bias)
		if !ok {
			text = "\tnone"
		}
		if text != last {
			fmt.Fprintf(w, "%x\t%x%s\n", pc, entry(pc+bias, bias), text)
			last = text
		}
	}
	printType(w, generic(1))
	printType(w, (*box[map[string]int])(nil))
	printType(w, struct{ A, b int }{})
	printType(w, []chan<- error{})
	printType(w, io.Reader.Read)
	fmt.Fprintf(w, "bias %x\nready\n", bias)
	w.Flush()
	io.Copy(io.Discard, os.Stdin)
}

func entry(pc, bias uintptr) uintptr {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Entry() - bias
	}
	return 0
}
