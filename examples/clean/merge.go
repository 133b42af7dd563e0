// Package clean has goroutines and channels too, and no leak: weir must have nothing to say.
package clean

import (
	"context"
	"sync"
)

// Merge sends all that the inputs give to the channel it returns, which it closes when the inputs
// are closed or ctx ends.
func Merge(ctx context.Context, inputs ...<-chan int) <-chan int {
	out := make(chan int)
	var wg sync.WaitGroup
	for _, in := range inputs {
		in := in
		wg.Add(1)
		go func() {
			defer wg.Done()
			for n := range in {
				select {
				case out <- n:
				case <-ctx.Done():
					return
				}
			}
		}()
	}
	go func() {
		wg.Wait()
		close(out)
	}()
	return out
}
