#include "weir/gosym/func_id.h"

#include <gtest/gtest.h>

namespace weir::gosym {
namespace {

TEST(FuncId, IsRenumberedByEachVersion) {
  EXPECT_EQ(to_func_id(21, 19), FuncId::wrapper);
  EXPECT_EQ(to_func_id(22, 21), FuncId::unknown);
  EXPECT_EQ(to_func_id(22, 22), FuncId::wrapper);
  EXPECT_EQ(to_func_id(22, 24), FuncId::wrapper);
  EXPECT_EQ(to_func_id(23, 25), FuncId::wrapper);
  EXPECT_EQ(to_func_id(23, 0), FuncId::wrapper);
  EXPECT_EQ(to_func_id(9, 21), FuncId::gopanic);
  EXPECT_EQ(to_func_id(10, 22), FuncId::gopanic);
  EXPECT_EQ(to_func_id(255, 27), FuncId::unknown);
}

TEST(NameForPrint, HidesTypeArguments) {
  EXPECT_EQ(name_for_print("main.F", 27), "main.F");
  EXPECT_EQ(name_for_print("main.F[go.shape.int]", 21), "main.F[...]");
  EXPECT_EQ(name_for_print("main.(*T[go.shape.[]int]).M.func1", 27), "main.(*T[...]).M.func1");
  EXPECT_EQ(name_for_print("main.(*T[a[b]]).M[c[d]].func1", 27), "main.(*T[...]).M[...].func1");
  EXPECT_EQ(name_for_print("main.(*T[a]).M[c]", 26), "main.(*T[...]");  // as 1.26 would
  EXPECT_EQ(name_for_print("odd][name", 27), "odd][name");
  EXPECT_EQ(name_for_print("odd[a]]b[c]", 27), "odd[a]]b[c]");
}

}  // namespace
}  // namespace weir::gosym
