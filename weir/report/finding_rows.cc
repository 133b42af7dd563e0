#include "weir/report/finding_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <tuple>

#include "weir/model/goname.h"

namespace weir::report {

using model::CodePlace;
using model::Finding;

namespace {

bool is_user(const CodePlace& place) {
  const std::string package = model::package_of(place.function);
  return !package.empty() && !model::is_standard_package(package);
}

bool is_below(std::string_view path, std::string_view root) {
  return !root.empty() && below(path, root).size() < path.size();
}

auto order(const FindingRow& row) {
  return std::make_tuple(!row.fails, -static_cast<int>(row.finding->cause.certainty));
}

}  // namespace

std::vector<FindingRow> rows_of(const model::GateReport& report) {
  std::map<std::string, FindingRow> by_id;
  std::map<std::string, std::uint64_t> largest;
  for (const model::ExecResult& program : report.programs) {
    for (const Finding& finding : program.findings) {
      FindingRow& row = by_id[finding.fingerprint.id];
      std::uint64_t& most = largest[finding.fingerprint.id];
      if (row.finding == nullptr || finding.count > most) {
        row.finding = &finding;
        most = finding.count;
      }
      if (row.packages.empty() || row.packages.back() != program.package)
        row.packages.push_back(program.package);
      row.count += finding.count;
      row.fails |= model::fails(finding, report.strict);
      for (model::TestShare share : finding.tests) {
        if (report.programs.size() > 1 && !share.test.empty())
          share.test = program.package + "." + share.test;
        row.tests.push_back(std::move(share));
      }
    }
  }
  std::vector<FindingRow> rows;
  for (auto& [id, row] : by_id) rows.push_back(std::move(row));
  std::sort(rows.begin(), rows.end(), [](const FindingRow& a, const FindingRow& b) {
    if (order(a) != order(b)) return order(a) < order(b);
    if (a.count != b.count) return a.count > b.count;
    return std::tie(a.finding->fingerprint.key, a.finding->fingerprint.id) <
           std::tie(b.finding->fingerprint.key, b.finding->fingerprint.id);
  });
  for (FindingRow& row : rows)
    std::stable_sort(row.tests.begin(), row.tests.end(),
                     [](const auto& a, const auto& b) { return a.count > b.count; });
  return rows;
}

CodePlace best_place(const std::vector<CodePlace>& stack, const CodePlace& created,
                     std::string_view root) {
  const auto inside = [&](const CodePlace& p) { return is_user(p) && is_below(p.file, root); };
  for (const auto& fits : {std::function<bool(const CodePlace&)>(inside),
                           std::function<bool(const CodePlace&)>(is_user)}) {
    const auto found = std::find_if(stack.begin(), stack.end(), fits);
    if (found != stack.end()) return *found;
    if (fits(created)) return created;
  }
  return stack.empty() ? created : stack.front();
}

CodePlace best_place(const Finding& finding, std::string_view root) {
  return best_place(finding.stack, finding.created, root);
}

std::string_view below(std::string_view path, std::string_view root) {
  while (root.ends_with('/')) root.remove_suffix(1);
  if (root.empty() || !path.starts_with(root) || path.size() <= root.size() + 1 ||
      path[root.size()] != '/')
    return path;
  return path.substr(root.size() + 1);
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string tests_text(const std::vector<model::TestShare>& tests, std::size_t most) {
  std::string text;
  for (std::size_t i = 0; i < tests.size() && i < most; ++i) {
    const model::TestShare& share = tests[i];
    if (i > 0) text += ", ";
    text += share.test.empty() ? fmt::format("not attributed: {}", share.why) : share.test;
    if (tests.size() > 1) text += fmt::format(" ({})", share.count);
  }
  if (tests.size() > most) text += fmt::format(" and {} more", tests.size() - most);
  return text;
}

}  // namespace weir::report
