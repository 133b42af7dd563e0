package rangenoclose

import "testing"

func TestSum(t *testing.T) {
	if got := Sum([]int{1, 2, 3}, 2); got != 14 {
		t.Fatalf("got %d", got)
	}
}
