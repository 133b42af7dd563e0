#pragma once
// What a Go link name says: its package, whether it belongs to the standard library or the
// runtime, and what a traceback makes of it.
#include <string>
#include <string_view>

namespace weir::model {

/// "net/http" of "net/http.(*Client).Do"; "main" of "main.f[...]"; "gopkg.in/yaml.v3" of
/// "gopkg.in/yaml%2ev3.Unmarshal" (the linker escapes dots of the last element). Empty for a name
/// without a package (assembly, C).
std::string package_of(std::string_view function);

/// A package of Go's standard library (1.19–1.27), its internal and vendored packages included.
/// "main" and external test packages ("net/http_test") are not. A user's own package that has
/// exactly a standard package's path counts as standard; Go itself forbids that outside GOPATH.
bool is_standard_package(std::string_view package);

/// The user's own code: in a package, and that not one of the standard library.
bool is_user_function(std::string_view function);

/// True if Go's traceback shows a frame of this function at the default GOTRACEBACK level
/// (showfuncinfo, src/runtime/traceback.go): not an unexported runtime function. `innermost`: it is
/// the first frame.
bool is_shown(std::string_view function, bool innermost);

/// The name as a traceback prints it: type arguments as "[...]", runtime.gopanic as "panic"
/// (printFuncName, src/runtime/traceback.go).
std::string name_in_traceback(std::string_view function);

/// The function that a person wrote: closure, wrapper and range-body suffixes off
/// ("app.run.func1.2" → "app.run", "app.(*T).f-fm", "app.f.gowrap1", "app.f-range1"), type
/// arguments as "[...]", numbered and package-level initialisers as "app.init".
std::string without_closures(std::string_view function);

}  // namespace weir::model
