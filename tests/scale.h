// How much slower than usual the tests run, and how often they repeat there what they repeat.
#ifndef ROSTER_TESTS_SCALE_H_
#define ROSTER_TESTS_SCALE_H_

#include <algorithm>
#include <cstdlib>

namespace roster::testing {

// The factor of the environment's ROSTER_TEST_TIME_SCALE: 10 in a guest without KVM, which is 14 to
// 30 times slower. 1 where it is unset or not a positive number.
inline double TimeScale() {
  const char* text = std::getenv("ROSTER_TEST_TIME_SCALE");
  const double scale = text == nullptr ? 1.0 : std::strtod(text, nullptr);
  return scale > 0 ? scale : 1.0;
}

// How often to do what is done `usual` times at full speed, so that it takes about as long; at
// least once.
inline int Repeats(int usual) { return std::max(1, static_cast<int>(usual / TimeScale())); }

}  // namespace roster::testing

#endif  // ROSTER_TESTS_SCALE_H_
