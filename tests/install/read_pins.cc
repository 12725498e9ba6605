// A stranger's program that looks containers up in the pins; here in a folder that holds none.
#include <roster/reader.h>

#include <cstdio>

int main() {
  absl::StatusOr<roster::Reader> reader = roster::Reader::Open("/nonexistent");
  if (!absl::IsNotFound(reader.status())) {
    std::fprintf(stderr, "read_pins: expected NOT_FOUND, got %s\n",
                 reader.status().ToString().c_str());
    return 1;
  }
  return 0;
}
