#pragma once
// The name of a Go type from its run-time descriptor.
#include <string>

#include "weir/base/address.h"
#include "weir/base/error.h"
#include "weir/gosym/read_memory.h"

namespace weir::gosym {

/// "int", "*main.T", "map[string]int": runtime.(*_type).string of the type at `type`. `types` and
/// `etypes` are those of the module that holds it (ModuleData). Source of truth: internal/abi.Type
/// (Str at 40, TFlag at 20) and Name (a flag byte, a varint length, the text); go1.19–1.27.
/// Errors: unmapped; unsupported for a type that reflect made at run time (outside [types, etypes)
/// or with a negative name offset); invalid.
Result<std::string> read_type_name(const ReadMemory& read, Address types, Address etypes,
                                   Address type);

}  // namespace weir::gosym
