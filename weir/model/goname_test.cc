#include "weir/model/goname.h"

#include <gtest/gtest.h>

namespace weir::model {
namespace {

TEST(GoName, PackageIsBeforeTheFirstDotAfterTheLastSlash) {
  EXPECT_EQ(package_of("main.main"), "main");
  EXPECT_EQ(package_of("net/http.(*Client).Do"), "net/http");
  EXPECT_EQ(package_of("github.com/a/b.(*T[github.com/x/y.Z]).do"), "github.com/a/b");
  EXPECT_EQ(package_of("main.f[go.shape.struct { a.b/c int }]"), "main");
  EXPECT_EQ(package_of("gopkg.in/yaml%2ev3.Unmarshal"), "gopkg.in/yaml.v3");
  EXPECT_EQ(package_of("crosscall2"), "");
}

TEST(GoName, StandardPackages) {
  for (const char* package :
       {"runtime", "net/http", "internal/poll", "crypto/internal/fips140/aes", "net/http/internal",
        "vendor/golang.org/x/net/http2", "testing", "weak", "simd"})
    EXPECT_TRUE(is_standard_package(package)) << package;
  for (const char* package : {"main", "", "net/http_test", "github.com/net/http", "log/mine",
                              "example.com/internal/x", "logger", "nets"})
    EXPECT_FALSE(is_standard_package(package)) << package;
}

TEST(GoName, ShownFramesAreThoseOfATraceback) {
  EXPECT_TRUE(is_shown("main.main", true));
  EXPECT_TRUE(is_shown("runtime.Gosched", true));
  EXPECT_TRUE(is_shown("runtime.(*Func).Entry", true));
  EXPECT_TRUE(is_shown("runtime/pprof.writeGoroutine", true));
  EXPECT_TRUE(is_shown("runtime.gopanic", false));
  EXPECT_FALSE(is_shown("runtime.runfinq", false));
  EXPECT_FALSE(is_shown("runtime.gopanic", true));
  EXPECT_FALSE(is_shown("runtime.gopark", true));
  EXPECT_FALSE(is_shown("runtime.(*mheap).Alloc", true));
  EXPECT_FALSE(is_shown("cfunction", true));
}

TEST(GoName, TypeArgumentsFoldAsInATraceback) {
  EXPECT_EQ(name_in_traceback("runtime.gopanic"), "panic");
  EXPECT_EQ(name_in_traceback("main.f[go.shape.int]"), "main.f[...]");
  EXPECT_EQ(name_in_traceback("main.f[[]int,map[string]int].func1"), "main.f[...].func1");
  EXPECT_EQ(name_in_traceback("main.(*T[go.shape.int]).do[go.shape.[]string]"),
            "main.(*T[...]).do[...]");
  EXPECT_EQ(name_in_traceback("main.f[...]"), "main.f[...]");
  EXPECT_EQ(name_in_traceback("main.broken]["), "main.broken][");
  EXPECT_EQ(name_in_traceback("main.open[x"), "main.open[x");
}

TEST(GoName, ClosuresFoldIntoTheirFunction) {
  EXPECT_EQ(without_closures("main.run"), "main.run");
  EXPECT_EQ(without_closures("main.run.func1"), "main.run");
  EXPECT_EQ(without_closures("main.run.func1.2.3"), "main.run");
  EXPECT_EQ(without_closures("main.run.gowrap1"), "main.run");
  EXPECT_EQ(without_closures("main.run.func2.deferwrap1"), "main.run");
  EXPECT_EQ(without_closures("main.(*T).run-fm"), "main.(*T).run");
  EXPECT_EQ(without_closures("main.run-range1"), "main.run");
  EXPECT_EQ(without_closures("main.run.func1-range2"), "main.run");
  EXPECT_EQ(without_closures("main.run.func1.g.func2"), "main.run.g");
  EXPECT_EQ(without_closures("main.main.(*T).run.func1"), "main.(*T).run");
  EXPECT_EQ(without_closures("main.F[go.shape.int].func1"), "main.F[...]");
  EXPECT_EQ(without_closures("main.(*T[go.shape.int]).run.func1"), "main.(*T[...]).run");
  EXPECT_EQ(without_closures("main.glob..func1"), "main.init");
  EXPECT_EQ(without_closures("main.init.0.func1"), "main.init");
  EXPECT_EQ(without_closures("main.f·dwrap·1"), "main.f");
  EXPECT_EQ(without_closures("gopkg.in/yaml%2ev3.f.func1"), "gopkg.in/yaml%2ev3.f");
}

TEST(GoName, AFunctionMayBeCalledLikeAClosure) {
  EXPECT_EQ(without_closures("main.func1"), "main.func1");
  EXPECT_EQ(without_closures("main.functional"), "main.functional");
  EXPECT_EQ(without_closures("main.T.func1x"), "main.T.func1x");
  EXPECT_EQ(without_closures("crosscall2"), "crosscall2");
}

}  // namespace
}  // namespace weir::model
