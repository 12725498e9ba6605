// What real engines said, for tests.
#ifndef ROSTER_TESTS_UNIT_ENRICH_RECORDED_H_
#define ROSTER_TESTS_UNIT_ENRICH_RECORDED_H_

#include <string>
#include <vector>

namespace roster {

inline constexpr char kRecordedDocker[] =
    "2be77e8e3e8ac57a47c6d9c1db44da81dc15cbac343056a6e36f98d19152402e";
inline constexpr char kRecordedPodman[] =
    "a872be00003f3c7551bb7811e98bb6a0a8e480df7973b2e20912bbdae2d780da";
inline constexpr char kRecordedImage[] =
    "6dde16c1832022831c80e8c761082edfc8527d74d25808589f9ee9e6b9625a38";
inline constexpr char kRecordedDigest[] =
    "sha256:8546d1d409e1a26e60107cb339cc90794b6f40ca6c6fd0caa7416c142225da85";

// The text of recorded/`name`; ends the test program when it is not there.
std::string Recorded(const std::string& name);

// Texts that are no reply of any engine: empty, cut off, other types, too deep, too many values.
std::vector<std::string> GarbageReplies();

}  // namespace roster

#endif  // ROSTER_TESTS_UNIT_ENRICH_RECORDED_H_
