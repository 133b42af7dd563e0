#include "apps/weir/gate_flags.h"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>

#include "apps/weir/settings_file.h"
#include "apps/weir/test_profiles.h"

namespace weir::app {
namespace {

namespace fs = std::filesystem;
using report::GateSettings;
using Setter = std::function<Result<void>(const std::string&)>;

Setter set_duration(std::optional<Nanos>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, report::parse_duration(value));
    return {};
  };
}

Setter set_optional(std::optional<bool>& to) {
  return [&to](const std::string& value) -> Result<void> {
    WEIR_TRY(to, parse_switch(value));
    return {};
  };
}

Setter set_optional(std::optional<std::string>& to) {
  return [&to](const std::string& value) -> Result<void> {
    if (value.empty()) return fail(ErrorCode::usage, "the name of the file is empty");
    to = value;
    return {};
  };
}

/// "a,b" adds two. Go's function names hold commas only in brackets: "f[int,string]".
Setter add_names(std::vector<std::string>& to) {
  return [&to](const std::string& value) -> Result<void> {
    int depth = 0;
    std::string name;
    for (const char c : value + ",") {
      depth += (c == '[') - (c == ']');
      if (c != ',' || depth > 0) {
        name += c;
        continue;
      }
      if (!name.empty()) to.push_back(name);
      name.clear();
    }
    return name.empty() ? Result<void>() : fail(ErrorCode::usage, "a bracket is not closed");
  };
}

std::string absolute(const fs::path& base, const std::string& path) {
  return path.empty() ? path : (base / path).lexically_normal().string();
}

void make_absolute(GateSettings& settings, const fs::path& base) {
  for (std::optional<std::string>* path : {&settings.baseline, &settings.junit, &settings.sarif})
    if (*path) *path = absolute(base, **path);
}

Result<GateSettings> read_yaml() {
  WEIR_TRY(const auto file, read_settings_file());
  if (!file) return GateSettings{};
  WEIR_TRY(GateSettings settings, report::parse_settings(file->text, file->path));
  make_absolute(settings, fs::path(file->path).parent_path());
  return settings;
}

std::optional<std::string> find_env(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

}  // namespace

std::vector<Flag> gate_flags(GateRequest& request, const char* json) {
  GateSettings& to = request.flags;
  const auto set_count = [](auto& number) {
    return [&number](const std::string& value) -> Result<void> {
      WEIR_TRY(number, parse_count(value));
      return {};
    };
  };
  return {
      {"settle", "time", "how long goroutines may take to end, at most (1s); 0 looks once",
       set_duration(to.settle)},
      {"stuck-after", "time",
       "end a program in which nothing could move for so long (10s); 0 never",
       set_duration(to.stuck_after)},
      {"ignore-top", "func", "ignore goroutines with this innermost function; * matches anything",
       add_names(to.ignore_top)},
      {"ignore-any", "func", "ignore goroutines with it anywhere in the stack, or as creator",
       add_names(to.ignore_any)},
      {"ignore-created-by", "func", "ignore goroutines that it created",
       add_names(to.ignore_created_by)},
      {"ignore-current", "", "ignore what existed before the first test",
       set_optional(to.ignore_current)},
      {"baseline", "file", "known findings: reported, but they do not fail the run",
       set_optional(to.baseline)},
      {"update-baseline", "", "write all findings to the baseline, and succeed",
       set_optional(to.update_baseline)},
      {"strict", "", "fail on known findings too", set_optional(to.strict)},
      {"top", "n", "findings described in full (5); 0 means all", set_count(to.top)},
      {"junit", "file", "write the findings as JUnit XML", set_optional(to.junit)},
      {"sarif", "file", "write the findings as SARIF", set_optional(to.sarif)},
      {json, "file", "write the report as JSON; - is standard output", set_text(request.json)},
      {"ancestors", "n", "creators of creators that Go shall remember (16); 0 leaves Go alone",
       set_count(request.ancestors)},
      {"profile", "kinds", "profiles to take and judge: block,mutex,goroutine,cpu,heap",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.profiles, parse_profile_kinds(value));
         return {};
       }},
      {"profile-folder", "DIR", "where to, a folder for each package in it (weir-profiles)",
       set_text(request.profile_folder)},
      {"schedtrace", "ms", "look at the scheduler so often, by GODEBUG=schedtrace, and judge it",
       [&request](const std::string& value) -> Result<void> {
         WEIR_TRY(request.schedtrace, parse_count(value));
         if (request.schedtrace == 0 || request.schedtrace > 3'600'000)
           return fail(ErrorCode::usage, "1 to 3600000 milliseconds");
         return {};
       }},
      {"checkptr", "", "tell what -d=checkptr finds; weir test builds with it",
       set_switch(request.checkptr)},
  };
}

std::vector<Flag> ignore_flags(GateRequest& request) {
  std::vector<Flag> flags = gate_flags(request, "json");
  std::erase_if(flags, [](const Flag& flag) {
    return flag.name != "ignore-top" && flag.name != "ignore-any" &&
           flag.name != "ignore-created-by";
  });
  return flags;
}

Result<model::GateOptions> load_options(const GateRequest& request) {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  WEIR_TRY(const GateSettings yaml, read_yaml());
  WEIR_TRY(GateSettings environment, report::settings_from_environment(find_env));
  GateSettings flags = request.flags;
  make_absolute(environment, here);
  make_absolute(flags, here);
  model::GateOptions options = report::merge(yaml, environment, flags);
  if (options.update_baseline && options.baseline.empty())
    return fail(ErrorCode::usage, "-update-baseline needs -baseline file");
  return options;
}

std::vector<std::string> exec_flags(const model::GateOptions& options, const GateRequest& request) {
  std::vector<std::string> flags = {
      fmt::format("-settle={}ns", options.settle.value),
      fmt::format("-stuck-after={}ns", options.stuck_after.value),
      fmt::format("-ancestors={}", request.ancestors),
  };
  if (!request.profiles.empty()) {
    std::error_code ignored;
    flags.push_back(fmt::format("-profile={}", fmt::join(request.profiles, ",")));
    // go test runs each binary in the folder of its package.
    flags.push_back("-profile-folder=" +
                    absolute(fs::current_path(ignored), request.profile_folder));
  }
  if (request.schedtrace != 0) flags.push_back(fmt::format("-schedtrace={}", request.schedtrace));
  if (request.checkptr) flags.emplace_back("-checkptr");
  const auto add_all = [&](const char* name, const std::vector<std::string>& values) {
    for (const std::string& value : values) flags.push_back(fmt::format("-{}={}", name, value));
  };
  add_all("ignore-top", options.ignore.top);
  add_all("ignore-any", options.ignore.any);
  add_all("ignore-created-by", options.ignore.created_by);
  if (options.ignore.current) flags.emplace_back("-ignore-current");
  if (!options.baseline.empty()) flags.push_back("-baseline=" + options.baseline);
  if (options.update_baseline) flags.emplace_back("-update-baseline");
  if (options.strict) flags.emplace_back("-strict");
  if (options.verbose) flags.emplace_back("-v");
  return flags;
}

std::string module_root() {
  std::error_code ignored;
  const std::string go_mod = find_upward("go.mod");
  return (go_mod.empty() ? fs::current_path(ignored) : fs::path(go_mod).parent_path()).string();
}

}  // namespace weir::app
