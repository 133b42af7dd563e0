package lockheld

import "testing"

func TestWithdrawRefuses(t *testing.T) {
	account := &Account{}
	if account.Withdraw(10) == nil {
		t.Fatal("withdrew from an empty account")
	}
	started := make(chan bool)
	go func() {
		close(started)
		account.Deposit(10)
	}()
	<-started
}
