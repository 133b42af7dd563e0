// The peer of weir/elf/file_bench.cc: debug/elf and debug/dwarf on the same executable.
//
//	elf FILE headers    seconds to read the headers
//	elf FILE dwarf      seconds to find the offset of the field goid of the type runtime.g
package main

import (
	"bytes"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"os"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func findGoid(file *elf.File) int64 {
	data, err := file.DWARF()
	check(err)
	for reader := data.Reader(); ; {
		entry, err := reader.Next()
		check(err)
		if entry == nil {
			check(fmt.Errorf("no runtime.g"))
		}
		if entry.Tag == dwarf.TagStructType && entry.Val(dwarf.AttrName) == "runtime.g" {
			g, err := data.Type(entry.Offset)
			check(err)
			for _, field := range g.(*dwarf.StructType).Field {
				if field.Name == "goid" {
					return field.ByteOffset
				}
			}
		}
		if entry.Tag == dwarf.TagSubprogram {
			reader.SkipChildren()
		}
	}
}

func main() {
	content, err := os.ReadFile(os.Args[1])
	check(err)
	rounds := 5
	if os.Args[2] == "headers" {
		rounds = 1000
	}
	least := time.Hour
	for i := 0; i < rounds; i++ {
		begun := time.Now()
		file, err := elf.NewFile(bytes.NewReader(content))
		check(err)
		if os.Args[2] == "dwarf" {
			findGoid(file)
		}
		least = min(least, time.Since(begun))
	}
	fmt.Println(least.Seconds())
}
