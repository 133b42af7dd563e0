package subtests

import "testing"

func TestTree(t *testing.T) {
	t.Run("leaf", func(t *testing.T) {
		t.Run("deep leak", func(t *testing.T) { go func() { select {} }() })
		t.Run("clean", func(t *testing.T) {})
	})
	go func() { select {} }()
}
