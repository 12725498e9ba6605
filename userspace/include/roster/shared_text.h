// SharedText is a text whose copies are one text: the size of a pointer, nothing when empty.
//
//   container.runtime.container_image_name = "nginx:1.25";       // from any text
//   if (container.bundle.view().starts_with("/run/")) ...        // reads as std::string_view
//   std::string path = container.cgroup_path;                    // and as std::string
//
// For the fields of a container that are long, or that most lack: a std::string would be four times
// the size there, and copied with every description.
//
// The text itself never changes: assigning points to another. Thread-compatible, as std::string:
// copies may be used from different threads, one object not while it is assigned to.
#ifndef ROSTER_SHARED_TEXT_H_
#define ROSTER_SHARED_TEXT_H_

#include <cstddef>
#include <ostream>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace roster {

class SharedText {
  template <typename Text>
  static constexpr bool kIsText = std::is_convertible_v<const Text&, std::string_view> &&
                                  !std::is_same_v<std::decay_t<Text>, SharedText>;

 public:
  SharedText() = default;
  // From std::string, std::string_view, const char*. Implicit, as std::string's from a literal.
  template <typename Text, typename = std::enable_if_t<kIsText<Text>>>
  SharedText(const Text& text) : block_(Make(std::string_view(text))) {}
  SharedText(const SharedText& other) noexcept : block_(other.block_) { Hold(block_); }
  SharedText(SharedText&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  SharedText& operator=(const SharedText& other) noexcept {
    SharedText(other).swap(*this);
    return *this;
  }
  SharedText& operator=(SharedText&& other) noexcept {
    SharedText(std::move(other)).swap(*this);
    return *this;
  }
  ~SharedText() { Drop(block_); }

  // Valid until this object, and every copy of it, is assigned to or gone.
  std::string_view view() const { return {data(), size()}; }
  operator std::string_view() const { return view(); }
  operator std::string() const { return std::string(view()); }

  // Ends with a NUL, which size() does not count.
  const char* c_str() const { return data(); }
  const char* data() const;
  size_t size() const;
  bool empty() const { return block_ == nullptr; }

  void clear() { SharedText().swap(*this); }
  void swap(SharedText& other) noexcept { std::swap(block_, other.block_); }

  friend bool operator==(const SharedText& a, const SharedText& b) {
    return a.block_ == b.block_ || a.view() == b.view();
  }
  template <typename Text, typename = std::enable_if_t<kIsText<Text>>>
  friend bool operator==(const SharedText& a, const Text& b) {
    return a.view() == std::string_view(b);
  }
  friend std::ostream& operator<<(std::ostream& out, const SharedText& text) {
    return out << text.view();
  }

 private:
  struct Block;  // a count of holders, a length, the text, a NUL

  // nullptr for the empty text. std::length_error past 4 GiB.
  static Block* Make(std::string_view text);
  static void Hold(Block* block) noexcept;
  static void Drop(Block* block) noexcept;

  Block* block_ = nullptr;
};

}  // namespace roster

#endif  // ROSTER_SHARED_TEXT_H_
