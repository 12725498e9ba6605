#include "daemon/watch_stream.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "daemon/convert.h"

namespace roster {

WatchStream::WatchStream(ContainerSource* source, WatchFilter filter, Settings settings)
    : source_(*source), filter_(std::move(filter)), settings_(std::move(settings)) {}

void WatchStream::Start(const ContainerSelector& selector) {
  auto existing = source_.Subscribe(settings_.key, selector,
                                    [this](const PubSubEvent& event) { OnEvent(event); });
  // The client learns that it is subscribed before there is anything to tell.
  StartSendInitialMetadata();
  {
    absl::MutexLock lock(&mutex_);
    started_ = true;
    if (!existing.ok()) {
      if (!end_.has_value()) end_ = existing.status();
    } else if (settings_.include_existing) {
      const absl::Time now = absl::Now();
      for (ContainerPtr& container : *existing) {
        if (filter_.Matches(*container))
          existing_.push_back({v1::Event::EXISTING, now, std::move(container)});
      }
    }
  }
  Pump();
}

void WatchStream::OnEvent(const PubSubEvent& event) {
  if (event.type == EventType::kPreCreate && !settings_.include_precreate) return;
  const std::optional<EventType> type = filter_.Translate(event);
  if (!type.has_value()) return;
  bool too_slow = false;
  {
    absl::MutexLock lock(&mutex_);
    if (end_.has_value()) return;
    if (queue_.size() < settings_.queue_limit) {
      queue_.push_back({ToProto(*type), event.timestamp, event.container});
    } else {
      too_slow = true;
      end_ = absl::ResourceExhaustedError(absl::StrCat(
          "watch: the client is too slow: ", queue_.size(), " events wait, the limit; watch anew"));
      queue_.clear();
      existing_.clear();
    }
  }
  if (too_slow && settings_.on_too_slow) settings_.on_too_slow();
  Pump();
}

void WatchStream::End(const absl::Status& status) {
  {
    absl::MutexLock lock(&mutex_);
    if (!end_.has_value()) end_ = status;
    queue_.clear();
    existing_.clear();
  }
  Pump();
}

void WatchStream::Pump() {
  Entry entry;
  absl::Status end;
  bool finish = false;
  {
    absl::MutexLock lock(&mutex_);
    if (!started_ || writing_ || finished_) return;
    if (end_.has_value()) {
      finish = finished_ = true;
      end = *end_;
    } else {
      std::deque<Entry>& next = existing_.empty() ? queue_ : existing_;
      if (next.empty()) return;
      entry = std::move(next.front());
      next.pop_front();
      writing_ = true;
    }
  }
  // After these calls gRPC may be done with this object at any time.
  if (finish) {
    Finish(ToGrpc(end));
    return;
  }
  current_.Clear();
  current_.set_type(entry.type);
  current_.set_timestamp_ns(absl::ToUnixNanos(entry.time));
  ToProto(*entry.container, source_.Facts(entry.container->handle), settings_.include_oci_config,
          current_.mutable_container());
  StartWrite(&current_);
}

void WatchStream::OnWriteDone(bool ok) {
  {
    absl::MutexLock lock(&mutex_);
    writing_ = false;
    if (!ok && !end_.has_value()) end_ = absl::CancelledError("watch: the client has gone");
  }
  Pump();
}

void WatchStream::OnCancel() { End(absl::CancelledError("watch: cancelled")); }

void WatchStream::OnDone() {
  source_.Unsubscribe(settings_.key);  // waits for a running OnEvent
  settings_.on_done(this);
  delete this;
}

}  // namespace roster
