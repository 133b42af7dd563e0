#include "weir/model/goname.h"

#include <algorithm>
#include <array>
#include <vector>

namespace weir::model {

namespace {

/// Every importable package of the standard library of Go 1.19–1.27, experiments included, sorted.
/// Made with `go list std` of each, without internal and vendored ones (a rule covers those).
constexpr std::string_view standard_packages[] = {
    "archive/tar",
    "archive/zip",
    "arena",
    "bufio",
    "bytes",
    "cmp",
    "compress/bzip2",
    "compress/flate",
    "compress/gzip",
    "compress/lzw",
    "compress/zlib",
    "container/heap",
    "container/list",
    "container/ring",
    "context",
    "crypto",
    "crypto/aes",
    "crypto/cipher",
    "crypto/des",
    "crypto/dsa",
    "crypto/ecdh",
    "crypto/ecdsa",
    "crypto/ed25519",
    "crypto/elliptic",
    "crypto/fips140",
    "crypto/hkdf",
    "crypto/hmac",
    "crypto/hpke",
    "crypto/md5",
    "crypto/mldsa",
    "crypto/mlkem",
    "crypto/mlkem/mlkemtest",
    "crypto/pbkdf2",
    "crypto/rand",
    "crypto/rc4",
    "crypto/rsa",
    "crypto/sha1",
    "crypto/sha256",
    "crypto/sha3",
    "crypto/sha512",
    "crypto/subtle",
    "crypto/tls",
    "crypto/x509",
    "crypto/x509/pkix",
    "database/sql",
    "database/sql/driver",
    "debug/buildinfo",
    "debug/dwarf",
    "debug/elf",
    "debug/gosym",
    "debug/macho",
    "debug/pe",
    "debug/plan9obj",
    "embed",
    "encoding",
    "encoding/ascii85",
    "encoding/asn1",
    "encoding/base32",
    "encoding/base64",
    "encoding/binary",
    "encoding/csv",
    "encoding/gob",
    "encoding/hex",
    "encoding/json",
    "encoding/json/jsontext",
    "encoding/json/v2",
    "encoding/pem",
    "encoding/xml",
    "errors",
    "expvar",
    "flag",
    "fmt",
    "go/ast",
    "go/build",
    "go/build/constraint",
    "go/constant",
    "go/doc",
    "go/doc/comment",
    "go/format",
    "go/importer",
    "go/parser",
    "go/printer",
    "go/scanner",
    "go/token",
    "go/types",
    "go/version",
    "hash",
    "hash/adler32",
    "hash/crc32",
    "hash/crc64",
    "hash/fnv",
    "hash/maphash",
    "html",
    "html/template",
    "image",
    "image/color",
    "image/color/palette",
    "image/draw",
    "image/gif",
    "image/jpeg",
    "image/png",
    "index/suffixarray",
    "io",
    "io/fs",
    "io/ioutil",
    "iter",
    "log",
    "log/slog",
    "log/syslog",
    "maps",
    "math",
    "math/big",
    "math/bits",
    "math/cmplx",
    "math/rand",
    "math/rand/v2",
    "mime",
    "mime/multipart",
    "mime/quotedprintable",
    "net",
    "net/http",
    "net/http/cgi",
    "net/http/cookiejar",
    "net/http/fcgi",
    "net/http/httptest",
    "net/http/httptrace",
    "net/http/httputil",
    "net/http/pprof",
    "net/mail",
    "net/netip",
    "net/rpc",
    "net/rpc/jsonrpc",
    "net/smtp",
    "net/textproto",
    "net/url",
    "os",
    "os/exec",
    "os/signal",
    "os/user",
    "path",
    "path/filepath",
    "plugin",
    "reflect",
    "regexp",
    "regexp/syntax",
    "runtime",
    "runtime/cgo",
    "runtime/coverage",
    "runtime/debug",
    "runtime/metrics",
    "runtime/pprof",
    "runtime/race",
    "runtime/trace",
    "simd",
    "simd/archsimd",
    "slices",
    "sort",
    "strconv",
    "strings",
    "structs",
    "sync",
    "sync/atomic",
    "syscall",
    "testing",
    "testing/cryptotest",
    "testing/fstest",
    "testing/iotest",
    "testing/quick",
    "testing/slogtest",
    "testing/synctest",
    "text/scanner",
    "text/tabwriter",
    "text/template",
    "text/template/parse",
    "time",
    "time/tzdata",
    "unicode",
    "unicode/utf16",
    "unicode/utf8",
    "unique",
    "unsafe",
    "uuid",
    "weak",
};

bool is_listed(std::string_view package) {
  return std::binary_search(std::begin(standard_packages), std::end(standard_packages), package);
}

/// True if a standard package's path begins with this element ("net", "encoding").
bool is_standard_root(std::string_view element) {
  if (element == "internal" || element == "vendor") return true;
  const auto* next =
      std::lower_bound(std::begin(standard_packages), std::end(standard_packages), element);
  if (next == std::end(standard_packages)) return false;
  return *next == element || (next->starts_with(element) && (*next)[element.size()] == '/');
}

/// Where the package path ends and the symbol begins: the first dot after the last slash that is
/// not inside brackets. npos if there is none.
std::size_t dot_after_package(std::string_view function) {
  const std::size_t brackets = function.find_first_of("([");
  const std::string_view plain = function.substr(0, brackets);
  const std::size_t slash = plain.rfind('/');
  const std::size_t dot = plain.find('.', slash == std::string_view::npos ? 0 : slash);
  return dot;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// "func1", "gowrap2", "deferwrap1", and the bare numbers of closures in closures.
bool is_closure_part(std::string_view part) {
  for (const std::string_view word : {"func", "gowrap", "deferwrap"}) {
    if (part.starts_with(word) && is_number(part.substr(word.size()))) return true;
  }
  return is_number(part);
}

/// Cuts "-fm" (method value) and "-range1" (body of a range over a function) off.
std::string_view without_dash(std::string_view part) {
  const std::size_t dash = part.find('-');
  if (dash == std::string_view::npos) return part;
  const std::string_view suffix = part.substr(dash + 1);
  return suffix.starts_with("fm") || suffix.starts_with("range") ? part.substr(0, dash) : part;
}

/// Splits at dots outside brackets: "(*T[...])", "run", "func1".
std::vector<std::string_view> parts_of(std::string_view symbol) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < symbol.size(); ++i) {
    const char c = symbol[i];
    if (c == '[' || c == '(') ++depth;
    if (c == ']' || c == ')') --depth;
    if (c != '.' || depth > 0) continue;
    parts.push_back(symbol.substr(begin, i - begin));
    begin = i + 1;
  }
  parts.push_back(symbol.substr(begin));
  return parts;
}

bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}

/// isExportedRuntime: exported functions, and exported methods of exported types.
bool is_exported_runtime(std::string_view symbol) {
  const std::size_t dot = symbol.rfind('.');
  std::string_view receiver;
  std::string_view name = symbol;
  if (dot != std::string_view::npos) {
    receiver = symbol.substr(0, dot);
    name = symbol.substr(dot + 1);
  }
  if (receiver.size() >= 3 && receiver.starts_with("(*") && receiver.ends_with(")"))
    receiver = receiver.substr(2, receiver.size() - 3);
  return !name.empty() && is_upper(name[0]) && (receiver.empty() || is_upper(receiver[0]));
}

}  // namespace

std::string package_of(std::string_view function) {
  const std::size_t dot = dot_after_package(function);
  if (dot == std::string_view::npos) return {};
  const std::string_view escaped = function.substr(0, dot);
  std::string package;
  for (std::size_t i = 0; i < escaped.size(); ++i) {
    if (escaped[i] == '%' && escaped.size() - i > 2) {
      const int high = hex_digit(escaped[i + 1]);
      const int low = hex_digit(escaped[i + 2]);
      if (high >= 0 && low >= 0) {
        package += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    package += escaped[i];
  }
  return package;
}

bool is_standard_package(std::string_view package) {
  if (package.empty()) return false;
  if (is_listed(package)) return true;
  const std::string_view root = package.substr(0, package.find('/'));
  if (!is_standard_root(root)) return false;
  if (root == "internal" || root == "vendor") return true;
  // net/http/internal/testcert, crypto/internal/fips140/…
  return package.find("/internal/") != std::string_view::npos || package.ends_with("/internal");
}

bool is_user_function(std::string_view function) {
  const std::string package = package_of(function);
  return !package.empty() && !is_standard_package(package);
}

bool is_shown(std::string_view function, bool innermost) {
  if (function == "runtime.gopanic" && !innermost) return true;
  // Since 1.25; the finalizer goroutine's older name, runfinq, was not shown.
  if (function == "runtime.runFinalizers" || function == "runtime.runCleanups") return true;
  if (function.find('.') == std::string_view::npos) return false;
  constexpr std::string_view runtime = "runtime.";
  return !function.starts_with(runtime) || is_exported_runtime(function.substr(runtime.size()));
}

std::string name_in_traceback(std::string_view function) {
  if (function == "runtime.gopanic") return "panic";
  std::string out;
  int depth = 0;
  for (const char c : function) {
    if (c == '[' && depth++ == 0) out += "[...]";
    if (c == ']' && --depth < 0) return std::string(function);
    if (c != '[' && c != ']' && depth == 0) out += c;
  }
  return depth == 0 ? out : std::string(function);
}

std::string without_closures(std::string_view function) {
  const std::string name =
      function == "runtime.gopanic" ? std::string(function) : name_in_traceback(function);
  const std::size_t dot = dot_after_package(name);
  if (dot == std::string::npos) return name;
  std::string_view symbol = std::string_view(name).substr(dot + 1);
  symbol = symbol.substr(0, symbol.find("·dwrap·"));  // go1.17's name for a wrapper
  std::vector<std::string_view> kept;
  bool closure = false;
  for (const std::string_view part : parts_of(symbol)) {
    const std::string_view bare = without_dash(part);
    if (!kept.empty() && (bare.empty() || is_closure_part(bare))) {
      closure = true;
      continue;
    }
    kept.push_back(bare);
  }
  if (kept.front() == "glob") kept.front() = "init";  // a package-level variable's closure
  // A closure of a method that was inlined is named after both: "main.(*T).run.func1".
  if (closure) {
    for (std::size_t i = kept.size(); i-- > 1;) {
      if (!kept[i].starts_with("(*")) continue;
      kept.erase(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(i));
      break;
    }
  }
  std::string out = name.substr(0, dot);
  for (const std::string_view part : kept) (out += '.') += part;
  return out;
}

}  // namespace weir::model
