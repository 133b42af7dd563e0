package failing

import "testing"

func TestFailsAndLeaks(t *testing.T) {
	go func() { select {} }()
	t.Error("on purpose")
}
