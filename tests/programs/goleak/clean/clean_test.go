package clean

import "testing"

func TestNothing(t *testing.T) {}

func BenchmarkNothing(b *testing.B) {}

func Example() {
	// Output:
}
