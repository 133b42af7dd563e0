package attrparallel

import (
	"fmt"
	"testing"
)

//go:noinline
func worker(never chan int) { <-never }

func TestTable(t *testing.T) {
	for n := 1; n <= 3; n++ {
		n := n
		t.Run(fmt.Sprintf("case%d", n), func(t *testing.T) {
			t.Parallel()
			for i := 0; i < n; i++ {
				go worker(make(chan int))
			}
		})
	}
}
