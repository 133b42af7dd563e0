package passes

import (
	"flag"
	"fmt"
	"testing"
)

func covered() int { return 1 }

// TestFlags prints what of go test's flags has reached the program.
func TestFlags(t *testing.T) {
	for _, name := range []string{"run", "count", "parallel", "timeout", "short"} {
		fmt.Printf("flag %s=%s\n", name, flag.Lookup("test."+name).Value)
	}
}

func TestCovers(t *testing.T) {
	if covered() != 1 || double(2) != 4 {
		t.Fail()
	}
}

func BenchmarkNothing(b *testing.B) {
	for i := 0; i < b.N; i++ {
		covered()
	}
}
