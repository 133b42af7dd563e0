package parallel

import "testing"

func leak(n int) {
	for i := 0; i < n; i++ {
		go func() { select {} }()
	}
}

func TestOne(t *testing.T) {
	t.Parallel()
	leak(1)
}

func TestThree(t *testing.T) {
	t.Parallel()
	leak(3)
}

func TestNone(t *testing.T) {
	t.Parallel()
}
