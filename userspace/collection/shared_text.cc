#include "roster/shared_text.h"

#include <atomic>
#include <cstdint>
#include <cstring>
#include <limits>
#include <new>
#include <stdexcept>

namespace roster {

struct SharedText::Block {
  std::atomic<uint32_t> holders;
  uint32_t size;

  char* text() { return reinterpret_cast<char*>(this + 1); }
};

const char* SharedText::data() const { return block_ == nullptr ? "" : block_->text(); }
size_t SharedText::size() const { return block_ == nullptr ? 0 : block_->size; }

SharedText::Block* SharedText::Make(std::string_view text) {
  if (text.empty()) return nullptr;
  if (text.size() > std::numeric_limits<uint32_t>::max()) throw std::length_error("SharedText");
  void* memory = ::operator new(sizeof(Block) + text.size() + 1);
  auto* block = new (memory) Block{{1}, static_cast<uint32_t>(text.size())};
  std::memcpy(block->text(), text.data(), text.size());
  block->text()[text.size()] = '\0';
  return block;
}

void SharedText::Hold(Block* block) noexcept {
  if (block != nullptr) block->holders.fetch_add(1, std::memory_order_relaxed);
}

void SharedText::Drop(Block* block) noexcept {
  if (block == nullptr || block->holders.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  block->~Block();
  ::operator delete(block);
}

}  // namespace roster
