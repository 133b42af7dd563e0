#include "apps/weir/test_profiles.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "apps/weir/flags.h"
#include "apps/weir/settings_file.h"
#include "weir/analysis/profile_health.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/profile.h"
#include "weir/ingest/profile_source.h"
#include "weir/pprof/write.h"
#include "weir/report/prof_health_text.h"

namespace weir::app {
namespace {

namespace fs = std::filesystem;

struct Kind {
  std::string_view name;
  std::string_view flag;  ///< of the test binary; empty: weir takes it
  bool judged;
};
constexpr std::array<Kind, 5> all_kinds = {{
    {"block", "blockprofile", true},
    {"mutex", "mutexprofile", true},
    {"goroutine", "", true},
    {"cpu", "cpuprofile", false},
    {"heap", "memprofile", false},
}};

const Kind* find_kind(std::string_view name) {
  const auto at = std::find_if(all_kinds.begin(), all_kinds.end(),
                               [&](const Kind& kind) { return kind.name == name; });
  return at == all_kinds.end() ? nullptr : &*at;
}

/// An import path as the name of one folder.
std::string folder_name(std::string package) {
  std::replace(package.begin(), package.end(), '/', '_');
  return package.empty() || package.front() == '.' ? "_" + package : package;
}

Result<model::HealthLimits> limits_here() {
  WEIR_TRY(const auto file, read_settings_file());
  if (!file) return model::HealthLimits{};
  return report::parse_health_settings(file->text, file->path);
}

/// The bytes, with labels for tests.
Result<std::string> labelled(const std::string& bytes) {
  WEIR_TRY(model::Profile profile, ingest::parse_profile(bytes));
  return analysis::label_tests(profile) == 0 ? bytes : ingest::render_pprof(profile);
}

}  // namespace

Result<std::vector<std::string>> parse_profile_kinds(const std::string& words) {
  std::vector<std::string> kinds;
  for (std::size_t at = 0; at <= words.size();) {
    const std::size_t comma = std::min(words.find(',', at), words.size());
    const std::string kind = words.substr(at, comma - at);
    at = comma + 1;
    if (find_kind(kind) == nullptr)
      return fail(ErrorCode::usage,
                  fmt::format("\"{}\" is none of block, mutex, goroutine, cpu and heap", kind));
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end()) kinds.push_back(kind);
  }
  return kinds;
}

Result<void> check_profiles(const std::vector<std::string>& kinds,
                            const std::vector<std::string>& go_flags) {
  for (const std::string& word : go_flags) {
    const auto flag = split_flag(word);
    if (!flag) continue;
    std::string_view name = flag->name;
    if (name.starts_with("test.")) name.remove_prefix(5);
    for (const Kind& kind : all_kinds)
      if (name == kind.flag && std::find(kinds.begin(), kinds.end(), kind.name) != kinds.end())
        return fail(
            ErrorCode::usage,
            fmt::format("-profile {} and go test's -{} exclude each other", kind.name, kind.flag));
  }
  return {};
}

Result<TestProfiles> TestProfiles::prepare(const std::vector<std::string>& argv,
                                           std::vector<std::string> kinds,
                                           const std::string& folder) {
  TestProfiles profiles;
  profiles.kinds_ = std::move(kinds);
  if (profiles.kinds_.empty()) return profiles;
  const bool is_test = std::any_of(argv.begin() + 1, argv.end(), [](const std::string& word) {
    const auto flag = split_flag(word);
    return flag && flag->name.starts_with("test.");
  });
  if (!is_test)
    return fail(ErrorCode::usage,
                "-profile takes a Go test binary with its -test flags; for a server there is "
                "weir prof -collect");
  std::error_code error;
  const fs::path all = fs::absolute(folder, error);
  profiles.folder_ = all.string();
  // Several binaries run at once, and the package is known only in the end.
  profiles.written_ = (all / fmt::format(".running-{}", getpid())).string();
  fs::create_directories(profiles.written_, error);
  if (error)
    return fail(ErrorCode::io, "the folder of the profiles cannot be made", profiles.written_,
                error.value());
  return profiles;
}

std::vector<std::string> TestProfiles::command(const std::vector<std::string>& argv) const {
  std::vector<std::string> words = {argv.front()};
  for (const std::string& name : kinds_) {
    const Kind* kind = find_kind(name);
    if (!kind->flag.empty())
      words.push_back(fmt::format("-test.{}={}/{}.pb.gz", kind->flag, written_, name));
  }
  words.insert(words.end(), argv.begin() + 1, argv.end());
  return words;
}

Result<void> TestProfiles::take_one(const std::string& kind, const std::string& to,
                                    Gated& gated) const {
  Notes& notes = gated.result.notes;
  const std::string from = fmt::format("{}/{}.pb.gz", written_, kind);
  std::error_code ignored;
  if (find_kind(kind)->flag.empty()) {
    if (!gated.snapshot) {
      notes.add(Severity::warning,
                "no goroutine profile: weir could not look at the program's end");
      return {};
    }
    WEIR_TRY_VOID(
        bytes::write_file(to, pprof::render_profile(ingest::goroutine_profile(*gated.snapshot))));
  } else if (fs::exists(from, ignored) && fs::file_size(from, ignored) > 0) {
    WEIR_TRY(const std::string bytes, bytes::read_file(from));
    auto text = labelled(bytes);
    if (!text) {
      notes.add(Severity::warning,
                fmt::format("the {} profile cannot be read: {}", kind, to_string(text.error())));
      return {};
    }
    WEIR_TRY_VOID(bytes::write_file(to, *text));
  } else {
    notes.add(Severity::warning, fmt::format("the test binary wrote no {} profile", kind), {},
              "one that is killed, panics or calls os.Exit in a test does not");
    return {};
  }
  gated.result.profiles.push_back({kind, to});
  return {};
}

Result<void> TestProfiles::take(Gated& gated) const {
  if (kinds_.empty()) return {};
  // The result tells what the caller ran.
  auto& arguments = gated.result.arguments;
  std::erase_if(arguments, [&](const std::string& word) {
    return word.find("=" + written_ + "/") != std::string::npos;
  });
  const fs::path folder = fs::path(folder_) / folder_name(gated.result.package);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    return fail(ErrorCode::io, "the folder of the profiles cannot be made", folder.string(),
                error.value());
  for (const std::string& kind : kinds_)
    WEIR_TRY_VOID(take_one(kind, (folder / (kind + ".pb.gz")).string(), gated));
  fs::remove_all(written_, error);
  return {};
}

Result<std::vector<model::HealthReport>> judge_profiles(
    const std::vector<model::ExecResult>& programs) {
  std::vector<model::HealthReport> reports;
  const auto limits = limits_here();
  for (const model::ExecResult& program : programs) {
    for (const model::ProfileFile& file : program.profiles) {
      if (!find_kind(file.kind) || !find_kind(file.kind)->judged) continue;
      if (!limits) return fail(limits.error());
      WEIR_TRY(const std::string bytes, bytes::read_file(file.path));
      WEIR_TRY(const model::Profile profile, ingest::parse_profile(bytes));
      WEIR_TRY(auto report, analysis::judge_health(profile, *limits));
      report.package = program.package;
      report.source = fmt::format("{}: {}", program.package, file.path);
      // An empty profile of locks looks like one of waits.
      if (file.kind == "mutex") report.kind = model::HealthReport::Kind::locks;
      reports.push_back(std::move(report));
    }
  }
  return reports;
}

}  // namespace weir::app
