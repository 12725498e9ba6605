// Rounds of a call, timed, and what they are compared with.
//
// Each figure is the median of several rounds; ratios are within one run.
#ifndef ROSTER_TESTS_BENCH_COLLECTION_BENCH_MEASURE_H_
#define ROSTER_TESTS_BENCH_COLLECTION_BENCH_MEASURE_H_

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <string_view>
#include <vector>

namespace roster {

constexpr int kRounds = 15;
constexpr int kCalls = 1 << 14;

inline std::atomic<uint64_t> sink{0};
inline void Use(uint64_t value) { sink.fetch_add(value, std::memory_order_relaxed); }

inline double Now(clockid_t clock) {
  timespec time;
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

// Nanoseconds for one call of `body(i)`.
template <typename Body>
double Round(int calls, Body body, clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  const double begin = Now(clock);
  for (int i = 0; i < calls; ++i) body(i);
  return (Now(clock) - begin) / calls;
}

// The rounds, sorted.
template <typename Body>
std::vector<double> Rounds(clockid_t clock, int calls, Body body) {
  std::vector<double> rounds;
  for (int r = 0; r < kRounds + 1; ++r) {
    const double time = Round(calls, body, clock);
    if (r > 0) rounds.push_back(time);  // the first one warms up
  }
  std::sort(rounds.begin(), rounds.end());
  return rounds;
}

template <typename Body>
double Measure(int calls, Body body) {
  return Rounds(CLOCK_THREAD_CPUTIME_ID, calls, body)[kRounds / 2];
}

// Of what several threads do together. `goal`: at most that many times `bare`; 0: none.
inline void PrintWall(std::string_view what, double bare, double goal,
                      const std::vector<double>& rounds) {
  const double median = rounds[kRounds / 2];
  std::printf("%-58.*s %10.1f ns %7.2fx   (min %.1f)", static_cast<int>(what.size()), what.data(),
              median, median / bare, rounds[0]);
  if (goal > 0) std::printf("   %.0f (%.0f ns here)", goal, goal * bare);
  std::printf("\n");
}

template <typename Body>
void MeasureWall(std::string_view what, double bare, double goal, int calls, Body body) {
  PrintWall(what, bare, goal, Rounds(CLOCK_MONOTONIC, calls, body));
}

struct Line {
  const char* what;
  const char* goal;
};

// Compares `body` with `bare`, in turns: what else the machine does then weighs on both. The ratio
// is the median of the rounds' ratios.
template <typename Bare, typename Body>
void Compare(Line line, Bare bare, int calls, Body body) {
  std::vector<double> times;
  std::vector<double> ratios;
  for (int r = 0; r < kRounds + 1; ++r) {
    const double bare_time = Round(kCalls, bare);
    const double time = Round(calls, body);
    if (r == 0) continue;  // warms up
    times.push_back(time);
    ratios.push_back(time / bare_time);
  }
  std::sort(times.begin(), times.end());
  std::sort(ratios.begin(), ratios.end());
  std::printf("%-58s %10.1f ns %7.2fx   %s\n", line.what, times[kRounds / 2], ratios[kRounds / 2],
              line.goal);
}

}  // namespace roster

#endif  // ROSTER_TESTS_BENCH_COLLECTION_BENCH_MEASURE_H_
