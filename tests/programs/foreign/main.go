// Foreign dies within C code, for the texts of tests/golden/dump: with a traceback of C frames, with
// and without names for them (runtime.SetCgoTraceback), in C that Go has called ("fault", "named") and
// in Go that such C has called back ("callback").
package main

/*
#cgo CFLAGS: -D_GNU_SOURCE
#include <stdint.h>
#include <ucontext.h>

extern void weirCalledBack(void);

struct traceback { uintptr_t context, signal_context, *buf, max; };
struct context { uintptr_t context; };
struct symbol { uintptr_t pc; const char *file; uintptr_t line; const char *func; uintptr_t entry, more, data; };

static volatile int *nowhere;
static void fault(void) { *nowhere = 1; }
static void call_back(void) { weirCalledBack(); }

// Not an unwinder: the pc of a signal, else that of call_back, and a second frame.
static void find_frames(struct traceback *arg) {
	uintptr_t pc = (uintptr_t)call_back + 1;
	if (arg->signal_context != 0)
		pc = (uintptr_t)((ucontext_t *)arg->signal_context)->uc_mcontext.gregs[REG_RIP];
	if (arg->max < 3) return;
	arg->buf[0] = pc;
	arg->buf[1] = (uintptr_t)find_frames + 1;
	arg->buf[2] = 0;
}
static void note_context(struct context *arg) { if (arg->context == 0) arg->context = 1; }
static void name_frame(struct symbol *arg) {
	if (arg->pc == (uintptr_t)find_frames + 1) return; // nobody knows that one
	arg->file = "/src/my lib/foreign.c";
	arg->line = 17;
	arg->func = "ns::Widget::wait(int, char const*)";
}

static void *frames_function(void) { return find_frames; }
static void *context_function(void) { return note_context; }
static void *name_function(void) { return name_frame; }
*/
import "C"

import (
	"os"
	"runtime"
)

//export weirCalledBack
func weirCalledBack() { panic("called back") }

func main() {
	switch os.Args[1] {
	case "fault":
		runtime.SetCgoTraceback(0, C.frames_function(), nil, nil)
		C.fault()
	case "named":
		runtime.SetCgoTraceback(0, C.frames_function(), nil, C.name_function())
		C.fault()
	case "callback":
		runtime.SetCgoTraceback(0, C.frames_function(), C.context_function(), C.name_function())
		C.call_back()
	}
}
