//go:build cgo

package main

/*
#include <time.h>

extern long weirBack(long);

static long down_and_up(long n) {
  struct timespec pause = {0, 200000};
  nanosleep(&pause, 0);
  return weirBack(n) + 1;
}
*/
import "C"

func init() {
	extra = append(extra, func() {
		n := 0
		repeat("cgo", func(w *work) {
			w.begin()
			n++
			if got := int(C.down_and_up(C.long(n))); got != n+2 {
				lost("C gave %d for %d", got, n)
			}
			w.finish()
		})
	})
}

//export weirBack
func weirBack(n C.long) C.long { return n + 1 }
