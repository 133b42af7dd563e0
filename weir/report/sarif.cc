// SARIF 2.1.0 (OASIS standard, errata 01).
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "weir/report/finding_rows.h"
#include "weir/report/gate_files.h"
#include "weir/report/json_writer.h"
#include "weir/report/prof_health_text.h"

namespace weir::report {

using model::CodePlace;
using model::Finding;
using model::GateReport;

namespace {

/// A path as the path of a URI (RFC 3986): everything but unreserved characters and slashes is
/// percent-encoded.
std::string uri_path(std::string_view path) {
  std::string out;
  for (const char c : path) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (word || c == '/' || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::string_view level_of(const Finding& finding, bool strict) {
  if (!model::fails(finding, strict)) return "note";
  return finding.cause.certainty == model::Certainty::possible ? "warning" : "error";
}

class Writer {
 public:
  Writer(const GateReport& report, const SarifOptions& options)
      : report_(report), options_(options), json_(out_, JsonWriter::Layout::indented) {
    for (const model::ExecResult& program : report.programs) {
      if (program.stuck && program.stuck->stuck) rules_.emplace("stuck", Rule{stuck_text, ""});
      if (program.pointer_fault)
        rules_.emplace("checkptr", Rule{"Go's own check of unsafe.Pointer failed.",
                                        "The rules are in the documentation of unsafe.Pointer."});
      if (program.scheduler)
        for (const model::SchedVerdict& verdict : program.scheduler->verdicts)
          if (verdict.is_finding)
            rules_.emplace(rule_of(verdict),
                           Rule{"The program's scheduler does not do its work.", verdict.advice});
      for (const Finding& finding : program.findings)
        rules_.emplace(finding.cause.code, Rule{finding.cause.sentence, finding.cause.advice});
    }
    for (const model::Explored& one : report.explored)
      if (!one.outcome.empty())
        rules_.emplace(rule_of(one), Rule{"Some schedule of the test leads to a fault.",
                                          "Run weir replay with the schedule file."});
    for (const model::HealthReport& health : report.health)
      if (health.crossed)
        rules_.emplace(
            rule_of(health),
            Rule{"A profile is beyond its limit.",
                 "Run weir prof -health with the profile; the limits are in .weir.yaml."});
    std::uint64_t index = 0;
    for (auto& [code, rule] : rules_) rule.index = index++;
  }

  std::string write() {
    json_.begin_object();
    json_.member("$schema",
                 "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/"
                 "sarif-schema-2.1.0.json");
    json_.member("version", "2.1.0");
    json_.key("runs");
    json_.begin_array();
    write_run();
    json_.end_array();
    json_.end_object();
    out_ += '\n';
    return std::move(out_);
  }

 private:
  static constexpr const char* stuck_text = "Nothing in the process can make progress.";
  struct Rule {
    std::string text;
    std::string advice;
    std::uint64_t index = 0;
  };

  const GateReport& report_;
  const SarifOptions& options_;
  std::map<std::string, Rule> rules_;
  std::string out_;
  JsonWriter json_;

  void text_object(const char* name, std::string_view text) {
    json_.key(name);
    json_.begin_object();
    json_.member("text", text);
    json_.end_object();
  }

  void write_run() {
    json_.begin_object();
    json_.key("tool");
    json_.begin_object();
    json_.key("driver");
    json_.begin_object();
    json_.member("name", "weir");
    json_.member_if("semanticVersion", options_.version);
    json_.key("rules");
    json_.begin_array();
    for (const auto& [code, rule] : rules_) write_rule(code, rule);
    json_.end_array();
    json_.end_object();
    json_.end_object();
    json_.member("columnKind", "unicodeCodePoints");
    if (!options_.root.empty()) write_root();
    write_invocation();
    json_.key("results");
    json_.begin_array();
    for (const model::ExecResult& program : report_.programs) write_program(program);
    for (const model::Explored& one : report_.explored) write_explored(one);
    for (const model::HealthReport& health : report_.health) write_health(health);
    json_.end_array();
    json_.end_object();
  }

  void write_rule(const std::string& code, const Rule& rule) {
    json_.begin_object();
    json_.member("id", code);
    text_object("shortDescription", rule.text);
    if (!rule.advice.empty()) text_object("help", rule.advice);
    json_.end_object();
  }

  void write_root() {
    std::string root = uri_path(options_.root);
    if (!root.ends_with('/')) root += '/';
    json_.key("originalUriBaseIds");
    json_.begin_object();
    json_.key("SRCROOT");
    json_.begin_object();
    json_.member("uri", "file://" + root);
    json_.end_object();
    json_.end_object();
  }

  /// Programs that could not be checked are the tool's failure, not a result.
  void write_invocation() {
    std::vector<std::string> failures;
    for (const model::ExecResult& program : report_.programs) {
      if (!program.not_checked.empty())
        failures.push_back(program.package + ": " + program.not_checked);
    }
    json_.key("invocations");
    json_.begin_array();
    json_.begin_object();
    json_.member("executionSuccessful", failures.empty());
    json_.key("toolExecutionNotifications");
    json_.begin_array();
    for (const std::string& failure : failures) {
      json_.begin_object();
      json_.member("level", "error");
      text_object("message", failure);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
    json_.end_array();
  }

  void write_location_members(const CodePlace& place) {
    if (!place.file.empty() && place.file != "?") {
      json_.key("physicalLocation");
      json_.begin_object();
      json_.key("artifactLocation");
      json_.begin_object();
      const std::string_view inside = below(place.file, options_.root);
      if (inside.size() < place.file.size()) {
        json_.member("uri", uri_path(inside));
        json_.member("uriBaseId", "SRCROOT");
      } else {
        json_.member("uri", (place.file.starts_with('/') ? "file://" : "") + uri_path(place.file));
      }
      json_.end_object();
      if (place.line > 0) {
        json_.key("region");
        json_.begin_object();
        json_.member("startLine", place.line);
        json_.end_object();
      }
      json_.end_object();
    }
    json_.key("logicalLocations");
    json_.begin_array();
    json_.begin_object();
    json_.member("fullyQualifiedName", place.function);
    json_.member("kind", "function");
    json_.end_object();
    json_.end_array();
  }

  void write_locations(const CodePlace& place) {
    json_.key("locations");
    json_.begin_array();
    if (!place.function.empty()) {
      json_.begin_object();
      write_location_members(place);
      json_.end_object();
    }
    json_.end_array();
  }

  void write_stack(const Finding& finding) {
    if (finding.stack.empty()) return;
    json_.key("stacks");
    json_.begin_array();
    json_.begin_object();
    text_object("message", fmt::format("goroutine {}, {}", finding.exemplar.value, finding.state));
    json_.key("frames");
    json_.begin_array();
    for (const CodePlace& place : finding.stack) {
      json_.begin_object();
      json_.key("location");
      json_.begin_object();
      write_location_members(place);
      json_.end_object();
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
    json_.end_array();
  }

  void write_finding(const model::ExecResult& program, const Finding& finding) {
    json_.begin_object();
    json_.member("ruleId", finding.cause.code);
    json_.member("ruleIndex", rules_.at(finding.cause.code).index);
    json_.member("level", level_of(finding, report_.strict));
    std::string text =
        fmt::format("{} {} in {}: {}", counted(finding.count, "goroutine"),
                    model::to_string(finding.verdict), program.package, finding.cause.sentence);
    if (!finding.tests.empty()) text += " Tests: " + tests_text(finding.tests, 10) + ".";
    text_object("message", text);
    write_locations(best_place(finding, options_.root));
    write_stack(finding);
    json_.key("partialFingerprints");
    json_.begin_object();
    json_.member("weir/v1", finding.fingerprint.id);
    json_.end_object();
    if (report_.has_baseline) json_.member("baselineState", finding.known ? "unchanged" : "new");
    json_.key("properties");
    json_.begin_object();
    json_.member("certainty", model::to_string(finding.cause.certainty));
    json_.member("goroutines", finding.count);
    json_.end_object();
    json_.end_object();
  }

  /// "explore-fatal-error".
  static std::string rule_of(const model::Explored& one) {
    std::string rule = "explore-" + one.outcome;
    std::replace(rule.begin(), rule.end(), ' ', '-');
    return rule;
  }

  /// What is no finding about goroutines: it fails, and has one place or none.
  void write_fault(const std::string& rule, std::string_view text, const CodePlace& place) {
    json_.begin_object();
    json_.member("ruleId", rule);
    json_.member("ruleIndex", rules_.at(rule).index);
    json_.member("level", "error");
    text_object("message", text);
    write_locations(place);
    json_.end_object();
  }

  void write_explored(const model::Explored& one) {
    if (one.outcome.empty()) return;
    write_fault(
        rule_of(one),
        fmt::format("{} of {}: {}: {}; replayed {} of {}, weir replay {}", one.test, one.package,
                    one.outcome, one.message, one.confirmed, one.replayed, one.file),
        one.place);
  }

  /// "scheduler-stalled".
  static std::string rule_of(const model::SchedVerdict& verdict) {
    return fmt::format("scheduler-{}", to_string(verdict.kind));
  }

  void write_scheduler(const model::ExecResult& program) {
    if (!program.scheduler) return;
    for (const model::SchedVerdict& verdict : program.scheduler->verdicts)
      if (verdict.is_finding)
        write_fault(rule_of(verdict), program.package + ": " + verdict.text, {});
  }

  /// "profile-block".
  static std::string rule_of(const model::HealthReport& health) {
    return fmt::format("profile-{}", health_word(health.kind));
  }

  void write_health(const model::HealthReport& health) {
    if (!health.crossed) return;
    write_fault(rule_of(health),
                fmt::format("{} profile: {} ({})", health_word(health.kind),
                            health_sentence(health), health.source),
                place_of(health));
  }

  void write_program(const model::ExecResult& program) {
    if (program.stuck && program.stuck->stuck)
      write_fault("stuck", program.package + ": " + program.stuck->headline,
                  program.stuck->lines.empty() ? CodePlace{} : program.stuck->lines.front().where);
    if (program.pointer_fault)
      write_fault("checkptr", program.package + ": " + program.pointer_fault->message,
                  best_place(program.pointer_fault->stack, {}, options_.root));
    write_scheduler(program);
    for (const Finding& finding : program.findings) write_finding(program, finding);
  }
};

}  // namespace

std::string render_sarif(const GateReport& report, const SarifOptions& options) {
  return Writer(report, options).write();
}

}  // namespace weir::report
