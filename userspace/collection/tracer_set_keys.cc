#include "collection/tracer_set_keys.h"

namespace roster {

absl::Status TracerSetKeys::Add(TracerSink* sink, std::string_view tracer, uint64_t key) {
  if (key == 0) return absl::OkStatus();
  Key& entry = keys_[key];
  ++entry.count;
  return Store(sink, tracer, key, &entry);
}

absl::Status TracerSetKeys::Remove(TracerSink* sink, std::string_view tracer, uint64_t key) {
  const auto place = keys_.find(key);
  if (place == keys_.end()) return absl::OkStatus();
  if (--place->second.count > 0) return Store(sink, tracer, key, &place->second);
  const bool stored = place->second.stored;
  keys_.erase(place);
  if (!stored || sink == nullptr) return absl::OkStatus();
  return sink->RemoveFromSet(tracer, kind_, key);
}

absl::Status TracerSetKeys::StoreAll(TracerSink* sink, std::string_view tracer) {
  absl::Status status;
  for (auto& [key, entry] : keys_) {
    entry.stored = false;
    status.Update(Store(sink, tracer, key, &entry));
  }
  return status;
}

absl::Status TracerSetKeys::Store(TracerSink* sink, std::string_view tracer, uint64_t key,
                                  Key* entry) {
  if (entry->stored || sink == nullptr) return absl::OkStatus();
  absl::Status status = sink->AddToSet(tracer, kind_, key);
  entry->stored = status.ok();
  return status;
}

}  // namespace roster
