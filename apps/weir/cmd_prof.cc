// weir prof: profiles, as go tool pprof has them.
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <future>

#include "apps/weir/commands.h"
#include "apps/weir/gate_flags.h"
#include "apps/weir/prof_collect.h"
#include "apps/weir/prof_request.h"
#include "apps/weir/settings_file.h"
#include "weir/analysis/flame.h"
#include "weir/analysis/profile_health.h"
#include "weir/analysis/profile_merge.h"
#include "weir/bytes/mapped_file.h"
#include "weir/ingest/profile_source.h"
#include "weir/report/flame_page.h"
#include "weir/report/gate_files.h"
#include "weir/report/prof_graph_text.h"
#include "weir/report/prof_health_text.h"
#include "weir/report/text_safety.h"

namespace weir::app {
namespace {

using model::Profile;

void print_help(const FlagSet& flags) {
  fmt::print(
      "usage: weir prof [flags] SOURCE…\n\n"
      "Reads pprof profiles of any kind and prints where the time, the memory or the goroutines\n"
      "are, with the options and numbers of go tool pprof, and says what it left out. Several\n"
      "sources are added up.\n\n"
      "SOURCE is a file, \"-\" for standard input, a URL (host:port stands for its CPU profile),\n"
      "or for goroutines a process id or a recording of weir dump.\n\n"
      "flags:\n{}\n"
      "examples:\n"
      "  weir prof cpu.pb.gz\n"
      "  weir prof -sample-index alloc_space -focus 'app/cache' heap.pb.gz\n"
      "  weir prof -diff-base before.pb.gz after.pb.gz\n"
      "  weir prof -health goroutine.pb.gz block.pb.gz mutex.pb.gz\n"
      "  weir prof -html flame.html cpu.pb.gz\n"
      "  weir prof -collect cpu,block,mutex,heap,goroutine -seconds 10 localhost:6060\n"
      "  weir prof -peek 'sync..Mutex.' http://localhost:6060/debug/pprof/mutex\n\n"
      "exit codes: 0 done, 1 -health found a limit crossed, 2 wrong usage or weir's own failure\n",
      flags.help());
}

Result<Profile> read_all(const std::vector<std::string>& names, const ProfRequest& request) {
  std::vector<Profile> profiles;
  for (const std::string& name : names) {
    WEIR_TRY(Profile profile, ingest::read_profile(name, request.evidence, request.seconds));
    if (profile.types.empty())
      return fail(
          Error{ErrorCode::invalid, "the profile says of no value what it counts", {}, 0, {}}.with(
              std::string(name)));
    profiles.push_back(std::move(profile));
  }
  return analysis::merge(std::move(profiles));
}

Result<Profile> read_sources(const std::vector<std::string>& names, const ProfRequest& request) {
  if (request.base.empty()) return read_all(names, request);
  // Reading is most of the work: both at once. The heap stays one, since what one thread freed is
  // otherwise of no use to the other, and what both hold is the most memory that is ever needed.
  // What is freed goes back at once: by itself, glibc keeps more of it each time something large is
  // freed.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 128 << 10);
  auto reading =
      std::async(std::launch::async, read_all, std::cref(request.base), std::cref(request));
  auto own = read_all(names, request);
  auto subtracted = reading.get();
  WEIR_TRY(Profile profile, std::move(own));
  WEIR_TRY(Profile base, std::move(subtracted));
  return analysis::subtract(std::move(profile), std::move(base), {request.diff, request.normalize});
}

// Profile.SampleIndexByName.
Result<std::size_t> find_value(const Profile& profile, const std::string& name) {
  const std::size_t count = profile.types.size();
  const auto find = [&](std::string_view type) {
    std::size_t i = 0;
    while (i < count && profile.types[i].type != type) ++i;
    return i;
  };
  if (name.empty()) {
    const std::size_t by_default =
        profile.default_type.empty() ? count : find(profile.default_type);
    return by_default < count ? by_default : count - 1;
  }
  if (const auto number = parse_count(name); number && static_cast<std::size_t>(*number) < count)
    return static_cast<std::size_t>(*number);
  if (const std::size_t at = find(name); at < count) return at;
  if (name.starts_with("inuse_"))
    if (const std::size_t at = find(std::string_view(name).substr(6)); at < count) return at;
  std::string known;
  for (const model::ValueType& type : profile.types)
    known += (known.empty() ? "" : ", ") + type.type;
  return fail(ErrorCode::usage,
              fmt::format("-sample-index {} is none of the profile's values: {}", name, known));
}

void print(std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

/// The file as it is named, or relative to the source path and the folders above.
Result<std::vector<std::string>> read_lines(const std::string& path, const std::string& root) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path file = path;
  if (file.is_relative()) {
    fs::path dir = root.empty() ? fs::current_path(ignored) : fs::absolute(root, ignored);
    while (!fs::exists(dir / file, ignored) && dir.has_relative_path()) dir = dir.parent_path();
    file = dir / file;
  }
  WEIR_TRY(const std::string text, bytes::read_file(file.string()));
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    lines.push_back(text.substr(at, end - at));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    at = end + 1;
  }
  return lines;
}

/// One run of the command, from the profile to its output.
class Run {
 public:
  Run(Profile profile, const ProfRequest& request, std::string name)
      : profile_(std::move(profile)), request_(request), name_(std::move(name)) {}

  Result<void> show() {
    WEIR_TRY(const std::size_t index, find_value(profile_, request_.sample_index));
    choice_ = {index, request_.mean};
    analysis::drop_uninteresting(profile_);
    analysis::ProfileFilter filter = request_.filter;
    filter.unit = request_.text.unit;
    analysis::add_label_frames(profile_, filter);
    if (!request_.relative) total_ = analysis::total_of(profile_, choice_);
    WEIR_TRY_VOID(analysis::apply_filter(profile_, filter));
    if (request_.relative) total_ = analysis::total_of(profile_, choice_);
    analysis::coarsen(profile_, granularity(), !request_.noinlines, request_.showcolumns);
    return show_view();
  }

 private:
  analysis::Granularity granularity() const {
    using analysis::Granularity;
    switch (request_.view) {
      case ProfView::proto:
      case ProfView::raw:
      case ProfView::callgrind:
        return Granularity::addresses;
      case ProfView::list:
        return Granularity::lines;
      default:
        return request_.granularity.value_or(Granularity::functions);
    }
  }

  analysis::GraphOptions graph_options() const {
    analysis::GraphOptions options;
    options.by_cum = request_.by_cum;
    options.drop_negative = request_.drop_negative;
    const bool whole = request_.view == ProfView::peek || request_.view == ProfView::list ||
                       request_.view == ProfView::callgrind;
    const bool limited = request_.view == ProfView::tree || request_.view == ProfView::dot;
    options.node_fraction = whole ? 0 : request_.node_fraction.value_or(options.node_fraction);
    options.edge_fraction = whole ? 0 : request_.edge_fraction.value_or(options.edge_fraction);
    options.node_count = whole ? 0 : request_.node_count.value_or(limited ? 80 : 0);
    options.objects = request_.view == ProfView::list || request_.view == ProfView::callgrind;
    options.edges =
        request_.json || (request_.view != ProfView::top && request_.view != ProfView::list);
    return options;
  }
  model::CallGraph graph() const {
    return analysis::call_graph(profile_, choice_, total_, graph_options());
  }

  Result<void> show_view() {
    switch (request_.view) {
      case ProfView::traces:
        report::print_prof_traces(profile_, choice_, total_.value, request_.text, print);
        break;
      case ProfView::tags:
        print(report::render_prof_tags(profile_, choice_, total_.value, request_.text));
        break;
      case ProfView::raw:
        report::print_prof_raw(profile_, print);
        break;
      case ProfView::proto:
        scale_values();
        return bytes::write_file(request_.argument, ingest::render_pprof(profile_));
      case ProfView::folded:
        report::print_prof_folded(profile_, choice_, print);
        break;
      case ProfView::speedscope:
        report::print_prof_speedscope(profile_, choice_, name_, print);
        break;
      case ProfView::svg:
        return write_flame(analysis::flame(profile_, choice_, {.most_boxes = 8000}), false);
      case ProfView::html:
        return write_flame(analysis::flame(profile_, choice_), true);
      case ProfView::cluster:
        return show_cluster();
      default:
        return show_graph();
    }
    say_notes();
    return {};
  }

  Result<void> show_graph() {
    const model::CallGraph shown = graph();
    if (request_.json) {
      print(report::render_prof_json(profile_, shown));
      return {};
    }
    switch (request_.view) {
      case ProfView::dot:
        print(report::render_prof_dot(profile_, shown, request_.text));
        break;
      case ProfView::callgrind:
        print(report::render_prof_callgrind(shown, request_.text));
        break;
      case ProfView::tree:
      case ProfView::peek:
        return show_tree(shown);
      case ProfView::list:
        return show_list(shown);
      default:
        print(report::render_prof_top(profile_, shown, request_.text));
        print(report::render_prof_hidden(profile_, shown, request_.text));
        return {};
    }
    say_notes();
    return {};
  }
  Result<void> show_tree(const model::CallGraph& shown) {
    std::optional<Pattern> only;
    if (request_.view == ProfView::peek) {
      WEIR_TRY(only, Pattern::compile(request_.argument));
    }
    WEIR_TRY(const std::string text,
             report::render_prof_tree(profile_, shown, request_.text, only ? &*only : nullptr));
    print(text);
    print(report::render_prof_hidden(profile_, shown, request_.text));
    return {};
  }
  Result<void> show_list(const model::CallGraph& shown) {
    WEIR_TRY(const auto functions, Pattern::compile(request_.argument));
    WEIR_TRY(
        const std::string text,
        report::render_prof_list(shown, request_.text, functions, [&](const std::string& path) {
          return read_lines(path, request_.source_path);
        }));
    print(text);
    say_notes();
    return {};
  }

  Result<void> write_flame(const model::Flame& flame, bool page) const {
    WEIR_TRY_VOID(bytes::write_file(request_.argument, page ? report::render_flame_html(flame)
                                                            : report::render_flame_svg(flame)));
    for (const std::string& remark : report::flame_remarks(flame))
      fmt::print(stderr, "weir: {}\n", remark);
    say_notes();
    return {};
  }

  Result<void> show_cluster() const {
    const model::ClusterReport report = analysis::cluster(profile_, choice_, request_.argument);
    const auto& known = report.known_labels;
    if (std::find(known.begin(), known.end(), request_.argument) == known.end())
      return fail(ErrorCode::not_found,
                  known.empty() ? "the profile has no labels"
                                : fmt::format("the profile has no label \"{}\"; it has {}",
                                              request_.argument, fmt::join(known, ", ")));
    print(request_.json ? report::render_cluster_json(report)
                        : report::render_cluster(report, request_.text));
    say_notes();
    return {};
  }

  void scale_values() {
    if (request_.divide_by == 1) return;
    for (Sample& sample : profile_.samples)
      for (std::size_t i = 0; i < profile_.types.size(); ++i)
        sample.values[i] =
            model::rounded_down(static_cast<double>(sample.values[i]) / request_.divide_by);
  }
  /// Behind output that other programs read.
  void say_notes() const {
    for (const Note& note : profile_.notes.all())
      fmt::print(stderr, "weir: {}{}{}\n", note.text, note.advice.empty() ? "" : "; ", note.advice);
  }

  Profile profile_;
  const ProfRequest& request_;
  std::string name_;
  model::ValueChoice choice_;
  analysis::Total total_;
};

Result<void> write_reports(const std::vector<model::HealthReport>& reports,
                           const ProfRequest& request) {
  model::GateReport report;
  report.health = reports;
  if (!request.junit.empty())
    WEIR_TRY_VOID(bytes::write_file(request.junit, report::render_junit(report)));
  if (!request.sarif.empty())
    WEIR_TRY_VOID(bytes::write_file(request.sarif,
                                    report::render_sarif(report, {WEIR_VERSION, module_root()})));
  return {};
}

/// Each profile for itself.
Result<bool> judge(const std::vector<std::string>& names, const ProfRequest& request) {
  std::vector<model::HealthReport> reports;
  for (const std::string& name : names) {
    WEIR_TRY(const Profile profile, ingest::read_profile(name, request.evidence, request.seconds));
    auto report = analysis::judge_health(profile, request.limits);
    if (!report) return fail(std::move(report).error().with(std::string(name)));
    report->source = name == "-" ? "standard input" : ingest::without_credentials(name);
    reports.push_back(std::move(*report));
  }
  print(request.json ? report::render_health_json(reports)
                     : report::render_health(reports, request.node_count.value_or(5)));
  WEIR_TRY_VOID(write_reports(reports, request));
  return std::any_of(reports.begin(), reports.end(),
                     [](const model::HealthReport& report) { return report.crossed; });
}

int run_collect(const std::vector<std::string>& names, const ProfRequest& request) {
  if (names.size() != 1)
    return complain_usage(Error{ErrorCode::usage, "-collect takes one server", {}, 0, {}}, "prof");
  CollectRequest wanted;
  for (std::size_t at = 0; at <= request.argument.size();) {
    const std::size_t comma = std::min(request.argument.find(',', at), request.argument.size());
    wanted.kinds.push_back(request.argument.substr(at, comma - at));
    at = comma + 1;
  }
  if (request.seconds > 0) wanted.seconds = request.seconds;
  wanted.folder = request.folder;
  const auto bundle = collect(names.front(), wanted, request.evidence.http);
  if (!bundle)
    return bundle.error().code == ErrorCode::usage ? complain_usage(bundle.error(), "prof")
                                                   : complain(bundle.error());
  bool failed = false;
  for (const Collected& one : bundle->profiles) {
    failed = failed || !one.error.empty();
    if (one.error.empty()) {
      fmt::print("{}  {} samples\n", one.file, one.samples);
    } else {
      fmt::print(stderr, "weir: {}: {}\n", one.kind, report::printable(one.error));
    }
  }
  return failed ? code_failed : code_clean;
}

/// Errors: usage, for an output that the view does not have.
Result<void> check_outputs(const ProfRequest& request) {
  if (request.view != ProfView::health && !(request.junit.empty() && request.sarif.empty()))
    return fail(ErrorCode::usage, "-junit and -sarif are for the verdicts of -health");
  if (!request.json) return {};
  switch (request.view) {
    case ProfView::top:
    case ProfView::tree:
    case ProfView::peek:
    case ProfView::cluster:
    case ProfView::health:
      return {};
    case ProfView::speedscope:
      return fail(ErrorCode::usage,
                  "-speedscope is JSON already, of its own kind; leave -json out");
    default:
      return fail(ErrorCode::usage,
                  "-json goes with -top, -tree, -peek, -cluster and -health; the other views are "
                  "in formats of their own");
  }
}

/// What .weir.yaml says of limits, as the defaults of `request`.
Result<void> apply_settings(ProfRequest& request) {
  WEIR_TRY(const auto file, read_settings_file());
  if (!file) return {};
  WEIR_TRY(request.limits, report::parse_health_settings(file->text, file->path));
  return {};
}

int complain_about(const Error& error) {
  return error.code == ErrorCode::usage ? complain_usage(error, "prof") : complain(error);
}

}  // namespace

int run_prof(const std::vector<std::string>& args) {
  ProfRequest request;
  const FlagSet flags(prof_flags(request));
  if (wants_help(args)) {
    print_help(flags);
    return code_clean;
  }
  if (const auto applied = apply_settings(request); !applied) return complain(applied.error());
  const auto names = flags.parse(args);
  if (!names) return complain_usage(names.error(), "prof");
  if (names->empty())
    return complain_usage(Error{ErrorCode::usage, "no profile named", {}, 0, {}}, "prof");
  if (const auto checked = check_outputs(request); !checked)
    return complain_usage(checked.error(), "prof");
  if (request.view == ProfView::collect) return run_collect(*names, request);
  if (request.view == ProfView::health) {
    const auto crossed = judge(*names, request);
    if (!crossed) return complain_about(crossed.error());
    return *crossed ? code_findings : code_clean;
  }
  auto profile = read_sources(*names, request);
  if (!profile) return complain_about(profile.error());
  const auto shown = Run(std::move(*profile), request, names->front()).show();
  return shown ? code_clean : complain_about(shown.error());
}

}  // namespace weir::app
