package main

import (
	"context"
	"reflect"
	"time"
)

type node struct{ next *node }
type pair struct{ a, b int }
type box[K comparable, V any] struct {
	key K
	val V
}

func receive(name string, c interface{}, wait func()) {
	expect(name, "kind=channel_receive", channel(c))
	keep = append(keep, c)
	go func() { enter(name); wait() }()
}

func init() {
	register("recv-unbuffered", func(name string) { c := make(chan int); receive(name, c, func() { <-c }) })
	register("recv-buffered", func(name string) { c := make(chan string, 4); receive(name, c, func() { <-c }) })
	register("recv-pointer", func(name string) { c := make(chan *node); receive(name, c, func() { <-c }) })
	register("recv-struct", func(name string) { c := make(chan pair, 1); receive(name, c, func() { <-c }) })
	register("recv-interface", func(name string) { c := make(chan error); receive(name, c, func() { <-c }) })
	register("recv-func", func(name string) { c := make(chan func(int) string); receive(name, c, func() { <-c }) })
	register("recv-map", func(name string) { c := make(chan map[string][]pair); receive(name, c, func() { <-c }) })
	register("recv-channel", func(name string) { c := make(chan (<-chan int)); receive(name, c, func() { <-c }) })
	register("recv-generic", func(name string) {
		c := make(chan box[string, *pair], 2)
		receive(name, c, func() { <-c })
	})
	register("recv-anonymous", func(name string) {
		c := make(chan struct {
			A int
			B string
		})
		receive(name, c, func() { <-c })
	})
	register("recv-range", func(name string) {
		c := make(chan [3]byte)
		receive(name, c, func() {
			for range c {
			}
		})
	})
	register("recv-context", func(name string) {
		ctx, cancel := context.WithCancel(context.Background())
		keep = append(keep, cancel)
		receive(name, ctx.Done(), func() { <-ctx.Done() })
	})
	register("recv-select-single", func(name string) {
		c := make(chan int)
		receive(name, c, func() {
			select {
			case <-c:
			}
		})
	})
	register("recv-reflect", func(name string) {
		c := make(chan int)
		receive(name, c, func() { reflect.ValueOf(c).Recv() })
	})
	register("send-unbuffered", sendUnbuffered)
	register("send-full", sendFull)
	register("nil-send", func(name string) {
		expect(name, "kind=nil_channel_send")
		go func() { enter(name); var c chan int; c <- 1 }()
	})
	register("nil-receive", func(name string) {
		expect(name, "kind=nil_channel_receive")
		go func() { enter(name); var c chan int; <-c }()
	})
	register("select-none", func(name string) {
		expect(name, "kind=select_no_cases")
		go func() { enter(name); select {} }()
	})
	register("select-two", selectTwo)
	register("select-nil-case", selectNilCase)
	register("select-many", selectMany)
	register("select-same", selectSame)
	register("select-reflect", selectReflect)
	register("timer-after", func(name string) {
		c := time.After(time.Hour)
		expect(name, "kind=channel_receive", addr(c), `elem="time.Time"`)
		go func() { enter(name); <-c }()
	})
	register("timer-ticker", func(name string) {
		t := time.NewTicker(time.Hour)
		keep = append(keep, t)
		expect(name, "kind=channel_receive", addr(t.C), `elem="time.Time"`)
		go func() { enter(name); <-t.C }()
	})
	register("timer-context", func(name string) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		keep = append(keep, cancel)
		receive(name, ctx.Done(), func() { <-ctx.Done() })
	})
	register("sleep", func(name string) {
		go func() {
			const hour = time.Hour
			expect(name, "kind=sleep", wakeField(hour))
			enter(name)
			time.Sleep(hour)
		}()
	})
	register("timer-afterfunc", func(name string) {
		c := make(chan int)
		expect(name, "kind=channel_receive", channel(c))
		keep = append(keep, c)
		time.AfterFunc(0, func() { enter(name); <-c })
	})
}

func sendUnbuffered(name string) {
	c := make(chan pair)
	expect(name, "kind=channel_send", channel(c))
	keep = append(keep, c)
	go func() { enter(name); c <- pair{1, 2} }()
}

func sendFull(name string) {
	c := make(chan *node, 3)
	c <- nil
	c <- nil
	c <- nil
	expect(name, "kind=channel_send", channel(c))
	keep = append(keep, c)
	go func() { enter(name); c <- nil }()
}

func selectTwo(name string) {
	a, b := make(chan int, 2), make(chan string)
	a <- 1
	a <- 2
	expect(name, "kind=select", cases(chanCase("send", a), chanCase("recv", b)))
	keep = append(keep, a, b)
	go func() {
		enter(name)
		select {
		case a <- 3:
		case <-b:
		}
	}()
}

func selectNilCase(name string) {
	a, b := make(chan int), make(chan error)
	expect(name, "kind=select", cases(chanCase("recv", a), chanCase("recv", b)))
	keep = append(keep, a, b)
	go func() {
		enter(name)
		var none chan int
		select {
		case <-a:
		case <-none:
		case none <- 1:
		case <-b:
		}
	}()
}

func selectMany(name string) {
	var c [8]chan int
	var list []string
	for i := range c {
		c[i] = make(chan int)
		list = append(list, chanCase("recv", c[i]))
	}
	expect(name, "kind=select", cases(list...))
	keep = append(keep, c)
	go func() {
		enter(name)
		select {
		case <-c[0]:
		case <-c[1]:
		case <-c[2]:
		case <-c[3]:
		case <-c[4]:
		case <-c[5]:
		case <-c[6]:
		case <-c[7]:
		}
	}()
}

// selectSame has both directions of one channel, where no other goroutine is.
func selectSame(name string) {
	c := make(chan int)
	expect(name, "kind=select", cases(chanCase("send", c), chanCase("recv", c)))
	keep = append(keep, c)
	go func() {
		enter(name)
		select {
		case c <- 1:
		case <-c:
		}
	}()
}

func selectReflect(name string) {
	a, b := make(chan int), make(chan int)
	expect(name, "kind=select", cases(chanCase("recv", a), chanCase("recv", b)))
	keep = append(keep, a, b)
	go func() {
		enter(name)
		reflect.Select([]reflect.SelectCase{
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(a)},
			{Dir: reflect.SelectRecv, Chan: reflect.ValueOf(b)},
		})
	}()
}
