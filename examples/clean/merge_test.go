package clean

import (
	"context"
	"testing"
)

func numbers(n int) <-chan int {
	c := make(chan int, n)
	for i := 1; i <= n; i++ {
		c <- i
	}
	close(c)
	return c
}

func TestMergeGivesAll(t *testing.T) {
	t.Parallel()
	sum := 0
	for n := range Merge(context.Background(), numbers(3), numbers(4)) {
		sum += n
	}
	if sum != 16 {
		t.Fatalf("sum %d", sum)
	}
}

func TestMergeStopsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	out := Merge(ctx, numbers(100))
	<-out
	cancel()
	for range out {
	}
}
