#pragma once
// Pages that weir writes, tried in a browser.
#include <string>
#include <vector>

namespace weir::live {

/// Runs tests/browser/`script` on the files. Skips the test where there is no browser.
void expect_page_works(const std::string& script, const std::vector<std::string>& files);

}  // namespace weir::live
