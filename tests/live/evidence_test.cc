// The same program through every kind of evidence: process, recording, the three forms of its
// goroutine profile. What one knows, all must say.
#include "weir/ingest/evidence.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>

#include "tests/support/go_test_case.h"
#include "weir/analysis/top.h"
#include "weir/analysis/trend.h"

namespace weir::live {
namespace {

namespace fs = std::filesystem;
using ingest::EvidenceOptions;
using ingest::read_evidence;
using model::Tally;
using test_support::Child;
using test_support::Completed;
using testing::HasSubstr;

class EvidenceTest : public test_support::GoTest {
 protected:
  void SetUp() override {
    WEIR_BUILD_GO(program, go(), "endpoint");
    std::string folder = (fs::temp_directory_path() / "weir-evidence-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    folder_ = folder;
    auto child = Child::start({program, folder});
    ASSERT_TRUE(child.has_value()) << to_string(child.error());
    child_.emplace(std::move(*child));
    ASSERT_TRUE(child_->wait_for_line("ready").has_value());
    pid_ = std::to_string(child_->pid());
  }
  void TearDown() override {
    std::error_code ignored;
    if (!folder_.empty()) fs::remove_all(folder_, ignored);
  }

  /// "127.0.0.1:4711" of the line that begins with `name`.
  std::string address(const std::string& name) const {
    const std::string& out = child_->out();
    const auto at = out.find(name + " ");
    if (at == out.npos) return "";
    const auto begin = at + name.size() + 1;
    return out.substr(begin, out.find('\n', begin) - begin);
  }
  std::string url(const std::string& path) const { return "http://" + address("http") + path; }

  std::optional<Child> child_;
  std::string pid_;
  fs::path folder_;
};

/// How many goroutines wait in main's own functions, by fingerprint without the creator.
std::map<std::string, std::uint64_t> parked_in(Tally tally) {
  for (model::TallyEntry& entry : tally.entries) entry.exemplar.created = {};
  analysis::TopQuery query;
  query.filter.focus = *Pattern::compile("^main\\.(receive|send|acquire|await|choose)$");
  std::map<std::string, std::uint64_t> counts;
  for (const model::TopRow& row : analysis::top(tally, query).rows) counts[row.key] = row.count;
  return counts;
}

std::map<std::string, std::uint64_t> without_waits(
    const std::map<std::string, std::uint64_t>& counts) {
  std::map<std::string, std::uint64_t> without;
  for (const auto& [key, count] : counts) without["any state" + key.substr(key.find(':'))] = count;
  return without;
}

std::string error_of(const std::string& name, const EvidenceOptions& options = {}) {
  const auto read = read_evidence(name, options);
  return read ? "" : to_string(read.error());
}

TEST_P(EvidenceTest, EveryKindSaysTheSame) {
  const std::map<std::string, std::uint64_t> expected{
      {"chan receive: main.receive", 3},
      {"chan send: main.send", 4},
      {"select: main.choose", 7},
      {"sync.Mutex.Lock: sync.(*Mutex).Lock < main.acquire", 5},
      {"sync.WaitGroup.Wait: sync.(*WaitGroup).Wait < main.await", 6}};
  const std::string recording = (folder_ / "x.weir").string();
  WEIR_ASSERT_OK(const Completed done,
                 test_support::run({WEIR_BINARY, "dump", "-o", recording, pid_}, {}));
  ASSERT_EQ(done.exit.code, 0) << done.err;
  const std::string goroutine = url("/debug/pprof/goroutine");
  for (const std::string& source : {pid_, recording, address("http"), goroutine + "?debug=1",
                                    goroutine + "?debug=2", url("/inside")}) {
    SCOPED_TRACE(source);
    WEIR_ASSERT_OK(const auto tallies, read_evidence(source, {}));
    ASSERT_EQ(tallies.size(), 1u);
    // Only the functions: debug=1 hides the frames that tell what a goroutine waits for.
    const bool tells = tallies[0].knows.wait;
    EXPECT_EQ(tells, source.find("debug=1") == source.npos);
    EXPECT_EQ(parked_in(tallies[0]), tells ? expected : without_waits(expected));
  }
}

TEST_P(EvidenceTest, KindsCanBeCompared) {
  WEIR_ASSERT_OK(auto process, read_evidence(pid_, {}));
  WEIR_ASSERT_OK(auto profile, read_evidence(address("http"), {}));
  const std::vector<Tally> both{process[0], profile[0]};
  const model::TrendReport report = analysis::trend(both);
  for (const model::TrendRow& row : report.rows) {
    if (row.fingerprint.key.find("main.") == std::string::npos) continue;
    EXPECT_EQ(row.movement, model::Movement::same) << row.fingerprint.key;
  }
  ASSERT_FALSE(report.notes.empty());
  EXPECT_THAT(report.notes.all()[0].text, HasSubstr("without creators"));
}

TEST_P(EvidenceTest, CredentialsAreGivenAndNotPrinted) {
  EXPECT_THAT(error_of(url("/guarded")), HasSubstr("401 \"who are you?\""));
  EvidenceOptions options;
  options.http.basic_auth = "me:wrong";
  EXPECT_THAT(error_of(url("/guarded"), options), HasSubstr("401"));
  options.http.basic_auth = "me:secret";
  EXPECT_EQ(error_of(url("/guarded"), options), "");
  options.http.basic_auth.clear();
  options.http.bearer_token = "token";
  EXPECT_EQ(error_of(url("/guarded"), options), "");
  const std::string with_password = "http://me:secret@" + address("http");
  EXPECT_EQ(error_of(with_password + "/guarded"), "");
  EXPECT_THAT(error_of(with_password + "/nosuch"), Not(HasSubstr("secret")));
}

TEST_P(EvidenceTest, CredentialsComeFromTheEnvironmentToo) {
  const auto code = [&](std::vector<std::string> environment) {
    environment.push_back("HOME=" + folder_.string());
    const auto done = test_support::run({WEIR_BINARY, "top", url("/guarded")},
                                        {.environment = std::move(environment)});
    EXPECT_TRUE(done.has_value());
    return done ? done->exit.code : -1;
  };
  EXPECT_EQ(code({}), 2);
  EXPECT_EQ(code({"WEIR_HTTP_AUTH=me:secret"}), 0);
  EXPECT_EQ(code({"WEIR_HTTP_BEARER=token"}), 0);
  std::ofstream(folder_ / ".netrc") << "machine 127.0.0.1 login me password secret\n";
  EXPECT_EQ(code({}), 0);
  EXPECT_EQ(code({"WEIR_HTTP_AUTH=me:wrong"}), 2) << "what is said counts for more than .netrc";
}

TEST_P(EvidenceTest, RedirectsStayWithinTheHost) {
  EXPECT_THAT(error_of(url("/outside")), HasSubstr("redirects to another host"));
  EXPECT_THAT(error_of(url("/circle")), HasSubstr("redirects without end"));
}

TEST_P(EvidenceTest, ServersThatMisbehaveAreLeft) {
  EXPECT_THAT(
      error_of(url("/nosuch")),
      AllOf(HasSubstr("answered 404"), HasSubstr("; does the program import net/http/pprof")));
  EvidenceOptions options;
  options.http.timeout = Nanos{200'000'000};
  EXPECT_THAT(error_of(url("/slow"), options), HasSubstr("Timeout was reached"));
  options = {};
  options.http.size_limit = 1 << 20;
  EXPECT_THAT(error_of(url("/endless"), options), HasSubstr("larger than the limit"));
}

TEST_P(EvidenceTest, CertificatesAreChecked) {
  const std::string secure = "https://" + address("https") + "/debug/pprof/goroutine";
  EXPECT_THAT(error_of(secure), HasSubstr("SSL"));
  EvidenceOptions options;
  options.http.insecure = true;
  EXPECT_EQ(error_of(secure, options), "");
  options = {};
  options.http.ca_file = (folder_ / "ca.pem").string();
  EXPECT_EQ(error_of(secure, options), "") << "trusted by name";
  const std::string mutual = "https://" + address("mutual") + "/debug/pprof/goroutine";
  EXPECT_NE(error_of(mutual, options), "") << "the server asks for a certificate";
  options.http.cert_file = (folder_ / "client.pem").string();
  options.http.key_file = (folder_ / "client-key.pem").string();
  EXPECT_EQ(error_of(mutual, options), "");
  options.http.ca_file = (folder_ / "nosuch.pem").string();
  EXPECT_NE(error_of(mutual, options), "");
}

TEST_P(EvidenceTest, OtherProfilesAreRefusedByName) {
  EXPECT_THAT(error_of(url("/debug/pprof/heap")), HasSubstr("counts alloc_objects/count"));
  EXPECT_THAT(error_of(url("/debug/pprof/threadcreate?debug=1")), HasSubstr("counts threadcreate"));
  EXPECT_EQ(error_of(url("/debug/pprof/")), "") << "the index stands for the goroutine profile";
}

WEIR_FOR_EACH_GO(EvidenceTest);

TEST(Table, CommandsFollowTheirExitCodes) {
  const std::string before = WEIR_SOURCE_DIR "/tests/golden/dump/go1.26-all.txt";
  const std::string after = WEIR_SOURCE_DIR "/tests/golden/dump/go1.26-system.txt";
  const auto code = [](std::vector<std::string> args) {
    args.insert(args.begin(), WEIR_BINARY);
    const auto done = test_support::run(args, {});
    return done ? done->exit.code : -1;
  };
  EXPECT_EQ(code({"top", before}), 0);
  EXPECT_EQ(code({"top", "-by", "state", "-json", before}), 0);
  EXPECT_EQ(code({"top"}), 2);
  EXPECT_EQ(code({"top", "-focus", "(", before}), 2);
  EXPECT_EQ(code({"diff", before, before}), 0);
  EXPECT_EQ(code({"diff", before, after}), 1);
  EXPECT_EQ(code({"diff", before}), 2);
  EXPECT_EQ(code({"diff", before, "nosuch"}), 2);
}

}  // namespace
}  // namespace weir::live
