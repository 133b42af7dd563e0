// Package lockheld: one return leaves a mutex locked, and the next to come waits for ever.
package lockheld

import (
	"errors"
	"sync"
)

// Account is an amount that several goroutines change.
type Account struct {
	mu      sync.Mutex
	balance int
}

// Withdraw takes amount. The return for too little money forgets to unlock; `defer a.mu.Unlock()`
// would not.
func (a *Account) Withdraw(amount int) error {
	a.mu.Lock()
	if a.balance < amount {
		return errors.New("not enough money")
	}
	a.balance -= amount
	a.mu.Unlock()
	return nil
}

// Deposit adds amount.
func (a *Account) Deposit(amount int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.balance += amount
}
