// TestPinsTest gives each test pins of its own, and skips those that cannot have any.
#ifndef ROSTER_TESTS_UNIT_LOOKUP_PINS_FIXTURE_H_
#define ROSTER_TESTS_UNIT_LOOKUP_PINS_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "unit/lookup/test_pins.h"

namespace roster {

class TestPinsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = WhyNoTestPins(); !why.empty()) GTEST_SKIP() << why;
    auto pins = TestPins::Make();
    ASSERT_TRUE(pins.ok()) << pins.status();
    pins_ = *std::move(pins);
  }

  std::unique_ptr<TestPins> pins_;
};

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_LOOKUP_PINS_FIXTURE_H_
