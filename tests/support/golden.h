#pragma once
// Compares a text with a file under tests/golden. WEIR_UPDATE_GOLDEN=1 writes the files instead;
// look at the diff before committing it.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace weir::test {

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(WEIR_SOURCE_DIR) + "/tests/golden/" + name;
  if (std::getenv("WEIR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << "no " << path;
  const std::string expected{std::istreambuf_iterator<char>(file), {}};
  EXPECT_EQ(text, expected) << "differs from tests/golden/" << name;
}

}  // namespace weir::test
