package broken

import "testing"

func TestNothing(t *testing.T) { var n int = "no number" }
