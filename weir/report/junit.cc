// JUnit XML. The dialect is the schema of the Jenkins xUnit plugin (junit-10.xsd), which GitLab,
// Azure DevOps and others read too.
#include <fmt/format.h>

#include <iterator>

#include "weir/report/finding_rows.h"
#include "weir/report/gate_files.h"
#include "weir/report/prof_health_text.h"
#include "weir/report/text_safety.h"

namespace weir::report {

using model::ExecResult;
using model::Finding;
using model::GateReport;

namespace {

/// XML 1.0 has no way to write most control characters, nor U+FFFE and U+FFFF.
bool is_xml(std::string_view one) {
  const auto first = static_cast<unsigned char>(one[0]);
  if (one.size() == 1) return first >= 0x20 || first == '\t' || first == '\n' || first == '\r';
  return one != "\xef\xbf\xbe" && one != "\xef\xbf\xbf";
}

/// For text and for attributes in double quotes alike.
std::string xml(std::string_view text) {
  std::string out;
  std::string valid;
  append_utf8(valid, text);
  for (std::string_view rest = valid; !rest.empty();) {
    const std::string_view one = rest.substr(0, utf8_length(rest));
    rest.remove_prefix(one.size());
    if (one == "&") {
      out += "&amp;";
    } else if (one == "<") {
      out += "&lt;";
    } else if (one == ">") {
      out += "&gt;";
    } else if (one == "\"") {
      out += "&quot;";
    } else if (one == "\n") {
      out += "&#10;";
    } else if (one == "\r") {
      out += "&#13;";
    } else if (one == "\t") {
      out += "&#9;";
    } else {
      out += is_xml(one) ? one : std::string_view("\xef\xbf\xbd");
    }
  }
  return out;
}

struct Totals {
  std::size_t tests = 0;
  std::size_t failures = 0;
  std::size_t errors = 0;
  std::size_t skipped = 0;

  void add(const Totals& other) {
    tests += other.tests;
    failures += other.failures;
    errors += other.errors;
    skipped += other.skipped;
  }
};

std::string details(const Finding& finding, std::uint64_t count) {
  std::string text = fmt::format("{}, {} [{}]\n", counted(count, "goroutine"), finding.state,
                                 model::to_string(finding.cause.certainty));
  if (!finding.blocked_on.empty()) text += fmt::format("blocked on: {}\n", finding.blocked_on);
  for (const model::CodePlace& place : finding.stack)
    text += fmt::format("{}\n    {}:{}\n", place.function, place.file, place.line);
  if (!finding.created.function.empty())
    text += fmt::format("created by {}\n    {}:{}\n", finding.created.function,
                        finding.created.file, finding.created.line);
  if (!finding.cause.advice.empty()) text += fmt::format("advice: {}\n", finding.cause.advice);
  return text + fmt::format("fingerprint: {}\n", finding.fingerprint.id);
}

/// Collects the test cases of one program.
class Suite {
 public:
  explicit Suite(std::string name) : name_(std::move(name)) {}

  void pass(std::string_view name) { open(name, " />\n"); }

  void error(std::string_view name, std::string_view message) {
    open(name, ">\n");
    cases_ +=
        fmt::format("      <error message=\"{}\" type=\"not checked\"></error>\n    </testcase>\n",
                    xml(message));
    ++totals_.errors;
  }

  void failure(std::string_view name, std::string_view message, std::string_view type,
               std::string_view text) {
    open(name, ">\n");
    cases_ +=
        fmt::format("      <failure message=\"{}\" type=\"{}\">{}</failure>\n    </testcase>\n",
                    xml(message), xml(type), xml(text));
    ++totals_.failures;
  }

  void skipped(std::string_view name, std::string_view message) {
    open(name, ">\n");
    cases_ +=
        fmt::format("      <skipped message=\"{}\"></skipped>\n    </testcase>\n", xml(message));
    ++totals_.skipped;
  }

  const Totals& totals() const { return totals_; }

  void write(std::string& out) const {
    out += fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">\n{}"
        "  </testsuite>\n",
        xml(name_), totals_.tests, totals_.failures, totals_.errors, totals_.skipped, cases_);
  }

 private:
  std::string name_;
  Totals totals_;
  std::string cases_;

  void open(std::string_view name, std::string_view end) {
    cases_ +=
        fmt::format("    <testcase classname=\"{}\" name=\"{}\"{}", xml(name_), xml(name), end);
    ++totals_.tests;
  }
};

void add_finding(Suite& suite, const Finding& finding, bool strict) {
  // A finding without tests is a case too.
  const std::vector<model::TestShare> whole = {{"", "", finding.count}};
  for (const model::TestShare& share : finding.tests.empty() ? whole : finding.tests) {
    const std::string name = fmt::format(
        "{}: {}", share.test.empty() ? "not attributed" : share.test, finding.fingerprint.key);
    if (!model::fails(finding, strict)) {
      suite.skipped(name, "known: in weir's baseline");
      continue;
    }
    const std::string message =
        fmt::format("{} {}: {}", counted(share.count, "goroutine"),
                    model::to_string(finding.verdict), finding.cause.sentence);
    suite.failure(name, message, finding.cause.code, details(finding, share.count));
  }
}

Suite suite_of(const ExecResult& program, bool strict) {
  Suite suite(program.package);
  if (!program.not_checked.empty()) suite.error("goroutine leaks", program.not_checked);
  if (program.stuck && program.stuck->stuck) {
    std::string text;
    for (const model::StuckLine& line : program.stuck->lines)
      text += fmt::format("{} {}\n    {}:{}\n", line.where.function, line.what, line.where.file,
                          line.where.line);
    suite.failure("stuck", program.stuck->headline, "stuck", text);
  }
  if (program.pointer_fault) {
    std::string text;
    for (const model::CodePlace& place : program.pointer_fault->stack)
      text += fmt::format("{}\n    {}:{}\n", place.function, place.file, place.line);
    suite.failure("unsafe pointers", program.pointer_fault->message, "checkptr", text);
  }
  if (program.scheduler)
    for (const model::SchedVerdict& verdict : program.scheduler->verdicts)
      if (verdict.is_finding)
        suite.failure(fmt::format("scheduler: {}", to_string(verdict.kind)), verdict.text,
                      to_string(verdict.kind), verdict.advice + "\n");
  for (const Finding& finding : program.findings) add_finding(suite, finding, strict);
  if (suite.totals().tests == 0) suite.pass("goroutine leaks");
  return suite;
}

/// A suite for each package whose tests were explored, a case for each test.
std::vector<Suite> explored_suites(const GateReport& report) {
  std::vector<Suite> suites;
  std::string package;
  for (const model::Explored& one : report.explored) {
    if (suites.empty() || one.package != package)
      suites.emplace_back((package = one.package) + " (explored)");
    const std::string name = one.test + ": schedules";
    if (!one.outcome.empty()) {
      const std::string where =
          one.place.file.empty() ? "" : fmt::format("at {}:{}\n", one.place.file, one.place.line);
      suites.back().failure(name, fmt::format("{}: {}", one.outcome, one.message), one.outcome,
                            fmt::format("{}replayed {} of {}\nweir replay {}\n", where,
                                        one.confirmed, one.replayed, one.file));
    } else if (one.control == "not controlled") {
      suites.back().skipped(name, "not controlled: " + one.why);
    } else {
      suites.back().pass(name);
    }
  }
  return suites;
}

/// A suite for each package whose profiles were judged, a case for each profile. Profiles that no
/// tests wrote are in one suite.
std::vector<Suite> health_suites(const GateReport& report) {
  std::vector<Suite> suites;
  std::string package;
  for (const model::HealthReport& health : report.health) {
    if (suites.empty() || health.package != package) {
      package = health.package;
      suites.emplace_back(package.empty() ? "profiles" : package + " (profiles)");
    }
    const std::string word(health_word(health.kind));
    const std::string name = fmt::format("{} profile{}{}", word, package.empty() ? ": " : "",
                                         package.empty() ? health.source : "");
    if (health.crossed) {
      suites.back().failure(name, health_sentence(health), "profile-" + word,
                            fmt::format("{}\n{}", health.source, health_stacks(health, 0)));
    } else {
      suites.back().pass(name);
    }
  }
  return suites;
}

}  // namespace

std::string render_junit(const GateReport& report) {
  std::string suites;
  Totals all;
  for (const ExecResult& program : report.programs) {
    const Suite suite = suite_of(program, report.strict);
    suite.write(suites);
    all.add(suite.totals());
  }
  for (const auto& more : {explored_suites(report), health_suites(report)})
    for (const Suite& suite : more) {
      suite.write(suites);
      all.add(suite.totals());
    }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<testsuites name=\"weir\" tests=\"{}\" failures=\"{}\" errors=\"{}\">\n{}</testsuites>\n",
      all.tests, all.failures, all.errors, suites);
}

}  // namespace weir::report
