package main

import (
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"strings"
)

// A types value answers for the named types and constants of one program's DWARF.
type types struct {
	data      *dwarf.Data
	offsets   map[string]dwarf.Offset
	constants map[string]int64
}

// readTypes indexes the DWARF of the ELF file at path.
func readTypes(path string) (*types, error) {
	file, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	data, err := file.DWARF()
	if err != nil {
		return nil, err
	}
	t := &types{data, map[string]dwarf.Offset{}, map[string]int64{}}
	reader := data.Reader()
	for {
		entry, err := reader.Next()
		if err != nil {
			return nil, err
		}
		if entry == nil {
			return t, nil
		}
		name, _ := entry.Val(dwarf.AttrName).(string)
		switch entry.Tag {
		case dwarf.TagTypedef, dwarf.TagStructType, dwarf.TagArrayType:
			if _, found := t.offsets[name]; !found && name != "" {
				t.offsets[name] = entry.Offset
			}
		case dwarf.TagConstant:
			if value, ok := entry.Val(dwarf.AttrConstValue).(int64); ok {
				t.constants[name] = value
			}
		}
		if entry.Tag != dwarf.TagCompileUnit {
			reader.SkipChildren()
		}
	}
}

// find returns the first of names that is a type, or nil.
func (t *types) find(names []string) (dwarf.Type, error) {
	for _, name := range names {
		if offset, found := t.offsets[name]; found {
			return t.data.Type(offset)
		}
	}
	return nil, nil
}

func underlying(t dwarf.Type) dwarf.Type {
	for {
		def, ok := t.(*dwarf.TypedefType)
		if !ok {
			return t
		}
		t = def.Type
	}
}

// walk follows a dotted path from t. Returns the offset within t and the type there; nil if the path
// does not exist.
func walk(t dwarf.Type, path string) (int64, dwarf.Type) {
	offset := int64(0)
	if path == "" {
		return 0, t
	}
	for _, step := range strings.Split(path, ".") {
		switch u := underlying(t).(type) {
		case *dwarf.StructType:
			next := dwarf.Type(nil)
			for _, f := range u.Field {
				if f.Name == step {
					offset += f.ByteOffset
					next = f.Type
				}
			}
			if next == nil {
				return 0, nil
			}
			t = next
		case *dwarf.ArrayType:
			if step != "[]" {
				return 0, nil
			}
			t = u.Type
		default:
			return 0, nil
		}
	}
	return offset, t
}

// A value is what a field is in one program, as it is written in the table.
type value string

const absent value = "A"

// evaluate finds one field.
func (t *types) evaluate(f field) (value, error) {
	if f.kind == "CONST" {
		for _, name := range f.types {
			if number, found := t.constants[name]; found {
				return value(fmt.Sprintf("N(%d)", number)), nil
			}
		}
		return absent, nil
	}
	root, err := t.find(f.types)
	if root == nil {
		return absent, err
	}
	for _, path := range f.paths {
		offset, at := walk(root, path)
		if at == nil {
			continue
		}
		switch f.kind {
		case "SIZE":
			return value(fmt.Sprintf("N(%d)", at.Size())), nil
		case "COUNT":
			array, ok := underlying(at).(*dwarf.ArrayType)
			if !ok {
				return "", fmt.Errorf("%s: %s is no array", f.member, at)
			}
			return value(fmt.Sprintf("N(%d)", array.Count)), nil
		}
		return value(fmt.Sprintf("F(%d,%d)", offset, at.Size())), nil
	}
	return absent, nil
}

// layoutOf evaluates all fields for the program at path.
func layoutOf(path string, fields []field) ([]value, error) {
	t, err := readTypes(path)
	if err != nil {
		return nil, err
	}
	values := make([]value, len(fields))
	for i, f := range fields {
		if values[i], err = t.evaluate(f); err != nil {
			return nil, err
		}
	}
	return values, nil
}
